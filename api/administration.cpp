#include "api/administration.hpp"

#include <functional>
#include <utility>

#include <nlohmann/json.hpp>

#include "federation/event_policy.hpp"
#include "federation/people/announcer.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"
#include "storage/announcement_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/policy_store.hpp"

namespace entente::api {

namespace {

using nlohmann::json;
using protocol::Uuid;
using storage::AccountRow;
using storage::Connection;
using storage::WriteTransaction;
using trust::Judgement;
namespace policy = trust::policy;
using A = policy::Attribute;

constexpr std::size_t one_time_password_octets = 15;  // 120 bits: no guessing

trust::Rank rank_of(storage::AccountRole role)
{
    switch (role) {
        case storage::AccountRole::user: return trust::Rank::user;
        case storage::AccountRole::admin: return trust::Rank::admin;
        case storage::AccountRole::superadmin: break;
    }
    return trust::Rank::superadmin;
}

policy::Action action_of(Judgement judgement)
{
    switch (judgement) {
        case Judgement::ban:
        case Judgement::unban: return policy::Action::account_ban;
        case Judgement::set_role: return policy::Action::account_role;
        case Judgement::remove: return policy::Action::account_delete;
        case Judgement::suspend:
        case Judgement::unsuspend:
        case Judgement::end_sessions:
        case Judgement::reset_password: break;
    }
    return policy::Action::account_suspend;
}

// Whether there would be a superadmin less.
bool takes_superadmin(const AccountRow& target, const Wish& wish)
{
    if (target.role != storage::AccountRole::superadmin || !target.is_active()) return false;
    return wish.judgement == Judgement::suspend || wish.judgement == Judgement::ban ||
           wish.judgement == Judgement::remove ||
           (wish.judgement == Judgement::set_role && wish.role != storage::AccountRole::superadmin);
}

// Whether it is so already, and nothing is to be done.
bool is_so(const AccountRow& account, const Wish& wish)
{
    switch (wish.judgement) {
        case Judgement::suspend: return account.suspended_at.has_value();
        case Judgement::unsuspend: return !account.suspended_at;
        case Judgement::ban: return account.banned_at.has_value();
        case Judgement::unban: return !account.banned_at;
        case Judgement::set_role: return account.role == wish.role;
        case Judgement::end_sessions:
        case Judgement::reset_password:
        case Judgement::remove: break;
    }
    return false;
}

// Of what other servers may remember: whether there is such a user.
bool changes_what_others_see(Judgement judgement)
{
    switch (judgement) {
        case Judgement::suspend:
        case Judgement::unsuspend:
        case Judgement::ban:
        case Judgement::unban:
        case Judgement::remove: return true;
        case Judgement::end_sessions:
        case Judgement::reset_password:
        case Judgement::set_role: break;
    }
    return false;
}

}  // namespace

Result<void> check_reason(std::string_view reason)
{
    if (reason.size() > max_act_reason_octets)
        return refuse(Code::too_large, "/reason: at most 1024 octets");
    if (!protocol::check_json(protocol::json_string(reason)))
        return refuse(Code::malformed, "/reason: text in UTF-8 is needed");
    return {};
}

Administrator administrator_of(const Caller& caller)
{
    return {caller.account, caller.user.str(), caller.network};
}

Result<ActingParty> party_in(Connection& db, const Administrator& by, protocol::Millis now)
{
    if (!by.account) return ActingParty{{trust::Rank::machine, true}, {}};
    auto account = storage::account_by_id(db, *by.account, now);
    const bool is_gone = !account && account.error().code == Code::not_found;
    if (!account && !is_gone) return fail(account);
    if (is_gone || !account->is_active())
        return refuse(Code::forbidden, "this account may do nothing any more");
    return ActingParty{{rank_of(account->role), true},
                       {federation::policy_role(account->role), account->created_at, by.network}};
}

Result<void> ActCheck::permit(const Act& act,
                              const std::function<void(policy::Request&)>& describe) const
{
    if (!by.account) return {};
    policy::Request request{act.action};
    federation::describe(request, by.name, actor.person, policies.now());
    request.text(A::subject_server, server.str())
        .word(A::resource_kind, act.kind)
        .text(A::resource_server, server.str());
    if (!act.object.empty()) request.text(A::resource_id, act.object);
    if (describe) describe(request);
    auto ruling = policies.decide(request);
    if (!ruling) return fail(ruling);
    return {};
}

Result<void> check_act(Connection& db, policy::Enforcer& policies,
                       const protocol::ServerName& server, const Administrator& by, const Act& act,
                       protocol::Millis now)
{
    auto actor = party_in(db, by, now);
    if (!actor) return fail(actor);
    return ActCheck{policies, server, by, *actor}.permit(act);
}

// One act, as the writer runs it: everything is looked at before anything is written.
struct Administration::Judging {
    Administrator by;
    std::string localpart;
    Wish wish;
    std::string password_hash;  // of reset_password
    policy::Enforcer& policies;
    protocol::ServerName server;
    protocol::Millis now = 0;
    // After the commit, whoever waits for it or doesn't any more: of the account, sessions whose
    // sockets are to be closed.
    std::function<void(const AccountRow& account, const std::vector<Uuid>& shut)> done = {};

