// What other servers have handed to this one outside of any log: the memory of direct
// events that were taken [INBOX-4], and the invitations of our users. Also the few facts
// that a server keeps of itself. Functions over a connection, as in outgoing_store.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "protocol/octets.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// The id of the direct event that was taken under (origin, txn), nothing where none was.
[[nodiscard]] Result<std::optional<protocol::Hash>> find_direct_in(Connection& db,
                                                                   std::int64_t origin_id,
                                                                   const protocol::Uuid& txn);
[[nodiscard]] Result<void> remember_direct_in(Connection& db, std::int64_t origin_id,
                                              const protocol::Uuid& txn,
                                              const protocol::Hash& event_id, protocol::Millis at);
[[nodiscard]] Result<void> forget_direct_before(Connection& db, protocol::Millis at);

struct InvitationRow {
    std::string user;
    std::string channel;
    std::string home;
    std::string sender;  // the inviting user, or the home where only that says who it is
    std::string name;
    std::string kind;
    std::string encryption;
    std::int64_t members = 0;
    protocol::Millis at = 0;
    bool is_held = false;  // until the user has accepted it as a request
};
// A later one for the same user and channel takes the place of the earlier.
[[nodiscard]] Result<void> put_invitation(Connection& db, const InvitationRow& row);
struct InvitationCount {
    std::int64_t all = 0;
    std::int64_t of_home = 0;
};
// Of those that are held, or of the others.
[[nodiscard]] Result<InvitationCount> count_invitations(Connection& db, std::string_view user,
                                                        std::string_view home, bool are_held);
[[nodiscard]] Result<void> drop_invitation(Connection& db, std::string_view user,
                                           std::string_view channel);
// Those that aren't held; those that are. The oldest first.
[[nodiscard]] Result<std::vector<InvitationRow>> invitations_of(Connection& db,
                                                                std::string_view user);
[[nodiscard]] Result<std::vector<InvitationRow>> requests_of(Connection& db, std::string_view user);
// From then on it is an invitation as any other.
[[nodiscard]] Result<void> release_invitation(Connection& db, std::string_view user,
                                              std::string_view channel);
[[nodiscard]] Result<std::optional<InvitationRow>> find_invitation(Connection& db,
                                                                   std::string_view user,
                                                                   std::string_view channel);

// The channel that `user` made under `txn`.
[[nodiscard]] Result<std::optional<std::string>> find_creation(Connection& db,
                                                               std::string_view user,
                                                               const protocol::Uuid& txn);
[[nodiscard]] Result<void> remember_creation(Connection& db, std::string_view user,
                                             const protocol::Uuid& txn, std::string_view channel);

[[nodiscard]] Result<std::optional<std::string>> find_fact(Connection& db, std::string_view name);
[[nodiscard]] Result<void> set_fact(Connection& db, std::string_view name, std::string_view value);

}  // namespace entente::storage
