#include "tests/fault/store_rig.hpp"

#include <filesystem>

#include <boost/asio/detached.hpp>

#include "storage/log_reader.hpp"
#include "storage/query.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/storage/log/log_rig.hpp"

namespace entente::fault {

namespace asio = boost::asio;
using protocol::ServerName;
using storage::Connection;
using storage::WriteTransaction;
using storage::log_rig::event_text;
using storage::log_rig::garden;

namespace {

constexpr const char* vfs_name = "entente-fault";
constexpr protocol::Seconds now = 1'000'000;
// A job that is run again after a failed commit passes the gate again.
constexpr std::ptrdiff_t many = 64;
const ServerName author = ServerName::trusted("b.example");

Result<std::vector<int>> numbers_of(const storage::LogPage& page)
{
    std::vector<int> numbers;
    std::string hash;
    for (const auto& stored : page.entries) {
        const auto number = static_cast<int>(stored.entry.at);
        const auto seq = static_cast<std::int64_t>(numbers.size()) + 1;
        if (stored.seq != seq || stored.entry.event != event_text(number))
            return fail(Code::internal, "entry " + std::to_string(seq) + " is not whole");
        hash = protocol::entry_hash(garden, 1, seq, number, hash,
                                    protocol::event_id(event_text(number)));
        numbers.push_back(number);
    }
    if (hash != page.end.hash) return fail(Code::internal, "the head has another hash");
    return numbers;
}

}  // namespace

StoreRig::StoreRig(std::string folder, DiskOptions options, bool with_window)
    : folder_(std::move(folder)),
      disk_(std::move(options)),
      vfs_(disk_, vfs_name),
      env_(make_rocks_env(disk_)),
      with_window_(with_window)
{
    protocol::start_crypto();
    std::filesystem::create_directories(folder_);
}

StoreRig::~StoreRig()
{
    close();
}

Result<void> StoreRig::open()
{
    if (with_window_) {
        storage::RocksWindowOptions options;
        options.folder = folder_ + "/window";
        options.start = now;
        options.boot_id = "boot " + std::to_string(boots_);
        options.env = env_.get();
        auto window = storage::open_rocks_window(options);
        if (!window) return fail(window);
        window_ = std::move(*window);
        index_ = std::make_unique<storage::EventIndex>(window_->events());
    }
    auto database =
        storage::make_sqlite_database(folder_ + "/db", storage::sqlite_migrations(), vfs_.name());
    commits_ = std::make_unique<storage::GroupCommit>(io_.get_executor(), std::move(database),
                                                      storage::GroupCommitOptions{},
                                                      [this](const Error&) { ++fatal_; });
    store_ = std::make_unique<storage::ChannelLogStore>(index_.get(), protocol::NameRules{}, 8,
                                                        [](const storage::CommittedRun&) {});
    commits_->add(*store_);
    auto started = commits_->start();
    if (!started) close();
    return started;
}

void StoreRig::close()
{
    if (commits_) commits_->stop();
    commits_.reset();
    store_.reset();
    if (index_) index_->flush();
    index_.reset();
    if (window_) window_->close();
    window_.reset();
}

void StoreRig::kill()
{
    // Whatever would be tidied up isn't.
    disk_.heal();
    disk_.add({std::nullopt, "", 1, for_ever, EIO});
    close();
    disk_.heal();
}

void StoreRig::cut_power()
{
    disk_.cut();
    close();
    disk_.heal();
    disk_.power_on();
    ++boots_;
}

Result<void> StoreRig::append(WriteTransaction& transaction, int number)
{
    auto channel = store_->find(transaction.db(), garden);
    if (!channel && channel.error().code == Code::not_found) {
        storage::ChannelLogStore::NewLog log;
        log.name = garden;
        log.home = storage::log_rig::home;
        log.state = storage::log_rig::Rig::state();
        channel = store_->create(transaction.db(), std::move(log));
    }
    if (!channel) return fail(channel);
    const auto txn = storage::log_rig::txn(number);
    auto known = store_->find_txn(transaction.db(), **channel, author, txn);
    if (!known) return fail(known);
    if (*known) return {};
    storage::ChannelLogStore::Addition addition;
    addition.entry.at = number;
    addition.entry.event = event_text(number);
    addition.entry.content = std::string(300, 'c');
    addition.event_id = protocol::event_id(addition.entry.event);
    addition.origin = author;
    addition.txn = txn;
    return store_->append(transaction.db(), **channel, std::move(addition));
}

asio::awaitable<void> StoreRig::hold()
{
    auto job = [this](WriteTransaction&) -> Result<int> {
        held_.release();
        gate_.acquire();
        return 0;
    };
    auto done = co_await commits_->write(std::move(job));
    // It may be refused after a failure: then nobody is held.
    if (!done) held_.release();
}

asio::awaitable<void> StoreRig::post_one(int number, std::vector<int>& acknowledged)
{
    auto job = [this, number](WriteTransaction& transaction) -> Result<int> {
        auto done = append(transaction, number);
        if (!done) return fail(done);
        return number;
    };
    auto done = co_await commits_->write(std::move(job));
    if (done) acknowledged.push_back(number);
}

std::vector<int> StoreRig::post(int first, int last)
{
    std::vector<int> acknowledged;
    if (!commits_) return acknowledged;
    io_.restart();
    asio::co_spawn(io_, hold(), asio::detached);
    while (!held_.try_acquire()) io_.poll();
    for (int i = first; i <= last; ++i)
        asio::co_spawn(io_, post_one(i, acknowledged), asio::detached);
    io_.restart();
    io_.poll();
    gate_.release(many);
    io_.restart();
    io_.run();
    while (gate_.try_acquire()) {
    }
    while (held_.try_acquire()) {
    }
    return acknowledged;
}

Result<std::vector<int>> StoreRig::log()
{
    auto job = [](Connection& db) -> Result<std::vector<int>> {
        const auto text = [](storage::Statement& row) { return std::string(row.text(0)); };
        auto sound = storage::one_row(db, "PRAGMA integrity_check", text);
        if (!sound) return fail(sound);
        if (**sound != "ok") return fail(Code::internal, **sound);
        auto row = storage::read_channel(db, garden);
        if (!row && row.error().code == Code::not_found) return std::vector<int>{};
        if (!row) return fail(row);
        auto page = storage::read_log(db, *row, 0, storage::PageLimits{});
        if (!page) return fail(page);
        return numbers_of(*page);
    };
    return storage::testing::run(io_, commits_->read(std::move(job)));
}

}  // namespace entente::fault