    Result<Judged> operator()(WriteTransaction& transaction) const
    {
        auto& db = transaction.db();
        auto target = storage::find_account(db, localpart, now);
        if (!target) return fail(target);
        if (auto allowed = check(db, *target); !allowed) return fail(allowed);
        Judged judged;
        judged.account = std::move(*target);
        judged.is_new = !is_so(judged.account, wish);
        if (!judged.is_new) return judged;
        const auto before = judged.account;
        auto shut = carry_out(db, before.id);
        if (!shut) return fail(shut);
        if (wish.judgement != Judgement::suspend)
            judged.ended = static_cast<std::int64_t>(shut->size());
        if (changes_what_others_see(wish.judgement)) {
            auto told = storage::put_announcement(db, localpart + "@" + server.str(),
                                                  federation::device_changed);
            if (!told) return fail(told);
        }
        auto noted = storage::append_audit(db, server, now, record(before, judged));
        if (!noted) return fail(noted);
        auto after = storage::find_account(db, localpart, now);
        if (!after) return fail(after);
        judged.account = std::move(*after);
        transaction.after_commit([done = done, account = judged.account, shut = std::move(*shut)] {
            done(account, shut);
        });
        return judged;
    }

    [[nodiscard]] Result<void> check(Connection& db, const AccountRow& target) const
    {
        auto actor = party_in(db, by, now);
        if (!actor) return fail(actor);
        auto superadmins = storage::count_active_superadmins(db);
        if (!superadmins) return fail(superadmins);
        const trust::RankQuestion question{
            wish.judgement,          actor->party,       {rank_of(target.role), target.is_active()},
            by.account == target.id, rank_of(wish.role), *superadmins};
        if (auto allowed = trust::check_judgement(question); !allowed) return allowed;
        auto permitted = permit(*actor, target, *superadmins);
        if (!permitted) return permitted;
        if (takes_superadmin(target, wish)) {
            auto left = storage::check_policies_without(db, server, target.localpart);
            if (!left) return left;
        }
        if (target.deleted_at) return refuse(Code::not_found, "this account was deleted");
        return {};
    }

    [[nodiscard]] Result<void> permit(const ActingParty& actor, const AccountRow& target,
                                      std::int64_t superadmins) const
    {
        const auto user = localpart + "@" + server.str();
        const auto describe = [&](policy::Request& request) {
            request.word(A::resource_role, federation::policy_role(target.role))
                .flag(A::resource_own, by.account == target.id)
                .number(A::context_superadmins, counted(target, superadmins));
            if (wish.judgement == Judgement::set_role)
                request.word(A::resource_new_role, federation::policy_role(wish.role));
        };
        return ActCheck{policies, server, by, actor}.permit(
            {action_of(wish.judgement), policy::ResourceKind::account, user}, describe);
    }

    // What takes nobody away leaves one more than the engine needs to see; likewise who is
    // suspended already.
    [[nodiscard]] std::int64_t counted(const AccountRow& target, std::int64_t superadmins) const
    {
        return takes_superadmin(target, wish) ? superadmins : superadmins + 1;
    }

