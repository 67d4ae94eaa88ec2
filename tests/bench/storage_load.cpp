#include "tests/bench/storage_load.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/bench/measure.hpp"
#include "tests/e2e/support/tls_socket.hpp"

namespace entente::bench {

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using e2e::Broken;
using protocol::ChannelId;

constexpr protocol::NameRules rules{true};
constexpr int commits_under_way = 2;
// As in the daemon.
constexpr std::size_t max_cached_channels = 4'096;
constexpr std::size_t events_indexed_at_once = 4'000;

template <class T>
T expect(Result<T> result)
{
    if (!result) throw Broken("storage: " + result.error().detail);
    return std::move(*result);
}

void expect(const Result<void>& result)
{
    if (!result) throw Broken("storage: " + result.error().detail);
}

double octets_of_files(const std::string& prefix)
{
    double octets = 0;
    const auto folder = fs::path(prefix).parent_path();
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file() && entry.path().string().starts_with(prefix))
            octets += static_cast<double>(entry.file_size());
    }
    return octets;
}

}  // namespace

StoreUnderLoad::StoreUnderLoad(std::string folder) : folder_(std::move(folder))
{
    fs::create_directories(folder_);
    storage::RocksWindowOptions options;
    options.folder = folder_ + "/window";
    options.boot_id = "bench";
    window_ = expect(storage::open_rocks_window(options));
    index_ = std::make_unique<storage::EventIndex>(window_->events());
    logs_ = std::make_unique<storage::ChannelLogStore>(index_.get(), rules, max_cached_channels,
                                                       [](const storage::CommittedRun&) {});
    commits_ = std::make_unique<storage::GroupCommit>(
        io_.get_executor(), storage::make_sqlite_database(folder_ + "/entente.sqlite"),
        storage::GroupCommitOptions{}, [](const Error&) {});
    commits_->add(*logs_);
    expect(commits_->start());
    run(catch_up(*index_));
    make_channels();
}

StoreUnderLoad::~StoreUnderLoad()
{
    commits_->stop();
    index_->flush();
    window_->close();
}

void StoreUnderLoad::run(asio::awaitable<void> task)
{
    std::exception_ptr thrown;
    asio::co_spawn(io_, std::move(task), [&thrown](std::exception_ptr error) {
        if (error) thrown = std::move(error);
    });
    io_.restart();
    io_.run();
    if (thrown) std::rethrow_exception(thrown);
}

protocol::Hash StoreUnderLoad::run(asio::awaitable<protocol::Hash> task)
{
    std::exception_ptr thrown;
    protocol::Hash result{};
    asio::co_spawn(io_, std::move(task), [&](std::exception_ptr error, protocol::Hash hash) {
        if (error) thrown = std::move(error);
        result = hash;
    });
    io_.restart();
    io_.run();
    if (thrown) std::rethrow_exception(thrown);
    return result;
}

namespace {

asio::awaitable<void> make_channel(storage::GroupCommit& commits, storage::ChannelLogStore& logs,
                                   ChannelId name)
{
    auto job = [&logs, name](storage::WriteTransaction& transaction) -> Result<void> {
        storage::ChannelLogStore::NewLog log;
        log.name = name;
        log.home = member_server(0);
        log.state.kind = "group";
        log.state.name = "a channel under load";
        log.state.history = "all";
        log.state.home = log.home.str();
        for (int i = 0; i < member_servers * members_per_server; ++i)
            log.state.members.emplace(member(i), protocol::Role::member);
        auto channel = logs.create(transaction.db(), std::move(log));
        if (!channel) return fail(channel);
        for (int i = 1; i < member_servers; ++i) {
            auto id = logs.server_id(transaction.db(), member_server(i));
            if (!id) return fail(id);
            auto started = storage::start_cursor(transaction.db(), (*channel)->id, *id, 0);
            if (!started) return started;
            logs.add_follower(**channel, member_server(i));
        }
        return {};
    };
    auto made = co_await commits.write(std::move(job));
    expect(made);
}

}  // namespace

