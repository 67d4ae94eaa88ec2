// /admin/users and /admin/registration-codes: what administrators see of this server's people
// and do to them, over Administration.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/admin_parts.hpp"
#include "api/administration.hpp"
#include "api/asking.hpp"
#include "api/json_body.hpp"
#include "api/route_parts.hpp"
#include "api/text_limits.hpp"
#include "api/wire.hpp"
#include "protocol/json_rules.hpp"

namespace entente::api {
namespace {

using protocol::json_string;
using RouteResult = asio::awaitable<Result<net::Response>>;
using trust::Judgement;

constexpr std::size_t max_admin_body = 16 * 1024;
constexpr std::int64_t max_users_a_page = 200;
constexpr std::int64_t max_codes_a_page = 200;
constexpr std::int64_t max_code_uses = 1'000'000;
constexpr protocol::Seconds min_code_life_s = 60;
constexpr protocol::Seconds max_code_life_s = 366 * 86'400;
constexpr protocol::Seconds usual_code_life_s = 7 * 86'400;

std::string_view state_of(const storage::AccountRow& account)
{
    if (account.deleted_at) return "deleted";
    if (account.banned_at) return "banned";
    return account.suspended_at ? "suspended" : "active";
}

// An object without its closing brace.
std::string open_account_json(const Api& api, const storage::AccountRow& account)
{
    std::string out =
        R"({"user":)" + json_string(account.localpart + "@" + api.options().server.str());
    out += R"(,"role":")" + std::string(storage::to_text(account.role));
    out += R"(","state":")" + std::string(state_of(account));
    out += R"(","created_at":")" + time_text(account.created_at) + '"';
    const auto add = [&out](const char* name, const std::optional<protocol::Millis>& at) {
        if (at) out += std::string(",\"") + name + R"(":")" + time_text(*at) + '"';
    };
    add("suspended_at", account.suspended_at);
    add("banned_at", account.banned_at);
    add("deleted_at", account.deleted_at);
    return out + R"(,"sessions":)" + std::to_string(account.sessions);
}

// The path's user; one of another server is none of ours.
Result<std::string> localpart_in(const Api& api, const net::Request& request)
{
    auto text = decode_segment(request.captures.front());
    if (!text) return fail(text);
    auto user = protocol::parse_user_id(*text, api.options().names);
    if (!user || protocol::server_of(*user) != api.options().server)
        return refuse(Code::not_found, "no such user");
    return std::string(protocol::localpart_of(*user));
}

RouteResult list_users(Api& api, Caller caller, const net::Request& request)
{
    auto allowed = ask_policies(
        api, caller, {trust::policy::Action::user_read, trust::policy::ResourceKind::account});
    if (!allowed) co_return fail(allowed);
    auto page = admin_page(request, max_users_a_page);
    if (!page) co_return fail(page);
    auto rows = co_await api.administration().accounts(page->after, page->limit);
    if (!rows) co_return fail(rows);
    std::string items = "[";
    for (const auto& row : *rows) append_item(items, open_account_json(api, row) + "}");
    const auto last = rows->size() < page->limit ? std::string() : rows->back().localpart;
    co_return json_response(200, R"({"users":)" + items + R"(],"next":)" + next_cursor(last) + "}");
}

RouteResult show_user(Api& api, Caller caller, const net::Request& request)
{
    const auto& user = request.captures.front();
    auto allowed = ask_policies(
        api, caller,
        {trust::policy::Action::user_read, trust::policy::ResourceKind::account, user});
    if (!allowed) co_return fail(allowed);
    auto localpart = localpart_in(api, request);
    if (!localpart) co_return fail(localpart);
    auto account = co_await api.administration().account(std::move(*localpart));
    if (!account) co_return fail(account);
    co_return json_response(200, open_account_json(api, *account) + "}");
}

storage::AccountRole role_in(Members& members)
{
    const auto text = members.text("role", max_word_octets);
    if (members.error()) return {};
    const auto role = storage::account_role_from(text);
    if (!role) members.breach("role", "user, admin or superadmin is needed");
    return role.value_or(storage::AccountRole::user);
}

Result<Wish> wish_in(const net::Request& request, Judgement judgement)
{
    auto body = parse_body(request);
    if (!body) return fail(body);
    Members members{*body, ""};
    Wish wish;
    wish.judgement = judgement;
    wish.reason = members.text_or("reason", "", max_act_reason_octets);
    if (judgement == Judgement::set_role) wish.role = role_in(members);
    if (members.error()) return protocol::Failure{*members.error()};
    return wish;
}

template <Judgement judgement>
RouteResult judge_user(Api& api, Caller caller, const net::Request& request)
{
    auto localpart = localpart_in(api, request);
    if (!localpart) co_return fail(localpart);
    auto wish = wish_in(request, judgement);
    if (!wish) co_return fail(wish);
    auto judged = co_await api.administration().judge(administrator_of(caller),
                                                      std::move(*localpart), std::move(*wish));
    if (!judged) co_return fail(judged);
    auto out = open_account_json(api, judged->account);
    if (!judged->password.empty()) {
        out += R"(,"password":")" + judged->password;
        out += R"(","password_until":")" + time_text(judged->password_until) + '"';
    }
    auto response = json_response(200, out + "}");
    response.fields.emplace_back("Cache-Control", "no-store");
    co_return response;
}

