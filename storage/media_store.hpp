// What files there are in the media folder, and what they count towards whose quota.
// Functions over a connection, for jobs of GroupCommit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

struct MediaRow {
    std::string id;
    std::string user;
    std::int64_t octets = 0;
    protocol::Millis at = 0;
};
// Before the file is written. False where the file is there already, whoever brought it;
// `rate_limited` where the user's files since `day` would be over `most` octets.
[[nodiscard]] Result<bool> reserve_media(Connection& db, const MediaRow& row, protocol::Millis day,
                                         std::int64_t most);
// The file is durable.
[[nodiscard]] Result<void> note_media(Connection& db, std::string_view id);
// How large the file is; nothing where there is none.
[[nodiscard]] Result<std::optional<std::int64_t>> find_media(Connection& db, std::string_view id);

}  // namespace entente::storage