void StoreUnderLoad::make_channels()
{
    std::mt19937_64 generator(11);
    SeededRandom random(generator);
    for (std::size_t i = 0; i <= busy_channels; ++i) {
        channels_.push_back(protocol::make_channel_id(member_server(0), 1'763'683'200'000, random));
        heads_.push_back(0);
        run(make_channel(*commits_, *logs_, channels_.back()));
    }
}

StoreUnderLoad::Runs StoreUnderLoad::make_runs(std::size_t first_channel, std::size_t channels,
                                               std::size_t messages_each)
{
    Runs runs;
    for (std::size_t i = 0; i < channels; ++i) {
        const auto channel = (first_channel + i) % busy_channels;
        runs.emplace_back(channel, maker_.make(channels_[channel], messages_each));
    }
    return runs;
}

Result<void> StoreUnderLoad::append_run(storage::WriteTransaction& transaction, std::size_t channel,
                                        const MessageMaker::Run& run)
{
    auto& db = transaction.db();
    auto found = logs_->find(db, channels_[channel]);
    if (!found) return fail(found);
    auto& live = **found;
    for (std::size_t i = 0; i < run.messages.size(); ++i) {
        storage::ChannelLogStore::Addition addition;
        addition.entry.at = run.at;
        addition.entry.event = run.messages[i].event;
        addition.entry.content = run.messages[i].content;
        addition.event_id = run.seal.events[i];
        addition.origin = run.origin;
        addition.txn = run.txns[i];
        auto added = logs_->append(db, live, std::move(addition));
        if (!added) return added;
    }
    logs_->add_seal(live, run.seal, run.root);
    protocol::Checkpoint checkpoint;
    checkpoint.seq = live.seq;
    checkpoint.hash = live.hash;
    checkpoint.proof.path = run.seal.proof.path;
    logs_->set_checkpoint(live, std::move(checkpoint), run.root);
    return {};
}

asio::awaitable<void> StoreUnderLoad::commit(Runs runs)
{
    for (const auto& [channel, run] : runs) {
        const auto size = static_cast<std::int64_t>(run.messages.size());
        heads_[channel] += size;
        messages_ += size;
    }
    auto job = [this,
                runs = std::move(runs)](storage::WriteTransaction& transaction) -> Result<void> {
        for (const auto& [channel, run] : runs) {
            if (auto appended = append_run(transaction, channel, run); !appended) return appended;
        }
        return {};
    };
    auto done = co_await commits_->write(std::move(job));
    expect(done);
}

void StoreUnderLoad::load_up_to(std::int64_t messages)
{
    while (messages_ < messages) {
        auto runs = make_runs(0, busy_channels, messages_per_run);
        runs.emplace_back(busy_channels, maker_.make(channels_[busy_channels], 1));
        run(commit(std::move(runs)));
    }
}

asio::awaitable<void> StoreUnderLoad::keep_writing(std::int64_t& commits_left)
{
    while (commits_left > 0) {
        --commits_left;
        auto runs = make_runs(next_channel_, channels_per_commit, messages_per_run);
        next_channel_ += channels_per_commit;
        co_await commit(std::move(runs));
    }
}

