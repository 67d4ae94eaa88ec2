// Channels homed here that wait for what their followers hold [LOG-5]. Functions over a
// connection, as in outgoing_store.hpp; the writer holds and frees a channel through
// ChannelLogStore, which remembers it.
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/names.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

[[nodiscard]] Result<bool> is_held(Connection& db, std::int64_t channel);
[[nodiscard]] Result<void> put_held(Connection& db, std::int64_t channel);
[[nodiscard]] Result<void> drop_held(Connection& db, std::int64_t channel);
// Every channel homed at `self` that anybody follows. Before a store has read any of them.
[[nodiscard]] Result<void> hold_all_followed(Connection& db, const protocol::ServerName& self);

struct HeldChannel {
    protocol::ChannelId channel;
    std::vector<protocol::ServerName> followers;
};
[[nodiscard]] Result<std::vector<HeldChannel>> held_channels(Connection& db);

}  // namespace entente::storage
