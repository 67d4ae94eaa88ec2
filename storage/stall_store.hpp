// Logs of other homes that don't go on here, since each slice is refused [LOG-1]. Functions
// over a connection, as in outgoing_store.hpp; the writer sets a stall through
// ChannelLogStore, which remembers it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

struct Stall {
    protocol::Millis since = 0;  // the first refusal
    std::string problem;         // the last refusal's code, by its name
    bool told = false;           // administrator and members know
};

[[nodiscard]] Result<std::optional<Stall>> find_stall(Connection& db, std::int64_t channel);
[[nodiscard]] Result<void> put_stall(Connection& db, std::int64_t channel, const Stall& stall);
[[nodiscard]] Result<void> drop_stall(Connection& db, std::int64_t channel);
// Channels that stand still since `before` or longer and of which nobody was told, the
// oldest stalls first.
[[nodiscard]] Result<std::vector<protocol::ChannelId>> untold_stalls(Connection& db,
                                                                     protocol::Millis before,
                                                                     std::size_t limit);

}  // namespace entente::storage
