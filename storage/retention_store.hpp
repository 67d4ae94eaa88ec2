// What the retention of contents has to know: which channels' contents don't stay, how far
// each has been seen to, and how far devices say they have a channel that is a relay.
// Functions over a connection, as in outgoing_store.hpp; channels are rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// As the channel's state says it: `keep`, `days:N` or `relay`.
[[nodiscard]] Result<void> set_retention(Connection& db, std::int64_t channel,
                                         std::string_view retention);
struct RetainedChannel {
    std::int64_t channel = 0;
    std::int64_t done = 0;
    protocol::Millis due = 0;
};
[[nodiscard]] Result<std::vector<RetainedChannel>> due_channels(Connection& db,
                                                                protocol::Millis now,
                                                                std::size_t limit);
// Nothing where the channel has been hurried since `before` was read.
[[nodiscard]] Result<void> set_seen_to(Connection& db, const RetainedChannel& before,
                                       std::int64_t done, protocol::Millis due);
// Somebody has come further: a relay looks again at once.
[[nodiscard]] Result<void> hurry_retention(Connection& db, std::int64_t channel);

// The row of a channel that is a relay; nothing for any other.
[[nodiscard]] Result<std::optional<std::int64_t>> find_relay(Connection& db,
                                                             const protocol::ChannelId& channel);
// Never back, and never beyond the log. Of a user of this server who is a member; else nothing
// is written.
[[nodiscard]] Result<void> note_device(Connection& db, std::int64_t channel,
                                       const protocol::UserId& user, const protocol::Uuid& device,
                                       std::int64_t seq);
// How far all devices of members of this server have the channel; nothing where there are
// none. Who sees only what came since the join needs nothing before.
[[nodiscard]] Result<std::optional<std::int64_t>> slowest_device(Connection& db,
                                                                 std::int64_t channel,
                                                                 const protocol::ServerName& self);

}  // namespace entente::storage
