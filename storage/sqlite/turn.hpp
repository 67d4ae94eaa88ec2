// What the connections of one SQLite file share: whose turn it is to hold the write lock,
// how far the WAL has grown, and whether a sync has ever failed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

namespace entente::storage {

// SQLite's busy handler polls, and against a writer that never pauses it can lose for
// ever: then the WAL could not be restarted and would grow without end. So the rare
// truncating checkpoint asks for its turn here, and the writer's next begin waits.
class Turn {
 public:
    void begin_writing()
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !truncating_; });
        writing_ = true;
    }
    void end_writing()
    {
        const std::lock_guard lock(mutex_);
        writing_ = false;
        changed_.notify_all();
    }
    void begin_truncating()
    {
        std::unique_lock lock(mutex_);
        truncating_ = true;
        changed_.wait(lock, [this] { return !writing_; });
    }
    void end_truncating()
    {
        const std::lock_guard lock(mutex_);
        truncating_ = false;
        changed_.notify_all();
    }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool writing_ = false;
    bool truncating_ = false;
};

class SharedFile {
 public:
    Turn turn;
    std::atomic<int> wal_pages{0};          // frames in the WAL at the last commit
    std::atomic<std::uint64_t> commits{0};  // that wrote something
    std::atomic<bool> old_pages{false};     // the WAL shows what was erased since
    std::atomic<bool> is_full{false};       // no room since the last commit that wrote something

    // A sync failed: what is on disk is unknown. The first reason stays.
    void break_down(const std::string& reason)
    {
        const std::lock_guard lock(mutex_);
        if (!broken_.exchange(true)) reason_ = reason;
    }
    [[nodiscard]] bool is_broken() const { return broken_; }
    [[nodiscard]] std::string reason() const
    {
        const std::lock_guard lock(mutex_);
        return reason_;
    }

 private:
    std::atomic<bool> broken_{false};
    mutable std::mutex mutex_;
    std::string reason_;
};

}  // namespace entente::storage