void StoreUnderLoad::write(std::int64_t commits)
{
    for (int i = 1; i < commits_under_way; ++i)
        asio::co_spawn(io_, keep_writing(commits), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
    run(keep_writing(commits));
}

asio::awaitable<void> StoreUnderLoad::read_page(std::size_t channel, std::int64_t before)
{
    const auto user = member(1);
    auto job = [this, channel, before,
                user](storage::Connection& db) -> Result<std::vector<storage::StoredEntry>> {
        auto row = storage::read_channel(db, channels_[channel]);
        if (!row) return fail(row);
        auto standing = storage::read_member(db, row->id, user);
        if (!standing) return fail(standing);
        auto meta = protocol::parse_state(row->state, rules);
        if (!meta) return fail(meta);
        storage::PageLimits limits;
        limits.entries = page_entries;
        return storage::read_before(db, *row, before, limits);
    };
    auto page = co_await commits_->read(std::move(job));
    const auto entries = expect(std::move(page));
    if (static_cast<std::int64_t>(entries.size()) != page_entries ||
        entries.front().seq != before - page_entries || entries.back().seq != before - 1)
        throw Broken("a page holds other entries than were asked for");
}

std::vector<double> StoreUnderLoad::pages(Where where, std::size_t count)
{
    std::vector<double> times;
    for (std::size_t i = 0; i < count; ++i) {
        const auto channel = where == Where::quiet ? busy_channels : places_() % busy_channels;
        if (heads_[channel] < page_entries) return {};
        std::uniform_int_distribution<std::int64_t> any(page_entries + 1, heads_[channel] + 1);
        const auto before = any(places_);
        const auto begun = wall_now();
        run(read_page(channel, before));
        times.push_back(static_cast<double>(wall_now() - begun) / 1e6);
    }
    return times;
}

asio::awaitable<protocol::Hash> StoreUnderLoad::read_id(std::size_t channel, std::int64_t seq)
{
    const auto name = channels_[channel];
    auto job = [name, seq](storage::Connection& db) -> Result<protocol::Hash> {
        auto row = storage::read_channel(db, name);
        if (!row) return fail(row);
        auto entry = storage::read_entry(db, row->id, seq);
        if (!entry) return fail(entry);
        return entry->event_id;
    };
    auto id = co_await commits_->read(std::move(job));
    co_return expect(std::move(id));
}

asio::awaitable<void> StoreUnderLoad::look_up(protocol::Hash id, std::int64_t seq)
{
    auto job = [this, id](storage::Connection& db) { return index_->find(db, id); };
    auto found = co_await commits_->read(std::move(job));
    if (expect(std::move(found)).stored.seq != seq)
        throw Broken("an event is found where it doesn't stand");
}

std::vector<double> StoreUnderLoad::lookups(std::size_t count)
{
    std::vector<double> times;
    for (std::size_t i = 0; i < count; ++i) {
        const auto channel = places_() % busy_channels;
        std::uniform_int_distribution<std::int64_t> any(1, heads_[channel]);
        const auto seq = any(places_);
        const auto id = run(read_id(channel, seq));
        const auto begun = wall_now();
        run(look_up(id, seq));
        times.push_back(static_cast<double>(wall_now() - begun) / 1e6);
    }
    return times;
}

asio::awaitable<void> StoreUnderLoad::catch_up(storage::EventIndex& index)
{
    auto open = [&index](storage::Connection& db) { return index.open(db); };
    auto opened = co_await commits_->read(std::move(open));
    expect(opened);
    while (!index.is_complete()) {
        auto step = [&index](storage::Connection& db) {
            return index.catch_up(db, events_indexed_at_once);
        };
        auto done = co_await commits_->read(std::move(step));
        expect(std::move(done));
    }
}

double StoreUnderLoad::rebuild_index()
{
    storage::RocksWindowOptions options;
    options.folder = folder_ + "/rebuilt";
    options.boot_id = "bench";
    const auto begun = wall_now();
    {
        auto window = expect(storage::open_rocks_window(options));
        storage::EventIndex index(window->events());
        run(catch_up(index));
        window->close();
    }
    const auto seconds = static_cast<double>(wall_now() - begun) / 1e9;
    fs::remove_all(options.folder);
    return seconds;
}

void StoreUnderLoad::pause()
{
    std::this_thread::sleep_for(std::chrono::seconds(1));
}

void StoreUnderLoad::rest()
{
    const auto wal = folder_ + "/entente.sqlite-wal";
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    // The maintenance thread empties the WAL once nothing was committed for some seconds.
    while (fs::exists(wal) && fs::file_size(wal) > 0) {
        if (std::chrono::steady_clock::now() > deadline) throw Broken("the WAL is never emptied");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

void StoreUnderLoad::forget_cached()
{
    const int file = ::open((folder_ + "/entente.sqlite").c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw Broken("the database can't be opened");
    // What is not on the disk yet could not be dropped.
    const bool done =
        ::fdatasync(file) == 0 && ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0;
    ::close(file);
    if (!done) throw Broken("the system keeps what it holds of the database");
}

double StoreUnderLoad::database_octets() const
{
    return octets_of_files(folder_ + "/entente.sqlite");
}

double StoreUnderLoad::window_octets() const
{
    return octets_of_files(folder_ + "/window");
}

}  // namespace entente::bench
