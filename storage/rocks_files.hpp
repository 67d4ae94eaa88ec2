// The RocksDB under the replay window: its options, its families, how it is opened and what
// becomes of one that can't be read. Knows nothing of nonces. Private to rocks_window.cpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include "storage/nonce_window.hpp"

namespace entente::storage {

// Hears what RocksDB only says in passing.
class RocksWatch final : public rocksdb::EventListener {
 public:
    // What was written before it, and told to be written, may not be on the disk.
    [[nodiscard]] bool has_failed_sync() const { return has_failed_sync_; }

    bool ShouldBeNotifiedOnFileIO() override { return true; }
    void OnIOError(const rocksdb::IOErrorInfo& error) override;
    // Not by itself: after a failed write to its log RocksDB 7.8 may go on in the same file,
    // behind what is torn, and aborts. The window opens its folder again instead.
    void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status error,
                              bool* may_recover) override;

 private:
    std::atomic<bool> has_failed_sync_{false};
};

// An open folder.
struct RocksFiles {
    enum Family : std::size_t { meta, nonces, expiry, events };

    RocksFiles() = default;
    ~RocksFiles();
    RocksFiles(const RocksFiles&) = delete;
    RocksFiles& operator=(const RocksFiles&) = delete;

    std::unique_ptr<rocksdb::DB> db;
    std::vector<rocksdb::ColumnFamilyHandle*> families;
};

// Makes the folder and what is missing in it.
[[nodiscard]] rocksdb::Status open_rocks_files(const RocksWindowOptions& options,
                                               const std::shared_ptr<RocksWatch>& watch,
                                               std::unique_ptr<RocksFiles>& opened);

// Moves what can't be read out of the way; the operator may want to look at it.
[[nodiscard]] rocksdb::Status move_rocks_files_aside(const RocksWindowOptions& options);

}  // namespace entente::storage
