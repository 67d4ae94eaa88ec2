// Changes of own users and their devices that other servers have still to be told: a row per
// user and type, however often he changed since. Functions over a connection, for jobs of
// GroupCommit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

struct AnnouncementRow {
    std::int64_t id = 0;
    std::string user;
    std::string type;  // of the direct event
};
// Takes the place of one that waits, under an id of its own.
[[nodiscard]] Result<void> put_announcement(Connection& db, std::string_view user,
                                            std::string_view type);
[[nodiscard]] Result<std::vector<AnnouncementRow>> next_announcements(Connection& db,
                                                                      std::size_t limit);
// Nothing to do where another has taken its place.
[[nodiscard]] Result<void> drop_announcement(Connection& db, std::int64_t id);

}  // namespace entente::storage
