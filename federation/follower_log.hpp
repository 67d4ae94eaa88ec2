// A follower of a channel: takes slices whole or not at all [LOG-1, LOG-2], and begins to
// follow with a snapshot [MEM-3]. On the writer's thread; signatures, proofs and the chain
// within a slice have been verified before (verification.hpp).
#pragma once

#include <functional>
#include <string>

#include "federation/identity.hpp"
#include "federation/long_waits.hpp"
#include "federation/verification.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

// What taking slices tells the rest of the server, after the commit.
struct FollowerEvents {
    // The home says that `server` holds `channel` up to `seq`.
    std::function<void(const protocol::ChannelId&, const ServerName& server, std::int64_t seq)>
        acknowledged;
    std::function<void(const protocol::ChannelId&, const ServerName& home)> forked;
    // Submissions that the home had numbered, and has lost, wait for it again.
    std::function<void(const ServerName& home)> owes = {};
};

class FollowerLog {
 public:
    FollowerLog(const Identity& identity, storage::ChannelLogStore& store, LongWaits& waits,
                FollowerEvents events);

    [[nodiscard]] protocol::SliceResult take(storage::WriteTransaction& transaction,
                                             const VerifiedSlice& slice, const ServerName& origin);

    // Starts the log of a channel that one of our users has joined; `state` is the verified
    // snapshot's. A log that already reaches beyond the floor is left as it is.
    [[nodiscard]] Result<void> begin(storage::WriteTransaction& transaction,
                                     const protocol::Snapshot& snapshot,
                                     protocol::ChannelState state, std::int64_t floor,
                                     const ServerName& home);

 private:
    [[nodiscard]] protocol::SliceResult take_unreadable(storage::WriteTransaction& transaction,
                                                        const VerifiedSlice& slice,
                                                        const ServerName& origin);
    // The answer to a slice by the channel's home; that it stands still is noted.
    [[nodiscard]] protocol::SliceResult refuse_slice(storage::WriteTransaction& transaction,
                                                     storage::LiveChannel& channel,
                                                     const Error& problem);
    [[nodiscard]] Result<protocol::SliceResult> compare_and_apply(
        storage::WriteTransaction& transaction, storage::LiveChannel& channel,
        const VerifiedSlice& slice);
    [[nodiscard]] Result<void> apply(storage::WriteTransaction& transaction,
                                     storage::LiveChannel& channel, const VerifiedSlice& slice,
                                     std::size_t first_new);
    [[nodiscard]] Result<void> apply_entry(storage::WriteTransaction& transaction,
                                           storage::LiveChannel& channel,
                                           const protocol::Entry& entry,
                                           const protocol::FollowedEvent& followed);
    void note_acks(storage::WriteTransaction& transaction, storage::LiveChannel& channel,
                   const VerifiedSlice& slice);
    [[nodiscard]] protocol::SliceResult fork(storage::WriteTransaction& transaction,
                                             storage::LiveChannel& channel);

    const Identity& identity_;
    storage::ChannelLogStore& store_;
    LongWaits& waits_;
    FollowerEvents events_;
};

}  // namespace entente::federation
