// The replay window of a simulated machine [SIG-4]: the rules of the one in RocksDB, on a
// memory that loses what wasn't synced when the power is cut. Passes the same contract.
// Stands in for RocksDB, whose threads can't be replayed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/nonce_window.hpp"
#include "tests/sim/chance.hpp"

namespace entente::sim {

// What outlives the process. Nonces and the index are written without a sync: a killed
// process loses none of them, a fallen machine the newest.
class WindowMemory {
 public:
    struct Nonce {
        std::string entry;
        protocol::Seconds expires = 0;
        bool is_synced = false;
    };

    struct Refused {
        protocol::Hash item{};
        Code code{};
        protocol::Seconds expires = 0;
        bool is_synced = false;
    };

    // The power goes: of what isn't synced an older part survives.
    void cut(Chance& chance);
    // Whoever has it open writes no more: its process is dead.
    void orphan() { ++generation_; }
    // Whether a request that is made now and expires then can pass.
    [[nodiscard]] bool believes(protocol::Seconds now, protocol::Seconds expires) const
    {
        return now >= created_not_before_ && expires > swept_until_;
    }
    // An older one in its place.
    void put_back(const WindowMemory& older);

 private:
    friend class SimulatedWindow;

    std::uint64_t generation_ = 0;
    bool is_made_ = false;
    std::string running_;  // boot id; empty after an orderly end
    protocol::Seconds swept_until_ = 0;
    protocol::Seconds created_not_before_ = 0;
    std::vector<Nonce> nonces_;
    std::vector<Refused> refused_;
    std::multimap<std::string, storage::EventPlace> events_;
    std::optional<storage::IndexMark> mark_;
    std::vector<storage::IndexMark> newest_runs_;  // the last synced one and those since
};

// `memory` outlives it. One at a time is of use: an earlier one is orphaned.
[[nodiscard]] std::unique_ptr<storage::ReplayMemory> open_simulated_window(
    WindowMemory& memory, const storage::RocksWindowOptions& options);

}  // namespace entente::sim
