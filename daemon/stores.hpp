// Opens what the daemon keeps on disk, in the order in which each can be trusted: the
// database and its migrations, then the replay window beside it, then the writer. Takes no
// part in what is stored.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "daemon/commit_meter.hpp"
#include "daemon/config.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/commit_marks.hpp"
#include "storage/event_index.hpp"
#include "storage/group_commit.hpp"
#include "storage/nonce_window.hpp"
#include "storage/standing_store.hpp"

namespace entente::daemon {

// What the stores stand on; as it is made, the machine's own files.
struct StoragePlatform {
    std::string sqlite_vfs;             // a name that is registered with SQLite; "" its usual one
    rocksdb::Env* rocks_env = nullptr;  // null: RocksDB's usual one
    std::string boot_id;                // "": the kernel's
    // In place of RocksDB; empty: RocksDB.
    std::function<Result<std::unique_ptr<storage::ReplayMemory>>(
        const storage::RocksWindowOptions&)>
        open_window;
    storage::Turns turns;  // empty: storage has threads
};

class Stores {
 public:
    struct Hooks {
        std::function<void(storage::CommittedRun&)> committed;
        std::function<void(Error)> fatal;                  // at most twice, on the I/O executor
        std::function<void(bool is_full)> disk_full = {};  // on the I/O executor
        storage::AcceptedCounts::Counted counted = {};     // on the I/O executor
        CommitMeter* meter = nullptr;                      // outlives the stores
    };
    // The detail of an error is a sentence for the operator.
    [[nodiscard]] static Result<std::unique_ptr<Stores>> open(const Config& config,
                                                              const StoragePlatform& platform,
                                                              boost::asio::any_io_executor io,
                                                              protocol::Seconds now, Hooks hooks);
    // Ends what is queued, then closes the window.
    ~Stores();
    Stores(const Stores&) = delete;
    Stores& operator=(const Stores&) = delete;

    [[nodiscard]] storage::ReplayMemory& window() { return *window_; }
    [[nodiscard]] storage::EventIndex& index() { return *index_; }
    [[nodiscard]] storage::ChannelLogStore& logs() { return *logs_; }
    [[nodiscard]] storage::AcceptedCounts& accepted() { return *accepted_; }
    [[nodiscard]] storage::GroupCommit& commits() { return *commits_; }
    // [LOG-5] Older data may have been put back since the last start: what others follow is
    // held.
    [[nodiscard]] bool may_be_restored() const { return may_be_restored_; }
    // Why the run-time folder can't be used; then every start counts as such a one.
    [[nodiscard]] const std::string& runtime_problem() const { return runtime_problem_; }

 private:
    Stores() = default;
    [[nodiscard]] Result<void> open_marks(const Config& config, const std::string& boot_id,
                                          protocol::Seconds now, storage::Connection& db);

    std::unique_ptr<storage::ReplayMemory> window_;
    std::unique_ptr<storage::CommitMemory> newest_file_;
    std::unique_ptr<storage::CommitMarks> marks_;
    bool may_be_restored_ = false;
    std::string runtime_problem_;
    std::unique_ptr<storage::EventIndex> index_;
    std::unique_ptr<storage::ChannelLogStore> logs_;
    std::unique_ptr<storage::AcceptedCounts> accepted_;
    std::unique_ptr<storage::GroupCommit> commits_;
};

}  // namespace entente::daemon
