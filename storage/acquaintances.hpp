// Who has to do with whom by the channels that they are in: what a server may be told, and
// whose messages a person gets. Read-only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/names.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// Whether `own` is a member of a channel that is held here, and `other` is one too or invited
// into it. Not where `own` alone is invited: that is anybody's doing, until he accepts.
[[nodiscard]] Result<bool> are_acquainted(Connection& db, std::string_view own,
                                          std::string_view other);
// The same for any user of `server`. Costs as much as `own`'s channels have members: for readers.
[[nodiscard]] Result<bool> is_acquainted_with_server(Connection& db, std::string_view own,
                                                     std::string_view server);

// Other servers than `self` that have a member in a channel of which `user` is one; any
// `limit` of them. Costs as much as those channels have members: for readers.
[[nodiscard]] Result<std::vector<std::string>> servers_with(Connection& db, std::string_view user,
                                                            std::string_view self,
                                                            std::size_t limit);
// Users of `self` who are members of a channel with `user`, himself left out; the same.
[[nodiscard]] Result<std::vector<std::string>> own_users_with(Connection& db, std::string_view user,
                                                              std::string_view self,
                                                              std::size_t limit);

}  // namespace entente::storage
