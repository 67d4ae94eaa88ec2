// How far our users have read each channel: the highest that any of their devices said. A row
// per user and channel of which he is a member.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// True where it is higher than what was there.
[[nodiscard]] Result<bool> raise_read_marker(Connection& db, std::string_view user,
                                             std::string_view channel, std::int64_t seq);
// 0: nothing was read.
[[nodiscard]] Result<std::int64_t> read_marker(Connection& db, std::string_view user,
                                               std::string_view channel);

}  // namespace entente::storage
