// What an entry of a log does to the contents of others [MEM-4]: one way for home and
// follower. On the writer's thread. Judges nothing: the fold does.
#pragma once

#include <cstdint>
#include <optional>

#include "federation/log/verification.hpp"
#include "protocol/channel_state.hpp"
#include "storage/channel_log_store.hpp"

namespace entente::federation {

// Edits of a deleted message that the deletion's own commit erases; the rest follows in steps
// (retention.hpp), so that nobody makes the writer do any amount of work at once.
inline constexpr std::size_t edits_erased_at_once = 16;

// The entry that an event is about.
struct Target {
    std::int64_t seq = 0;
    protocol::TargetFacts facts;
};

// The target of what would be the next entry. Nothing where it has none, the log doesn't hold
// it [MEM-8], or an entry before has deleted it [MEM-14]; `unavailable` while that can't be
// told.
[[nodiscard]] Result<std::optional<Target>> find_target(storage::ChannelLogStore& store,
                                                        storage::Connection& db,
                                                        const storage::LiveChannel& channel,
                                                        const protocol::Event& event,
                                                        protocol::NameRules rules);
[[nodiscard]] std::optional<protocol::TargetFacts> facts_of(const std::optional<Target>& target);

// Whether a slice has what the fold needs of its entries. A server that isn't the home can't have
// taken a content away but of a message [MEM-4]; where it withholds another, someone else is asked.
[[nodiscard]] bool has_what_the_fold_needs(const VerifiedSlice& slice, std::size_t first = 0);

// Whether an entry of a slice has its content, or the slice itself shows by whose right it has
// none, or the channel's rule does. A relayed one isn't erased before all have it.
[[nodiscard]] bool is_whole_or_rightly_gone(const storage::LiveChannel& channel,
                                            const VerifiedSlice& slice, std::size_t index,
                                            Millis now);

// Behind the append of an entry that the fold has let pass: remembers edits, erases what a
// deletion names. After an error nothing of the transaction may stand.
[[nodiscard]] Result<void> erase_behind(storage::ChannelLogStore& store, storage::Connection& db,
                                        storage::LiveChannel& channel, const protocol::Event& event,
                                        const std::optional<Target>& target);

// The same behind an entry whose target lies before where the log begins here: what it edits
// can't be told, but a deletion has to find it. Whether the deletion was allowed only its home
// knows, which has taken it.
[[nodiscard]] Result<void> erase_behind_unheld(storage::ChannelLogStore& store,
                                               storage::Connection& db,
                                               storage::LiveChannel& channel,
                                               const protocol::Event& event);

}  // namespace entente::federation
