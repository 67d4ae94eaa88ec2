// What an operator asks about other servers: which there are, what they are owed, which
// channels they share with this one. Functions over a reader's connection; changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/stall_store.hpp"

namespace entente::storage {

// Of a peer, logs whose oldest missing entry is looked at for OwedSummary::oldest_at.
inline constexpr std::size_t most_logs_aged = 1'000;

struct OwedSummary {
    std::int64_t channels = 0;       // homed here, of which it lacks entries
    std::int64_t entries = 0;        // so many
    std::int64_t submissions = 0;    // our users' events for channels homed there
    std::int64_t direct = 0;         // direct events
    protocol::Millis oldest_at = 0;  // of all that, most_logs_aged channels looked at; 0: none

    [[nodiscard]] bool is_nothing() const { return entries + submissions + direct == 0; }
};

// Servers that are pinned or that any row names, in the order of their names' octets.
[[nodiscard]] Result<std::vector<protocol::ServerName>> known_peers(
    Connection& db, const protocol::ServerName& self, std::string_view after, std::size_t limit);
[[nodiscard]] Result<bool> is_known_peer(Connection& db, const protocol::ServerName& peer);
[[nodiscard]] Result<OwedSummary> owed_to(Connection& db, const protocol::ServerName& self,
                                          const protocol::ServerName& peer);

// Every channel held here, in the order of their names; `limit` of them behind `after`.
[[nodiscard]] Result<std::vector<ChannelRow>> channels_after(Connection& db, std::string_view after,
                                                             std::size_t limit);
// A channel is shared if its home is here and the peer follows it, or if it is homed
// elsewhere, here are members of it, and the peer is its home or has members of it too.
struct SharedChannel {
    ChannelRow channel;
    std::optional<CursorRow> cursor;  // how far the peer holds it, as far as is known here
    std::optional<Stall> stall;
};
[[nodiscard]] Result<std::vector<SharedChannel>> shared_channels(Connection& db,
                                                                 const protocol::ServerName& self,
                                                                 const protocol::ServerName& peer,
                                                                 std::string_view after,
                                                                 std::size_t limit);

}  // namespace entente::storage