RouteResult make_code(Api& api, Caller caller, const net::Request& request)
{
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    const auto uses = members.integer_or("uses", 1, 1, max_code_uses);
    const auto seconds =
        members.integer_or("expires_in", usual_code_life_s, min_code_life_s, max_code_life_s);
    std::optional<protocol::Uuid> txn;
    if (body->contains("txn")) txn = members.uuid("txn");
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto made =
        co_await api.administration().make_code(administrator_of(caller), txn, uses, seconds);
    if (!made) co_return fail(made);
    std::string out = R"({"code":")" + made->code + R"(","id":")" + made->id;
    out += R"(","uses":)" + std::to_string(made->uses);
    out += R"(,"expires_at":")" + time_text(made->expires_at) + "\"}";
    auto response = json_response(201, std::move(out));
    response.fields.emplace_back("Cache-Control", "no-store");
    co_return response;
}

std::string code_json(const storage::InviteCodeRow& code)
{
    std::string out = R"({"id":")" + code.id + R"(","uses":)" + std::to_string(code.uses);
    out += R"(,"uses_left":)" + std::to_string(code.uses_left);
    out += R"(,"made_by":)" + json_string(code.made_by);
    out += R"(,"made_at":")" + time_text(code.made_at);
    return out + R"(","expires_at":")" + time_text(code.expires_at) + "\"}";
}

RouteResult list_codes(Api& api, Caller caller, const net::Request& request)
{
    auto allowed = ask_policies(api, caller, {trust::policy::Action::code_create});
    if (!allowed) co_return fail(allowed);
    auto page = admin_page(request, max_codes_a_page);
    if (!page) co_return fail(page);
    auto rows = co_await api.administration().codes(page->after, page->limit);
    if (!rows) co_return fail(rows);
    std::string items = "[";
    for (const auto& row : *rows) append_item(items, code_json(row));
    const auto last = rows->size() < page->limit ? std::string() : rows->back().id;
    co_return json_response(200, R"({"codes":)" + items + R"(],"next":)" + next_cursor(last) + "}");
}

RouteResult revoke_code(Api& api, Caller caller, const net::Request& request)
{
    auto gone = co_await api.administration().revoke_code(administrator_of(caller),
                                                          request.captures.front());
    if (!gone) co_return fail(gone);
    co_return json_response(204, "");
}

}  // namespace

void add_admin_user_routes(net::Router& router, Api& api)
{
    const auto add = [&](const char* method, const std::string& path, CallerRoute route) {
        const bool is_get = std::string_view(method) == "GET";
        router.add({method, "/api/v1/admin/" + path, is_get ? 0 : max_admin_body,
                    caller_route(api, route)});
    };
    add("GET", "users", list_users);
    add("GET", "users/{user}", show_user);
    add("POST", "users/{user}/suspend", judge_user<Judgement::suspend>);
    add("POST", "users/{user}/unsuspend", judge_user<Judgement::unsuspend>);
    add("POST", "users/{user}/ban", judge_user<Judgement::ban>);
    add("POST", "users/{user}/unban", judge_user<Judgement::unban>);
    add("POST", "users/{user}/end-sessions", judge_user<Judgement::end_sessions>);
    add("POST", "users/{user}/reset-password", judge_user<Judgement::reset_password>);
    add("POST", "users/{user}/role", judge_user<Judgement::set_role>);
    add("POST", "users/{user}/delete", judge_user<Judgement::remove>);
    add("POST", "registration-codes", make_code);
    add("GET", "registration-codes", list_codes);
    add("DELETE", "registration-codes/{code}", revoke_code);
}

}  // namespace entente::api