    // The sessions that it ends, or that can't be used meanwhile.
    [[nodiscard]] Result<std::vector<Uuid>> carry_out(Connection& db, std::int64_t user) const
    {
        Result<void> written;
        switch (wish.judgement) {
            case Judgement::suspend: {
                auto live = storage::live_sessions_of(db, user, now);
                written = storage::set_suspended(db, user, now);
                if (!written) return fail(written);
                return live;
            }
            case Judgement::ban: written = storage::set_banned(db, user, now); break;
            case Judgement::reset_password:
                written = storage::set_one_time_password(db, user, password_hash,
                                                         now + one_time_password_life_ms);
                break;
            case Judgement::remove: return storage::close_account(db, user, now);
            case Judgement::end_sessions: break;
            case Judgement::unsuspend:
                written = storage::set_suspended(db, user, std::nullopt);
                return written ? Result<std::vector<Uuid>>{} : fail(written);
            case Judgement::unban:
                written = storage::set_banned(db, user, std::nullopt);
                return written ? Result<std::vector<Uuid>>{} : fail(written);
            case Judgement::set_role:
                written = storage::set_role(db, user, wish.role);
                return written ? Result<std::vector<Uuid>>{} : fail(written);
        }
        if (!written) return fail(written);
        return storage::end_sessions_of(db, user, now);
    }

    [[nodiscard]] storage::AuditRecord record(const AccountRow& before, const Judged& judged) const
    {
        json details = json::object();
        if (!wish.reason.empty()) details["reason"] = wish.reason;
        if (wish.judgement == Judgement::set_role) {
            details["before"] = storage::to_text(before.role);
            details["role"] = storage::to_text(wish.role);
        }
        if (judged.ended > 0) details["sessions"] = judged.ended;
        return {by.name, std::string(trust::to_text(wish.judgement)),
                localpart + "@" + server.str(), details.dump()};
    }
};

asio::awaitable<Result<Judged>> Administration::judge(Administrator by, std::string localpart,
                                                      Wish wish)
{
    if (auto fits = check_reason(wish.reason); !fits) co_return fail(fits);
    std::string password, hash;
    if (wish.judgement == Judgement::reset_password) {
        password = protocol::to_base64url(parts_.random.octets(one_time_password_octets));
        auto hashed = co_await parts_.passwords.hash(password);
        if (!hashed) co_return fail(hashed);
        hash = std::move(*hashed);
    }
    const auto now = parts_.clock.now_ms();
    Judging job{std::move(by),
                std::move(localpart),
                std::move(wish),
                std::move(hash),
                parts_.policies,
                parts_.server,
                now};
    job.done = [this, judgement = job.wish.judgement](const AccountRow& account,
                                                      const std::vector<Uuid>& shut) {
        // Also what is remembered of sessions that go on: the role has changed.
        parts_.sessions.forget_account(account.id);
        parts_.sessions.tell_ended(shut);
        if (changes_what_others_see(judgement))
            parts_.people.changed(
                protocol::UserId::trusted(account.localpart + "@" + parts_.server.str()));
    };
    auto judged = co_await parts_.commit.write(std::move(job));
    if (!judged || !judged->is_new || password.empty()) co_return judged;
    judged->password = std::move(password);
    judged->password_until = now + one_time_password_life_ms;
    co_return judged;
}

namespace {

// From which the texts of codes follow, together with who asks and his txn: so a repeat is told the
// first one, of which only a hash is kept.
constexpr std::string_view code_key_fact = "code_key";
constexpr std::size_t code_octets = 16;

struct MakeCode {
    Administrator by;
    protocol::Uuid txn;
    std::int64_t uses = 1;
    protocol::Millis life = 0, now = 0;
    std::string new_key;  // where there is none yet
    policy::Enforcer& policies;
    protocol::ServerName server;

