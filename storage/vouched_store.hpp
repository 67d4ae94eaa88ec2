// Entries under a key that the author's server hasn't shown itself [LOG-6]: the channel's
// home vouches for it alone. Functions over a connection, as in outgoing_store.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/driver.hpp"

namespace entente::storage {

// `kid` is server#keyid, `x` the key in base64url.
[[nodiscard]] Result<void> put_vouched(Connection& db, std::int64_t channel, std::int64_t seq,
                                       std::string_view kid, std::string_view x);
// In base64url.
[[nodiscard]] Result<std::optional<std::string>> find_vouched_key(Connection& db,
                                                                  std::string_view kid);
// Which entries from `first` to `last` are, in rising order.
[[nodiscard]] Result<std::vector<std::int64_t>> vouched_between(Connection& db,
                                                                std::int64_t channel,
                                                                std::int64_t first,
                                                                std::int64_t last);
// The keys behind `after` that are still waited for, in order.
[[nodiscard]] Result<std::vector<std::string>> vouched_kids(Connection& db, std::string_view after,
                                                            std::size_t limit);
// The author's server has shown the key.
[[nodiscard]] Result<void> drop_vouched(Connection& db, std::string_view kid);

}  // namespace entente::storage
