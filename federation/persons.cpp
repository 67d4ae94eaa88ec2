#include "federation/persons.hpp"

namespace entente::federation {

using trust::policy::ServerRole;

ServerRole policy_role(storage::AccountRole role)
{
    switch (role) {
        case storage::AccountRole::user: return ServerRole::user;
        case storage::AccountRole::admin: return ServerRole::admin;
        case storage::AccountRole::superadmin: break;
    }
    return ServerRole::superadmin;
}

Result<Person> find_person(storage::Connection& db, const UserId& user, Millis now)
{
    auto account = storage::find_account(db, protocol::localpart_of(user), now);
    const bool is_unknown = !account && account.error().code == Code::not_found;
    if (is_unknown || (account && account->deleted_at)) return Person{ServerRole::none, 0, {}};
    if (!account) return fail(account);
    return Person{policy_role(account->role), account->created_at, {}};
}

}  // namespace entente::federation
