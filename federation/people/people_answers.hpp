// Signed queries of section 7 about people: what a user shows, and the claim of one-time
// keys. The answers are signed by the gate's guard.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "federation/gate/gate.hpp"
#include "federation/identity.hpp"
#include "federation/people/key_claims.hpp"
#include "net/http_message.hpp"
#include "storage/driver.hpp"
#include "storage/group_commit.hpp"
#include "trust/budgets.hpp"
#include "trust/policy/enforcer.hpp"

namespace entente::federation {

// What a user of this server shows; `not_found` where there is none, or he is suspended or banned.
[[nodiscard]] Result<protocol::ShownUser> read_user(storage::Connection& db,
                                                    const protocol::UserId& user);

class PeopleAnswers {
 public:
    PeopleAnswers(const Identity& identity, storage::GroupCommit& commits, KeyClaims& claims,
                  trust::Budgets& budgets, const protocol::Clock& clock,
                  trust::policy::Enforcer* policies = nullptr);

    // GET /federation/v1/users/{localpart}
    asio::awaitable<net::Response> user(const net::Request& request, const Admitted& admitted);
    // POST /federation/v1/keys/claim
    asio::awaitable<net::Response> claim(const net::Request& request, const Admitted& admitted);

 private:
    asio::awaitable<Result<std::string>> answer_claim(const net::Request& request,
                                                      const Admitted& admitted);

    const Identity& identity_;
    storage::GroupCommit& commits_;
    KeyClaims& claims_;
    trust::Budgets& budgets_;
    const protocol::Clock& clock_;
    trust::policy::Enforcer* policies_;  // nothing: nobody is asked
};

}  // namespace entente::federation
