// Joins of public channels homed here that a policy holds for a moderator; as shipped those from
// servers in quarantine. Functions over a connection, as in outgoing_store.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
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

// What isn't kept, since there is no room for it (share.hpp), nobody will see.
enum class JoinRequestKept : std::uint8_t { added, renewed, no_room };
[[nodiscard]] Result<JoinRequestKept> put_join_request(Connection& db, std::int64_t channel,
                                                       std::string_view user, protocol::Millis at);
// The oldest first.
[[nodiscard]] Result<std::vector<JoinRequest>> join_requests(Connection& db, std::int64_t channel);
[[nodiscard]] Result<bool> has_join_request(Connection& db, std::int64_t channel,
                                            std::string_view user);
// False where there was none.
[[nodiscard]] Result<bool> drop_join_request(Connection& db, std::int64_t channel,
                                             std::string_view user);

struct WaitingJoins {
    std::string channel;
    std::int64_t count = 0;
};
// Of the channels homed at `self` that the user moderates or owns, where any wait.
[[nodiscard]] Result<std::vector<WaitingJoins>> waiting_joins(Connection& db,
                                                              const protocol::ServerName& self,
                                                              std::string_view user);

}  // namespace entente::storage
