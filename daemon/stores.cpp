#include "daemon/stores.hpp"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include <boost/asio/post.hpp>

#include "federation/log/follower_log.hpp"
#include "storage/held_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/sqlite/database.hpp"

namespace entente::daemon {

namespace {

constexpr std::string_view window_fact = "replay_window";
constexpr std::size_t cached_channels = 4'096;
constexpr std::size_t events_indexed_at_start = 20'000;  // about 50 ms

std::string boot_id()
{
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

Result<void> make_folder(const std::string& folder)
{
    std::error_code error;
    if (std::filesystem::exists(folder, error)) return {};
    std::filesystem::create_directories(folder, error);
    if (error)
        return fail(Code::unavailable, "can't make the folder " + folder + ": " + error.message() +
                                           "; make it and give it to this user");
    ::chmod(folder.c_str(), 0700);
    return {};
}

std::unique_ptr<storage::Database> make_database(const Config& config,
                                                 const StoragePlatform& platform)
{
    return storage::make_sqlite_database(config.storage.sqlite_path(), storage::sqlite_migrations(),
                                         platform.sqlite_vfs);
}

}  // namespace

Result<std::unique_ptr<Stores>> Stores::open(const Config& config, const StoragePlatform& platform,
                                             boost::asio::any_io_executor io, protocol::Seconds now,
                                             Hooks hooks)
{
    if (auto folder = make_folder(config.server.data); !folder) return fail(folder);
    std::unique_ptr<Stores> stores(new Stores);
    {
        // Before any thread: migrations, and what the database knows of the window.
        auto database = make_database(config, platform);
        auto writer = database->open_writer();
        if (!writer) return fail(writer);
        auto known = storage::find_fact(**writer, window_fact);
        if (!known) return fail(known);

        storage::RocksWindowOptions options;
        options.folder = config.server.data + "/window";
        options.ran_before = known->has_value();
        options.start = now;
        const auto boot = platform.boot_id.empty() ? boot_id() : platform.boot_id;
        options.boot_id = boot;
        options.env = platform.rocks_env;
        options.on_broken = [io, fatal = hooks.fatal](const Error& error) {
            boost::asio::post(io, [fatal, error] { fatal(error); });
        };
        auto window = platform.open_window ? platform.open_window(options)
                                           : storage::open_rocks_window(options);
        if (!window) return fail(window);
        stores->window_ = std::move(*window);
        if (auto noted = storage::set_fact(**writer, window_fact, "made"); !noted)
            return fail(noted);

        if (auto marks = stores->open_marks(config, boot, now, **writer); !marks)
            return fail(marks);

        stores->index_ = std::make_unique<storage::EventIndex>(stores->window_->events());
        if (auto index = stores->index_->open(**writer); !index) return fail(index);
        // What a power cut may have taken of it; more than that is made beside the service.
        auto caught_up = stores->index_->catch_up(**writer, events_indexed_at_start);
        if (!caught_up) return fail(caught_up);
        stores->logs_ = std::make_unique<storage::ChannelLogStore>(
            stores->index_.get(), config.name_rules(), cached_channels, std::move(hooks.committed));
        stores->logs_->remember(stores->marks_.get());
    }
    storage::GroupCommitOptions options;
    options.readers = static_cast<std::size_t>(config.storage.readers);
    options.turns = platform.turns;
    options.disk_full = std::move(hooks.disk_full);
    stores->commits_ = std::make_unique<storage::GroupCommit>(
        std::move(io), make_database(config, platform), options, std::move(hooks.fatal));
    stores->commits_->add(*stores->logs_);
    stores->accepted_ = std::make_unique<storage::AcceptedCounts>(std::move(hooks.counted));
    stores->commits_->add(*stores->accepted_);
    if (hooks.meter != nullptr) hooks.meter->attach(*stores->commits_);
    if (auto started = stores->commits_->start(); !started) return fail(started);
    return stores;
}

// [LOG-5] The channels are held before the marks are set anew: a start that is cut off in
// between finds the same again.
Result<void> Stores::open_marks(const Config& config, const std::string& boot_id,
                                protocol::Seconds now, storage::Connection& db)
{
    auto file = make_folder(config.server.runtime);
    if (file) {
        const auto path = config.server.runtime + "/" + config.server.name.str() + ".newest";
        auto opened = storage::open_commit_file(path, boot_id);
        if (opened)
            newest_file_ = std::move(*opened);
        else
            file = fail(opened);
    }
    if (!file) runtime_problem_ = file.error().detail;
    marks_ = std::make_unique<storage::CommitMarks>(&window_->commits(), newest_file_.get());
    auto restored = marks_->may_be_restored(db);
    if (!restored) return fail(restored);
    may_be_restored_ = *restored;
    if (may_be_restored_) {
        auto held = storage::hold_all_followed(db, config.server.name);
        if (!held) return held;
    }
    // [LOG-11] What was sealed before may be forgotten here.
    auto since = storage::find_fact(db, federation::sealed_since_fact);
    if (!since) return fail(since);
    if (may_be_restored_ || !*since) {
        auto set =
            storage::set_fact(db, federation::sealed_since_fact, std::to_string((now + 1) * 1000));
        if (!set) return set;
    }
    return marks_->accept(db);
}

Stores::~Stores()
{
    if (commits_) commits_->stop();
    commits_.reset();
    if (index_) index_->flush();
    if (window_) window_->close();
}

}  // namespace entente::daemon
