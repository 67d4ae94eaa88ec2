// Aliases of this server and the list of public channels. Functions over a connection, as in
// outgoing_store.hpp; channels and homes are rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

struct AliasRow {
    std::string localpart;
    std::int64_t channel = 0;
    std::string made_by;  // the user
    protocol::Millis at = 0;
};
[[nodiscard]] Result<std::optional<AliasRow>> find_alias(Connection& db,
                                                         std::string_view localpart);
// Takes the place of one that is there.
[[nodiscard]] Result<void> put_alias(Connection& db, const AliasRow& row);
[[nodiscard]] Result<void> drop_alias(Connection& db, std::string_view localpart);
// Localparts, sorted.
[[nodiscard]] Result<std::vector<std::string>> aliases_of(Connection& db, std::int64_t channel);

[[nodiscard]] Result<void> set_listed(Connection& db, std::int64_t home,
                                      const protocol::ChannelId& name, std::int64_t channel,
                                      bool is_listed);
// Channels homed at `home` whose name lies behind `after`, by their names: as they were made.
[[nodiscard]] Result<std::vector<std::int64_t>> listed_channels(Connection& db,
                                                                const protocol::ServerName& home,
                                                                std::string_view after,
                                                                std::size_t limit);
// Whether a user of that server is a member or invited.
[[nodiscard]] Result<bool> has_someone_of(Connection& db, std::int64_t channel,
                                          const protocol::ServerName& server);

}  // namespace entente::storage
