// What policies may ask about an own user, as the user's account says it. Knows nothing of where a
// request came from.
#pragma once

#include <string_view>

#include "federation/channels.hpp"
#include "storage/account_admin_store.hpp"
#include "storage/driver.hpp"

namespace entente::federation {

[[nodiscard]] trust::policy::ServerRole policy_role(storage::AccountRole role);

// Without an account, or with a deleted one, `user` has no role.
[[nodiscard]] Result<Person> find_person(storage::Connection& db, const UserId& user, Millis now);

}  // namespace entente::federation
