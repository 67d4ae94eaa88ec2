// The memory of the replay window [SIG-4]: which nonces of which keys are spent, until
// they expire; with the durable sweep time that never decreases. RocksDB in the daemon,
// a map in tests and simulation; both pass the same contract suite. Blocking, thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "protocol/result.hpp"
#include "storage/commit_marks.hpp"
#include "storage/event_index.hpp"
#include "storage/refused_items.hpp"

namespace rocksdb {
class Env;
}

namespace entente::storage {

class NonceWindow {
 public:
    virtual ~NonceWindow() = default;

    // Spends the nonce: `replayed` where it is spent already; `unavailable` where the
    // window can't tell: `expires` not after the sweep time, or the memory is missing or
    // may be incomplete and `created` is not after the start that found it so + 60 s.
    // Survives a kill -9 when it returns. Of many at once exactly one succeeds.
    [[nodiscard]] virtual Result<void> spend(const protocol::KeyRef& key, std::string_view nonce,
                                             protocol::Seconds created,
                                             protocol::Seconds expires) = 0;
    // Forgets what expired before `now` - 1 s, having first made the new sweep time durable.
    // A clock that went back sweeps nothing.
    virtual Result<void> sweep(protocol::Seconds now) = 0;
    [[nodiscard]] virtual protocol::Seconds swept_until() const = 0;
};

// How a window's memory may be trusted at this start.
enum class MemoryState : std::uint8_t { first_start, complete, incomplete };

struct RocksWindowOptions {
    std::string folder;
    // Whether this server has ever run before (its database says so): a missing folder is
    // then a lost memory, not a first start.
    bool ran_before = false;
    protocol::Seconds start = 0;
    // /proc/sys/kernel/random/boot_id: unsynced writes are lost only when the machine went
    // down in between. Passed in for tests.
    std::string boot_id;
    // Where its files are, when not on the machine's own file system. Outlives the window.
    rocksdb::Env* env = nullptr;
    // Called once, on any thread, when the disk has failed in another way than by being
    // full: nothing is spent from then on, and the next start takes the memory for incomplete.
    std::function<void(Error)> on_broken = {};
};

// For who watches it: what its RocksDB says of itself.
struct WindowFigures {
    std::uint64_t keys = 0;                // nonces, places of events, refused items, roughly
    std::uint64_t unwritten = 0;           // octets in memory that are in its log alone
    std::uint64_t pending_compaction = 0;  // octets that it has yet to rewrite
};

class ReplayMemory : public NonceWindow {
 public:
    [[nodiscard]] virtual MemoryState state() const = 0;
    // Lies beside it in the same database; lives as long.
    [[nodiscard]] virtual EventPlaces& events() = 0;
    // So do these.
    [[nodiscard]] virtual CommitMemory& commits() = 0;
    [[nodiscard]] virtual RefusedItems& refused() = 0;
    // Zeros where there is nothing now that could say.
    [[nodiscard]] virtual WindowFigures figures() { return {}; }
    // Syncs and marks an orderly end.
    virtual void close() = 0;
};

[[nodiscard]] Result<std::unique_ptr<ReplayMemory>> open_rocks_window(
    const RocksWindowOptions& options);
[[nodiscard]] std::unique_ptr<NonceWindow> make_memory_window();

}  // namespace entente::storage
