// A stored log on a disk that fails: group commit, channel log and, where wanted, the
// replay window, opened and closed again and again. Posts as an inbox would: what was not
// acknowledged is repeated with the same txn.
#pragma once

#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "storage/channel_log_store.hpp"
#include "storage/event_index.hpp"
#include "storage/nonce_window.hpp"
#include "tests/fault/disk.hpp"
#include "tests/fault/rocks_files.hpp"
#include "tests/fault/sqlite_vfs.hpp"
#include "tests/storage/support.hpp"

namespace entente::fault {

class StoreRig {
 public:
    StoreRig(std::string folder, DiskOptions options, bool with_window = false);
    ~StoreRig();
    StoreRig(const StoreRig&) = delete;
    StoreRig& operator=(const StoreRig&) = delete;

    [[nodiscard]] Result<void> open();
    void close();
    // The process dies, the machine goes on: what was written is seen at the next start,
    // durable or not.
    void kill();
    // The machine falls and comes back: what is open is gone with it.
    void cut_power();

    // Events first … last, one job each, all waiting before the writer takes the first, so
    // that one commit has them. The numbers of those that were acknowledged.
    [[nodiscard]] std::vector<int> post(int first, int last);
    // The numbers of the events in the log, by their places; a log whose hashes, texts or
    // pages don't fit gives an error.
    [[nodiscard]] Result<std::vector<int>> log();

    [[nodiscard]] Disk& disk() { return disk_; }
    [[nodiscard]] storage::ReplayMemory& window() { return *window_; }
    [[nodiscard]] int fatal() const { return fatal_; }

 private:
    [[nodiscard]] Result<void> append(storage::WriteTransaction& transaction, int number);
    boost::asio::awaitable<void> hold();
    boost::asio::awaitable<void> post_one(int number, std::vector<int>& acknowledged);

    std::string folder_;
    Disk disk_;
    SqliteVfs vfs_;
    std::unique_ptr<rocksdb::Env> env_;
    bool with_window_;
    int boots_ = 0;
    int fatal_ = 0;
    boost::asio::io_context io_{1};
    std::counting_semaphore<> held_{0};
    std::counting_semaphore<> gate_{0};
    std::unique_ptr<storage::ReplayMemory> window_;
    std::unique_ptr<storage::EventIndex> index_;
    std::unique_ptr<storage::GroupCommit> commits_;
    std::unique_ptr<storage::ChannelLogStore> store_;
};

}  // namespace entente::fault
