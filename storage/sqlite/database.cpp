#include "storage/sqlite/database.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/sqlite/connection.hpp"

namespace entente::storage {
namespace {

// Pages of 4 KiB. A checkpoint this small costs a few milliseconds; more of them would meet
// one message in a hundred where few are written, and write hot pages more often.
constexpr int checkpoint_from_pages = 1024;
// From here on the WAL is begun anew even though the writer must wait for it. Its file stays:
// written where octets already are, a commit's sync has no metadata of the file to write.
constexpr int restart_from_pages = 8192;
// One that has grown behind a long read is emptied all the same.
constexpr int truncate_from_pages = 16384;
// Calls of maintain without a new commit until a resting WAL is emptied.
constexpr int truncate_after_idle_calls = 20;
// Calls of maintain until a WAL is emptied that still shows what was erased: deletions that
// come one after the other share an emptying.
constexpr int truncate_after_erasing_calls = 8;

Result<void> create_file(const std::string& file)
{
    const int made = ::open(file.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (made < 0) {
        if (errno == EEXIST) return {};
        return fail(Code::unavailable,
                    "cannot make the database " + file + ": " + std::strerror(errno));
    }
    // The umask may have taken the owner's rights too.
    ::fchmod(made, 0600);
    ::close(made);
    auto folder = std::filesystem::path(file).parent_path();
    if (folder.empty()) folder = ".";
    const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = opened >= 0 && ::fsync(opened) == 0;
    if (opened >= 0) ::close(opened);
    if (!synced) {
        return fail(Code::unavailable, "cannot sync the folder " + folder.string());
    }
    return {};
}

// Which SQLite takes for the file and nothing else.
std::string uri_of(const std::string& file, bool is_at_rest)
{
    std::string uri = "file:";
    for (const char octet : file) {
        switch (octet) {
            case '%': uri += "%25"; break;
            case '?': uri += "%3f"; break;
            case '#': uri += "%23"; break;
            default: uri += octet;
        }
    }
    return is_at_rest ? uri + "?immutable=1" : uri;
}

class SqliteDatabase final : public Database {
 public:
    SqliteDatabase(std::string file, std::span<const Migration> migrations, std::string vfs)
        : file_(std::move(file)), vfs_(std::move(vfs)), migrations_(migrations)
    {
    }

    Result<std::unique_ptr<Connection>> open_writer() override
    {
        auto made = create_file(file_);
        if (!made) return fail(made);
        auto writer = SqliteConnection::open(file_, vfs(), SqliteRole::writer, shared_);
        if (!writer) return fail(writer);
        auto ready = (*writer)->rewrite_wal();
        if (ready) ready = migrate(**writer, migrations_, protocol::SystemClock().now_s());
        if (!ready) return tl::unexpected((*writer)->error_of_file(file_, ready.error()));
        return std::unique_ptr<Connection>(std::move(*writer));
    }

    Result<std::unique_ptr<Connection>> open_reader() override
    {
        auto reader = SqliteConnection::open(file_, vfs(), SqliteRole::reader, shared_);
        if (!reader) return fail(reader);
        return std::unique_ptr<Connection>(std::move(*reader));
    }

    void maintain() override
    {
        const std::lock_guard lock(mutex_);
        const auto commits = shared_->commits.load();
        idle_calls_ = commits == seen_commits_ ? idle_calls_ + 1 : 0;
        seen_commits_ = commits;

        const int pages = shared_->wal_pages.load();
        const bool resting = idle_calls_ >= truncate_after_idle_calls && pages > 0;
        erasing_calls_ = shared_->old_pages ? erasing_calls_ + 1 : 0;
        const bool must_go = resting || erasing_calls_ >= truncate_after_erasing_calls ||
                             pages >= truncate_from_pages;
        if (pages < checkpoint_from_pages && !must_go) return;
        if (!open_maintainer()) return;
        // The larger part without the writer's noticing, so that the turn is short. Never of a WAL
        // that has been written back whole: beside the commit that begins it anew a checkpoint of
        // SQLite before 3.51.3 may lose what that commit wrote (its "WAL-reset bug").
        if (commits != checkpointed_commits_ && pages != written_back_) {
            checkpoint(SQLITE_CHECKPOINT_PASSIVE);
            checkpointed_commits_ = shared_->commits.load();
        }
        if (pages < restart_from_pages && !must_go) return;
        // Where a reader stood in the way the writer shall not be held up again at once.
        if (must_go) erasing_calls_ = 0;
        shared_->turn.begin_truncating();
        if (checkpoint(must_go ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART)) {
            // Begun anew the file is there still, and is emptied when it rests.
            shared_->wal_pages.store(must_go ? 0 : 1);
            if (must_go) shared_->old_pages.store(false);
            checkpointed_commits_ = shared_->commits.load();
        }
        shared_->turn.end_truncating();
    }

    bool wants_maintenance() const override { return shared_->old_pages; }

    bool is_broken() const override { return shared_->is_broken(); }
    bool is_full() const override { return shared_->is_full; }
    std::string broken_reason() const override { return shared_->reason(); }

 private:
    bool open_maintainer()
    {
        if (maintainer_ != nullptr) return true;
        auto opened = SqliteConnection::open(file_, vfs(), SqliteRole::maintainer, shared_);
        if (!opened) return false;
        maintainer_ = std::move(*opened);
        return true;
    }

    bool checkpoint(int mode)
    {
        int pages = 0;
        int written = 0;
        const int outcome =
            sqlite3_wal_checkpoint_v2(maintainer_->handle(), nullptr, mode, &pages, &written);
        written_back_ = outcome == SQLITE_OK && pages == written ? pages : -1;
        // Notes a failed sync: the next checkpoint would take the pages for written.
        if (outcome != SQLITE_OK) static_cast<void>(maintainer_->error(outcome));
        return outcome == SQLITE_OK;
    }

    [[nodiscard]] const char* vfs() const { return vfs_.empty() ? nullptr : vfs_.c_str(); }

    std::string file_;
    std::string vfs_;
    std::span<const Migration> migrations_;
    std::shared_ptr<SharedFile> shared_ = std::make_shared<SharedFile>();

    std::mutex mutex_;
    std::unique_ptr<SqliteConnection> maintainer_;
    std::uint64_t seen_commits_ = 0;
    std::uint64_t checkpointed_commits_ = 0;
    int written_back_ = -1;  // pages of the WAL, where the database has them all
    int idle_calls_ = 0;
    int erasing_calls_ = 0;
};

}  // namespace

Result<std::unique_ptr<Connection>> open_to_look(const std::string& file)
{
    std::error_code failed;
    // Without a WAL nobody has it open: then nothing is made beside it, not even for a moment.
    const bool is_at_rest = !std::filesystem::exists(file + "-wal", failed);
    auto opened = SqliteConnection::open(uri_of(file, is_at_rest), nullptr, SqliteRole::onlooker,
                                         std::make_shared<SharedFile>());
    if (!opened) return fail(opened);
    return std::unique_ptr<Connection>(std::move(*opened));
}

std::unique_ptr<Database> make_sqlite_database(std::string file)
{
    return make_sqlite_database(std::move(file), sqlite_migrations());
}

std::unique_ptr<Database> make_sqlite_database(std::string file,
                                               std::span<const Migration> migrations,
                                               std::string vfs)
{
    return std::make_unique<SqliteDatabase>(std::move(file), migrations, std::move(vfs));
}

}  // namespace entente::storage