    Result<MadeCode> operator()(WriteTransaction& transaction) const
    {
        auto& db = transaction.db();
        const Act act{policy::Action::code_create};
        auto allowed = check_act(db, policies, server, by, act, now);
        if (!allowed) return fail(allowed);
        auto key = key_in(db);
        if (!key) return fail(key);
        const auto asked = protocol::sha256({"entente-code-txn-v1\n", by.name, "\n", txn.bytes()});
        const auto text =
            protocol::sha256({"entente-code-v1\n", *key, "\n", protocol::as_view(asked)});
        MadeCode made;
        made.code = protocol::to_base64url(protocol::as_view(text).substr(0, code_octets));
        const auto hash = protocol::sha256(made.code);
        made.id = storage::invite_code_id(hash);
        made.uses = uses;
        auto first = storage::find_code_creation(db, asked);
        if (!first) return fail(first);
        if (*first && ((*first)->uses != uses || (*first)->life != life))
            return refuse(Code::conflict, "/txn: came before with another code");
        made.expires_at = (*first ? (*first)->at : now) + life;
        if (*first) return made;
        auto stored = storage::make_invite_code(db, {hash, uses, now, made.expires_at, by.name});
        if (!stored) return fail(stored);
        auto remembered = storage::remember_code_creation(db, {asked, uses, life, now});
        if (!remembered) return fail(remembered);
        const json details{{"uses", uses}, {"expires_at", made.expires_at}};
        auto noted = storage::append_audit(db, server, now,
                                           {by.name, "code.create", made.id, details.dump()});
        if (!noted) return fail(noted);
        return made;
    }

 private:
    Result<std::string> key_in(Connection& db) const
    {
        auto known = storage::find_fact(db, code_key_fact);
        if (!known) return fail(known);
        if (*known) return std::move(**known);
        if (auto set = storage::set_fact(db, code_key_fact, new_key); !set) return fail(set);
        return new_key;
    }
};

struct RevokeCode {
    Administrator by;
    std::string id;
    policy::Enforcer& policies;
    protocol::ServerName server;
    protocol::Millis now = 0;

    Result<void> operator()(WriteTransaction& transaction) const
    {
        auto& db = transaction.db();
        const Act act{policy::Action::code_create, policy::ResourceKind::server, id};
        if (auto allowed = check_act(db, policies, server, by, act, now); !allowed) return allowed;
        if (auto gone = storage::revoke_invite_code(db, id, now); !gone) return gone;
        auto noted = storage::append_audit(db, server, now, {by.name, "code.revoke", id});
        if (!noted) return fail(noted);
        return {};
    }
};

}  // namespace

asio::awaitable<Result<MadeCode>> Administration::make_code(Administrator by,
                                                            std::optional<protocol::Uuid> txn,
                                                            std::int64_t uses,
                                                            protocol::Seconds life)
{
    const auto now = parts_.clock.now_ms();
    MakeCode job{std::move(by),
                 txn ? *txn : protocol::make_uuid7(now, parts_.random),
                 uses,
                 life * 1000,
                 now,
                 protocol::to_base64url(parts_.random.octets(32)),
                 parts_.policies,
                 parts_.server};
    auto made = co_await parts_.commit.write(std::move(job));
    co_return made;
}

asio::awaitable<Result<void>> Administration::revoke_code(Administrator by, std::string id)
{
    RevokeCode job{std::move(by), std::move(id), parts_.policies, parts_.server,
                   parts_.clock.now_ms()};
    auto gone = co_await parts_.commit.write(std::move(job));
    co_return gone;
}

asio::awaitable<Result<AccountRow>> Administration::account(std::string localpart)
{
    auto job = [localpart = std::move(localpart), now = parts_.clock.now_ms()](Connection& db) {
        return storage::find_account(db, localpart, now);
    };
    auto found = co_await parts_.commit.read(std::move(job));
    co_return found;
}

asio::awaitable<Result<std::vector<AccountRow>>> Administration::accounts(std::string after,
                                                                          std::size_t limit)
{
    auto job = [after = std::move(after), limit, now = parts_.clock.now_ms()](Connection& db) {
        return storage::accounts_after(db, after, limit, now);
    };
    auto found = co_await parts_.commit.read(std::move(job));
    co_return found;
}

asio::awaitable<Result<std::vector<storage::InviteCodeRow>>> Administration::codes(
    std::string after, std::size_t limit)
{
    auto job = [after = std::move(after), limit, now = parts_.clock.now_ms()](Connection& db) {
        return storage::invite_codes_after(db, after, limit, now);
    };
    auto found = co_await parts_.commit.read(std::move(job));
    co_return found;
}

}  // namespace entente::api
