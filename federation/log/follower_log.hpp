// A follower of a channel: takes slices whole or not at all [LOG-1, LOG-2], and begins to
// follow with a snapshot [MEM-3]. On the writer's thread; signatures, proofs and the chain
// within a slice have been verified before (verification.hpp).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "federation/identity.hpp"
#include "federation/log/erasing.hpp"
#include "federation/log/long_waits.hpp"
#include "federation/log/verification.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

// Since when this server knows of every event that it has sealed: what was sealed before may
// have been forgotten with a database that was put back [LOG-11]. In ms; absent: always.
inline constexpr std::string_view sealed_since_fact = "sealed_since";
// Channels of which it is remembered which server has shown to be their next home.
inline constexpr std::size_t max_next_homes = 10'000;
// The same for one channel that an administrator has let go on [LOG-4].
[[nodiscard]] std::string believed_before_fact(const protocol::ChannelId& channel);

// What taking slices tells the rest of the server, after the commit.
struct FollowerEvents {
    // The home says that `server` holds `channel` up to `seq`.
    std::function<void(const protocol::ChannelId&, const ServerName& server, std::int64_t seq)>
        acknowledged;
    // [LOG-4, LOG-11] It is frozen; `kind` as evidence.hpp names it.
    std::function<void(const protocol::ChannelId&, const ServerName& home, std::string_view kind)>
        forked;
    std::function<void(const protocol::ChannelId&)> thawed = {};
    // [LOG-4] What proves a fork to be that home's doing: a root (JWS) that it has signed. The
    // histories differ from `seq` on.
    std::function<void(const ServerName& home, const std::string& root,
                       const protocol::ChannelId& channel, std::int64_t seq)>
        fork_proven = {};
    // [KEY-7] The home has logged an event, the first new one of a slice that is so, under a
    // key that was revoked before the entry's `at`.
    std::function<void(const protocol::ChannelId&, const ServerName& home,
                       const protocol::KeyRef& key, std::int64_t seq)>
        under_revoked_key = {};
    // Submissions that the home had numbered, and has lost, wait for it again.
    std::function<void(const ServerName& home)> owes = {};
    // [QRY-13] The log goes on for this server behind `floor` alone, which it doesn't reach.
    std::function<void(const protocol::ChannelId&, const ServerName& home, std::int64_t floor)>
        lacks_floor = {};
    // [SUC-2] In the transaction, not after it: with the last entry the channel has moved away
    // from `before`, maybe to here.
    std::function<Result<void>(storage::WriteTransaction&, storage::LiveChannel&,
                               const ServerName& before)>
        moved = {};
};

// [LOG-2] What is held here of a channel, with a status. `epoch` is the one in which the log goes
// on behind it.
[[nodiscard]] protocol::SliceResult follower_answer(const storage::LiveChannel& channel,
                                                    protocol::SliceStatus status);

// The seq of a slice's last entry; without entries where it begins.
[[nodiscard]] std::int64_t last_of(const protocol::Slice& slice);

class FollowerLog {
 public:
    FollowerLog(const Identity& identity, storage::ChannelLogStore& store, LongWaits& waits,
                const protocol::Clock& clock, FollowerEvents events);

    [[nodiscard]] protocol::SliceResult take(storage::WriteTransaction& transaction,
                                             const VerifiedSlice& slice, const ServerName& origin);

    // An administrator's word [LOG-4]: it goes on behind what is held. `not_found`; false
    // where it isn't frozen. What differs still freezes it again, but events of own users that
    // were sealed before now are believed in it from now on [LOG-11].
    [[nodiscard]] Result<bool> thaw(storage::WriteTransaction& transaction,
                                    const protocol::ChannelId& name);

    // Starts the log of a channel that one of our users has joined; `state` is the verified
    // snapshot's. A log that already reaches beyond the floor is left as it is.
    [[nodiscard]] Result<void> begin(storage::WriteTransaction& transaction,
                                     const protocol::Snapshot& snapshot,
                                     protocol::ChannelState state, std::int64_t floor);
    // [QRY-13] The same for a log that `home` orders and that ends below `floor`; false where any
    // of that isn't so: much may have happened since the snapshot was asked for.
    [[nodiscard]] Result<bool> begin_again(storage::WriteTransaction& transaction,
                                           const protocol::Snapshot& snapshot,
                                           protocol::ChannelState state, std::int64_t floor,
                                           const ServerName& home);

