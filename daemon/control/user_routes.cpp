// This server's people, as the operator sees them and judges them; registration codes. He has
// no account: what he may not do is what nobody may (trust/ranks).
#include <algorithm>
#include <array>

#include "api/administration.hpp"
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"

namespace entente::daemon {

namespace {

using control::Json;
using trust::Judgement;

constexpr std::int64_t max_code_uses = 1'000'000;
constexpr std::int64_t max_code_days = 366;

struct NamedJudgement {
    std::string_view name;
    Judgement judgement;
};
constexpr std::array<NamedJudgement, trust::judgements> judgements{
    {{"suspend", Judgement::suspend},
     {"unsuspend", Judgement::unsuspend},
     {"ban", Judgement::ban},
     {"unban", Judgement::unban},
     {"end-sessions", Judgement::end_sessions},
     {"reset-password", Judgement::reset_password},
     {"role", Judgement::set_role},
     {"delete", Judgement::remove}}};

Json account_json(const storage::AccountRow& account, const protocol::ServerName& self)
{
    Json json{{"name", account.localpart},
              {"user", account.localpart + "@" + self.str()},
              {"role", storage::to_text(account.role)},
              {"created_at", account.created_at},
              {"sessions", account.sessions}};
    if (account.suspended_at) json["suspended_at"] = *account.suspended_at;
    if (account.banned_at) json["banned_at"] = *account.banned_at;
    if (account.deleted_at) json["deleted_at"] = *account.deleted_at;
    return json;
}

Json code_json(const storage::InviteCodeRow& code)
{
    return {{"id", code.id},           {"uses", code.uses},       {"uses_left", code.uses_left},
            {"made_by", code.made_by}, {"made_at", code.made_at}, {"expires_at", code.expires_at}};
}

// "alice", or "alice@" and this server's name.
Result<std::string> name_in(const net::Request& request, const protocol::ServerName& self)
{
    auto name = request.captures.at(0);
    const auto at = name.find('@');
    if (at != std::string::npos && name.substr(at + 1) == self.str()) name.resize(at);
    if (!protocol::is_localpart(name)) return refuse(Code::not_found, "no such user");
    return name;
}

Result<api::Wish> wish_in(const net::Request& request)
{
    const auto* const named =
        std::ranges::find(judgements, request.captures.at(1), &NamedJudgement::name);
    if (named == judgements.end()) return refuse(Code::not_found, "no such act");
    api::Wish wish;
    wish.judgement = named->judgement;
    wish.reason = request.parameter("reason").value_or("");
    if (wish.judgement == Judgement::set_role) {
        const auto role = storage::account_role_from(request.parameter("role").value_or(""));
        if (!role) return refuse(Code::malformed, "?role: user, admin or superadmin is needed");
        wish.role = *role;
    }
    return wish;
}

Result<std::int64_t> bounded(const net::Request& request, std::string_view name,
                             std::int64_t fallback, std::int64_t most)
{
    const auto text = request.parameter(name);
    return text ? control::whole_number(*text, most) : fallback;
}

}  // namespace

void Control::add_user_routes(net::Router& router)
{
    router.add({"GET", "/control/v1/users", 0,
                [this](const net::Request& request) { return users(request); }});
    router.add({"GET", "/control/v1/users/{user}", 0,
                [this](const net::Request& request) { return user(request); }});
    router.add({"POST", "/control/v1/users/{user}/{act}", 0,
                [this](const net::Request& request) { return judge(request); }});
    router.add({"GET", "/control/v1/codes", 0,
                [this](const net::Request& request) { return codes(request); }});
    router.add({"POST", "/control/v1/codes", 0,
                [this](const net::Request& request) { return make_code(request); }});
    router.add({"POST", "/control/v1/codes/{code}/revoke", 0,
                [this](const net::Request& request) { return revoke_code(request); }});
}

asio::awaitable<net::Response> Control::users(const net::Request& request)
{
    auto page = control::page_of(request);
    if (!page) co_return control::refusal(page.error(), parts_.clock.now_ms());
    auto rows = co_await parts_.administration.accounts(page->after, page->limit);
    if (!rows) co_return control::refusal(rows.error(), parts_.clock.now_ms());
    auto json = control::page_json(*page, rows->size(), parts_.clock.now_ms());
    auto& list = json["users"] = Json::array();
    for (const auto& row : *rows) list.push_back(account_json(row, parts_.identity.name));
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::user(const net::Request& request)
{
    auto name = name_in(request, parts_.identity.name);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    auto account = co_await parts_.administration.account(std::move(*name));
    if (!account) co_return control::refusal(account.error(), parts_.clock.now_ms());
    co_return control::answer(account_json(*account, parts_.identity.name));
}

asio::awaitable<net::Response> Control::judge(const net::Request& request)
{
    auto name = name_in(request, parts_.identity.name);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    auto wish = wish_in(request);
    if (!wish) co_return control::refusal(wish.error(), parts_.clock.now_ms());
    api::Administrator by;
    auto judged =
        co_await parts_.administration.judge(std::move(by), std::move(*name), std::move(*wish));
    if (!judged) co_return control::refusal(judged.error(), parts_.clock.now_ms());
    auto json = account_json(judged->account, parts_.identity.name);
    json["is_new"] = judged->is_new;
    json["ended"] = judged->ended;
    if (!judged->password.empty()) {
        json["password"] = judged->password;
        json["password_until"] = judged->password_until;
    }
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::codes(const net::Request& request)
{
    auto page = control::page_of(request);
    if (!page) co_return control::refusal(page.error(), parts_.clock.now_ms());
    auto rows = co_await parts_.administration.codes(page->after, page->limit);
    if (!rows) co_return control::refusal(rows.error(), parts_.clock.now_ms());
    auto json = control::page_json(*page, rows->size(), parts_.clock.now_ms());
    auto& list = json["codes"] = Json::array();
    for (const auto& row : *rows) list.push_back(code_json(row));
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::make_code(const net::Request& request)
{
    auto uses = bounded(request, "uses", 1, max_code_uses);
    if (!uses) co_return control::refusal(uses.error(), parts_.clock.now_ms());
    auto days = bounded(request, "days", 7, max_code_days);
    if (!days) co_return control::refusal(days.error(), parts_.clock.now_ms());
    api::Administrator by;
    auto made = co_await parts_.administration.make_code(std::move(by), {}, *uses, *days * 86'400);
    if (!made) co_return control::refusal(made.error(), parts_.clock.now_ms());
    Json json{{"code", made->code},
              {"id", made->id},
              {"uses", made->uses},
              {"expires_at", made->expires_at}};
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::revoke_code(const net::Request& request)
{
    auto id = request.captures.at(0);
    api::Administrator by;
    auto gone = co_await parts_.administration.revoke_code(std::move(by), id);
    if (!gone) co_return control::refusal(gone.error(), parts_.clock.now_ms());
    Json json{{"id", id}, {"revoked", true}};
    co_return control::answer(json);
}

}  // namespace entente::daemon
