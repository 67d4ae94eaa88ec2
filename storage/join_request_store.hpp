// Joins of public channels homed here that a moderator is asked about, since they come from servers
// in quarantine. Functions over a connection, as in outgoing_store.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// Of one channel that are kept, and of one server's users among them.
inline constexpr std::int64_t max_join_requests = 100;
inline constexpr std::int64_t max_join_requests_of_server = 20;

struct JoinRequest {
    std::string user;
    protocol::Millis at = 0;  // of the latest
    friend bool operator==(const JoinRequest&, const JoinRequest&) = default;
};

// False where there is no room for it (share.hpp), and nobody will see it.
[[nodiscard]] Result<bool> put_join_request(Connection& db, std::int64_t channel,
                                            std::string_view user, protocol::Millis at);
// The oldest first.
[[nodiscard]] Result<std::vector<JoinRequest>> join_requests(Connection& db, std::int64_t channel);
// False where there was none.
[[nodiscard]] Result<bool> drop_join_request(Connection& db, std::int64_t channel,
                                             std::string_view user);

}  // namespace entente::storage