 private:
    [[nodiscard]] protocol::SliceResult take_unreadable(storage::WriteTransaction& transaction,
                                                        const VerifiedSlice& slice,
                                                        const ServerName& origin);
    // Whether another server than the home may hand in what the home has signed.
    [[nodiscard]] static Result<bool> may_bring(storage::Connection& db,
                                                const storage::LiveChannel& channel,
                                                const ServerName& origin);
    // [SUC-6] The present home has signed for it, with a key that still counts, whoever brings it.
    [[nodiscard]] static bool is_proven_by_home(const storage::LiveChannel& channel,
                                                const VerifiedSlice& slice);
    // [SUC-2] Of the channel.move with which the slice ends, where nothing of it is missing.
    [[nodiscard]] std::optional<protocol::Consent> consent_at_end(const VerifiedSlice& slice) const;
    // [LOG-2] Of a channel that isn't held here.
    [[nodiscard]] Result<bool> awaits_join(storage::WriteTransaction& transaction,
                                           const VerifiedSlice& slice, const ServerName& origin);
    // What our users have for `channel` is owed to `home`.
    [[nodiscard]] Result<void> hand_on(storage::WriteTransaction& transaction,
                                       const protocol::ChannelId& channel, const ServerName& home);
    // [SUC-6] Whether `origin` has shown here, now or before, that the home has handed the channel
    // over to it.
    [[nodiscard]] bool is_next_home(const storage::LiveChannel& channel, const VerifiedSlice& slice,
                                    const ServerName& origin);
    // To a slice by another server than the home that the home's checkpoint doesn't prove.
    [[nodiscard]] Result<protocol::SliceResult> answer_stranger(storage::Connection& db,
                                                                const storage::LiveChannel& channel,
                                                                const VerifiedSlice& slice,
                                                                const ServerName& origin);
    // The answer to a slice by the channel's home; that it stands still is noted.
    [[nodiscard]] protocol::SliceResult refuse_slice(storage::WriteTransaction& transaction,
                                                     storage::LiveChannel& channel,
                                                     const Error& problem,
                                                     const ServerName& origin);
    [[nodiscard]] Result<protocol::SliceResult> compare_and_apply(
        storage::WriteTransaction& transaction, storage::LiveChannel& channel,
        const VerifiedSlice& slice, bool is_from_home);
    [[nodiscard]] Result<void> hand_in_lost(storage::WriteTransaction& transaction,
                                            const storage::LiveChannel& channel);
    [[nodiscard]] Result<protocol::SliceResult> answer_gap(storage::WriteTransaction& transaction,
                                                           const storage::LiveChannel& channel,
                                                           const protocol::Slice& slice,
                                                           bool is_from_home) const;
    // [LOG-4] The answer where slice and log differ, with the evidence kept; nothing where they
    // agree as far as both go, or where they can't be compared. Refused where this server is the
    // home itself: another history of its own it doesn't take, and goes on with the one it has.
    [[nodiscard]] Result<std::optional<protocol::SliceResult>> fork_where_it_differs(
        storage::WriteTransaction& transaction, storage::LiveChannel& channel,
        const VerifiedSlice& slice);
    // Of an epoch that is over: nothing of it is new.
    [[nodiscard]] Result<protocol::SliceResult> compare_past(storage::Connection& db,
                                                             const storage::LiveChannel& channel,
                                                             const VerifiedSlice& slice);
    // Where both reach, the hashes must be the same; the first of the slice's start and `shared`
    // at which they aren't.
    [[nodiscard]] Result<std::optional<std::int64_t>> difference(
        storage::Connection& db, const storage::LiveChannel& channel, const VerifiedSlice& slice,
        std::int64_t shared);
    [[nodiscard]] Result<void> can_apply(storage::Connection& db,
                                         const storage::LiveChannel& channel,
                                         const VerifiedSlice& verified, std::size_t first_new);
    [[nodiscard]] bool ends_epoch_early(const storage::LiveChannel& channel,
                                        const VerifiedSlice& verified, std::size_t first_new) const;
    [[nodiscard]] Result<void> apply(storage::WriteTransaction& transaction,
                                     storage::LiveChannel& channel, const VerifiedSlice& slice,
                                     std::size_t first_new);
    [[nodiscard]] Result<protocol::StateChange> fold(storage::LiveChannel& channel,
                                                     const protocol::Entry& entry,
                                                     const protocol::Event& event,
                                                     const SealFacts& facts,
                                                     const std::optional<Target>& target) const;
    [[nodiscard]] Result<void> apply_entry(storage::WriteTransaction& transaction,
                                           storage::LiveChannel& channel,
                                           const protocol::Entry& entry,
                                           const protocol::FollowedEvent& followed,
                                           const SealFacts& facts, std::int64_t latest);
    void tell_late(storage::WriteTransaction& transaction, const storage::LiveChannel& channel,
                   const VerifiedSlice& slice, std::size_t first_new) const;
    // Where the log goes on with an event of an own user that this server did not seal.
    [[nodiscard]] Result<std::optional<std::int64_t>> find_unsealed(
        storage::Connection& db, const storage::LiveChannel& channel, const VerifiedSlice& slice,
        std::size_t first_new);
    [[nodiscard]] static Result<bool> is_believed(storage::Connection& db,
                                                  const storage::LiveChannel& channel,
                                                  Millis sealed_at);
    [[nodiscard]] Result<bool> was_sealed(storage::Connection& db,
                                          const storage::LiveChannel& channel,
                                          const protocol::FollowedEvent& followed);
    [[nodiscard]] Result<std::int64_t> first_difference(storage::Connection& db,
                                                        const storage::LiveChannel& channel,
                                                        const VerifiedSlice& slice,
                                                        std::int64_t known);
    void note_acks(storage::WriteTransaction& transaction, storage::LiveChannel& channel,
                   const VerifiedSlice& slice);
    [[nodiscard]] Result<protocol::SliceResult> fork(storage::WriteTransaction& transaction,
                                                     storage::LiveChannel& channel,
                                                     const VerifiedSlice& slice,
                                                     std::string_view kind, std::int64_t seq);

    const Identity& identity_;
    storage::ChannelLogStore& store_;
    LongWaits& waits_;
    const protocol::Clock& clock_;
    FollowerEvents events_;
    // By channel and the epoch that is over, until a restart.
    std::map<std::pair<std::int64_t, std::int64_t>, ServerName> next_homes_;
};

}  // namespace entente::federation
