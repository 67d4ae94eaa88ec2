// Ends the retention of contents (section 8): under `days:N` those that are older, under
// `relay` those that every device and follower has, and what deletions still owe. Each server
// for itself, by what the channel's state says now. In steps that are bounded; the chain and
// what proves it stay.
#pragma once

#include <cstdint>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/identity.hpp"
#include "protocol/clock.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/erasing_store.hpp"
#include "storage/group_commit.hpp"
#include "storage/retention_store.hpp"

namespace entente::federation {

namespace asio = boost::asio;

inline constexpr Millis relay_at_most_ms = Millis{30} * 24 * 3600 * 1000;
// What one step looks at, at most.
inline constexpr std::size_t channels_per_step = 20;
inline constexpr std::size_t runs_per_step = 32;
inline constexpr std::size_t owed_edits_per_step = 64;

class Retention {
 public:
    Retention(const Identity& identity, storage::ChannelLogStore& store,
              storage::GroupCommit& commits, const protocol::Clock& clock);

    // One read and at most one commit; true where more is due already.
    asio::awaitable<Result<bool>> step();

 private:
    // What is to become of one channel.
    struct Plan {
        storage::RetainedChannel before;
        std::vector<std::int64_t> expired;
        std::int64_t done = 0;
        Millis due = 0;
    };
    struct Work {
        std::vector<storage::OwedErasure> owed;
        std::vector<Plan> plans;
        bool more = false;
    };
    // Which entries may go: those before `at`, those up to `seq`.
    struct Limit {
        Millis stay = 0;
        Millis at = 0;
        std::int64_t seq = 0;
    };
    [[nodiscard]] Result<Work> plan(storage::Connection& db) const;
    [[nodiscard]] Result<Plan> plan_channel(storage::Connection& db,
                                            const storage::RetainedChannel& channel,
                                            std::size_t& runs) const;
    [[nodiscard]] Result<Limit> limit_of(storage::Connection& db, std::int64_t channel) const;
    [[nodiscard]] Result<std::int64_t> held_by_all(storage::Connection& db, std::int64_t channel,
                                                   bool is_home) const;
    [[nodiscard]] Result<bool> apply(storage::Connection& db, const Work& work);
    [[nodiscard]] Result<bool> erase_owed(storage::Connection& db, const Work& work);

    const Identity& identity_;
    storage::ChannelLogStore& store_;
    storage::GroupCommit& commits_;
    const protocol::Clock& clock_;
};

}  // namespace entente::federation
