// What administrators do to this server's people: one way for the client API and for the control
// socket. Each act is decided (trust/ranks), done and written into the audit log in one
// transaction, in which both standings are read anew; then its sessions are told. Knows no
// routes. For the I/O executor.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/passwords.hpp"
#include "api/sessions.hpp"
#include "federation/people.hpp"
#include "federation/persons.hpp"
#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "storage/account_admin_store.hpp"
#include "storage/audit_store.hpp"
#include "storage/group_commit.hpp"
#include "trust/policy/enforcer.hpp"
#include "trust/ranks.hpp"

namespace entente::api {

inline constexpr protocol::Millis one_time_password_life_ms = 3 * protocol::day_ms;
inline constexpr std::size_t max_act_reason_octets = 1024;

// Who acts: a user of ours, or who runs the machine.
struct Administrator {
    std::optional<std::int64_t> account;  // nothing: the control socket
    std::string name = storage::audit_operator;
    std::string network = {};  // as Caller's
};
[[nodiscard]] Administrator administrator_of(const Caller& caller);

// What is asked of an account.
struct Wish {
    trust::Judgement judgement = trust::Judgement::suspend;
    storage::AccountRole role = storage::AccountRole::user;  // of set_role
    std::string reason;                                      // for the audit log; may be empty
};

// What came of it. `is_new`: it wasn't so before; what was so already is told again and not done.
struct Judged {
    storage::AccountRow account;
    bool is_new = true;
    std::int64_t ended = 0;  // sessions
    std::string password;    // of reset_password, told this once
    protocol::Millis password_until = 0;
};

struct MadeCode {
    std::string code;  // told to nobody else
    std::string id;
    std::int64_t uses = 0;
    protocol::Millis expires_at = 0;
};

struct AdministrationParts {
    storage::GroupCommit& commit;
    Sessions& sessions;
    PasswordPool& passwords;
    federation::People& people;
    trust::policy::Enforcer& policies;
    const protocol::Clock& clock;
    protocol::Random& random;
    protocol::ServerName server;
};

class Administration {
 public:
    explicit Administration(AdministrationParts parts) : parts_(std::move(parts)) {}

    // `not_found`; `forbidden` as trust::check_judgement says, as policies do, and where none of
    // those who would be left could change policies; as check_reason.
    asio::awaitable<Result<Judged>> judge(Administrator by, std::string localpart, Wish wish);
    // A repeat with the same txn is told the first one's, for 30 days, also where that is used up
    // by then; `conflict` where it asked for another.
    asio::awaitable<Result<MadeCode>> make_code(Administrator by, std::optional<protocol::Uuid> txn,
                                                std::int64_t uses, protocol::Seconds life);
    asio::awaitable<Result<void>> revoke_code(Administrator by, std::string id);

    // Lists, for whoever has been let in.
    asio::awaitable<Result<storage::AccountRow>> account(std::string localpart);
    asio::awaitable<Result<std::vector<storage::AccountRow>>> accounts(std::string after,
                                                                       std::size_t limit);
    asio::awaitable<Result<std::vector<storage::InviteCodeRow>>> codes(std::string after,
                                                                       std::size_t limit);

 private:
    struct Judging;

    AdministrationParts parts_;
};

// Of an act, for the audit log: `too_large`, or `malformed` where it is no UTF-8. Before anything
// is written, since an act whose entry can't be made must not be done.
[[nodiscard]] Result<void> check_reason(std::string_view reason);
// In the transaction of an act: the actor as he stands there. `forbidden` where the account is
// gone, or may not act.
struct ActingParty {
    trust::Party party;
    federation::Person person;  // as policies see him; of an account
};
[[nodiscard]] Result<ActingParty> party_in(storage::Connection& db, const Administrator& by,
                                           protocol::Millis now);

// What is asked of policies. Who runs the machine isn't asked about.
struct Act {
    trust::policy::Action action;
    trust::policy::ResourceKind kind = trust::policy::ResourceKind::server;
    std::string_view object = {};
};
struct ActCheck {
    trust::policy::Enforcer& policies;
    const protocol::ServerName& server;
    const Administrator& by;
    const ActingParty& actor;

    // `describe(request)` says more of what is acted on.
    [[nodiscard]] Result<void> permit(
        const Act& act, const std::function<void(trust::policy::Request&)>& describe = {}) const;
};
// The two together.
[[nodiscard]] Result<void> check_act(storage::Connection& db, trust::policy::Enforcer& policies,
                                     const protocol::ServerName& server, const Administrator& by,
                                     const Act& act, protocol::Millis now);

}  // namespace entente::api
