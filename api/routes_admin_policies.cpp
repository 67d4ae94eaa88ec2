// /admin/policies: what holds, every version of it, and changes, over PolicyDesk.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/admin_parts.hpp"
#include "api/asking.hpp"
#include "api/json_body.hpp"
#include "api/policy_desk.hpp"
#include "api/policy_wire.hpp"
#include "api/text_limits.hpp"
#include "api/wire.hpp"
#include "protocol/json_rules.hpp"

namespace entente::api {
namespace {

using protocol::json_string;
using RouteResult = asio::awaitable<Result<net::Response>>;
namespace policy = trust::policy;

// A policy of 1 MiB as a JSON string, with room for its escapes.
constexpr std::size_t max_policy_body = 2 * policy::max_policy_octets + 16 * 1024;
constexpr std::int64_t max_versions_a_page = 20;

Result<void> check_reader(const Api& api, const Caller& caller, std::string_view id)
{
    return ask_policies(api, caller,
                        {policy::Action::policy_read, policy::ResourceKind::policy, id, {}, {}});
}

std::string unasked_json(const std::vector<std::string>& actions)
{
    if (actions.empty()) return "";
    std::string items = "[";
    for (const auto& action : actions) append_item(items, json_string(action));
    return R"(,"unasked":)" + items + "]";
}

std::string open_policy_json(const ShownPolicy& shown)
{
    std::string out = R"({"policy":)" + json_string(shown.id);
    out += R"(,"version":)" + std::to_string(shown.version);
    out += R"(,"shipped":)" + std::string(shown.is_shipped ? "true" : "false");
    out += R"(,"rules":)" + std::to_string(shown.rules) + unasked_json(shown.unasked);
    if (!shown.left_out.empty()) out += R"(,"left_out":)" + protocol::json_string(shown.left_out);
    if (shown.version == 0) return out;
    out +=
        R"(,"author":)" + json_string(shown.author) + R"(,"reason":)" + json_string(shown.reason);
    return out + R"(,"at":")" + time_text(shown.at) + '"';
}

std::string policy_text_json(const std::optional<std::string>& text)
{
    return R"(,"text":)" + (text ? json_string(*text) : "null") + "}";
}

net::Response uncached(int status, std::string body)
{
    auto response = json_response(status, std::move(body));
    response.fields.emplace_back("Cache-Control", "no-store");
    return response;
}

RouteResult list_policies(Api& api, Caller caller, const net::Request&)
{
    if (auto allowed = check_reader(api, caller, {}); !allowed) co_return fail(allowed);
    auto all = co_await api.policies().list();
    if (!all) co_return fail(all);
    std::string items = "[";
    for (const auto& shown : *all) append_item(items, open_policy_json(shown) + "}");
    co_return uncached(200, R"({"policies":)" + items + "]}");
}

RouteResult answer_with(Api& api, std::string id)
{
    auto shown = co_await api.policies().show(std::move(id));
    if (!shown) co_return fail(shown);
    co_return uncached(200, open_policy_json(*shown) + policy_text_json(shown->text));
}

RouteResult show_policy(Api& api, Caller caller, const net::Request& request)
{
    const auto& id = request.captures.front();
    if (auto allowed = check_reader(api, caller, id); !allowed) co_return fail(allowed);
    co_return co_await answer_with(api, id);
}

Result<PolicyWish> policy_wish_in(const net::Request& request)
{
    auto body = parse_body(request);
    if (!body) return fail(body);
    Members members{*body, ""};
    PolicyWish wish;
    wish.id = request.captures.front();
    wish.text = members.text("text", policy::max_policy_octets);
    wish.reason = members.text_or("reason", "", storage::max_policy_reason_octets);
    if (body->contains("version"))
        wish.seen = members.integer_or("version", 0, 0, protocol::max_json_integer);
    if (members.error()) return protocol::Failure{*members.error()};
    return wish;
}

RouteResult put_policy(Api& api, Caller caller, const net::Request& request)
{
    auto wish = policy_wish_in(request);
    if (!wish) co_return fail(wish);
    auto id = wish->id;
    auto done = co_await api.policies().put(administrator_of(caller), std::move(*wish));
    if (!done) co_return fail(done);
    co_return co_await answer_with(api, std::move(id));
}

RouteResult check_policy(Api& api, Caller caller, const net::Request& request)
{
    const auto& id = request.captures.front();
    if (auto allowed = check_reader(api, caller, id); !allowed) co_return fail(allowed);
    auto wish = policy_wish_in(request);
    if (!wish) co_return fail(wish);
    auto checked = co_await api.policies().check(std::move(*wish));
    if (!checked) co_return fail(checked);
    co_return json_response(200, R"({"version":)" + std::to_string(checked->version) +
                                     unasked_json(checked->unasked) + "}");
}

std::string version_json(const storage::PolicyVersion& version)
{
    std::string out = R"({"version":)" + std::to_string(version.version);
    out += R"(,"author":)" + json_string(version.author) + R"(,"reason":)" +
           json_string(version.reason);
    return out + R"(,"at":")" + time_text(version.at) + '"' + policy_text_json(version.text);
}

RouteResult list_versions(Api& api, Caller caller, const net::Request& request)
{
    const auto& id = request.captures.front();
    if (auto allowed = check_reader(api, caller, id); !allowed) co_return fail(allowed);
    auto page = admin_page(request, max_versions_a_page);
    if (!page) co_return fail(page);
    auto before = number_behind(*page);
    if (!before) co_return fail(before);
    auto rows = co_await api.policies().versions(id, *before, page->limit);
    if (!rows) co_return fail(rows);
    std::string items = "[";
    for (const auto& row : *rows) append_item(items, version_json(row));
    const bool is_last = rows->empty() || rows->back().version == 1;
    const auto last = is_last ? std::string() : std::to_string(rows->back().version);
    co_return uncached(200, R"({"versions":)" + items + R"(],"next":)" + next_cursor(last) + "}");
}

RouteResult restore_policy(Api& api, Caller caller, const net::Request& request)
{
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    const auto version = members.integer_or("version", -1, 0, protocol::max_json_integer);
    auto reason = members.text_or("reason", "", storage::max_policy_reason_octets);
    if (version < 0) members.breach("version", "is required");
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto id = request.captures.front();
    auto done =
        co_await api.policies().restore(administrator_of(caller), id, version, std::move(reason));
    if (!done) co_return fail(done);
    co_return co_await answer_with(api, std::move(id));
}

RouteResult rehearse(Api& api, Caller caller, const net::Request& request)
{
    const auto& id = request.captures.front();
    if (auto allowed = check_reader(api, caller, id); !allowed) co_return fail(allowed);
    auto wish = policy_wish_in(request);
    if (!wish) co_return fail(wish);
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    const auto seconds = members.integer_or("since_s", max_rehearsed_s, 1, max_rehearsed_s);
    if (members.error()) co_return protocol::Failure{*members.error()};
    const auto since = api.now() - seconds * 1'000;
    auto done = co_await api.policies().rehearse(std::move(*wish), since);
    if (!done) co_return fail(done);
    co_return uncached(200, rehearsal_json(*done).dump());
}

RouteResult explain(Api& api, Caller caller, const net::Request& request)
{
    if (auto allowed = check_reader(api, caller, {}); !allowed) co_return fail(allowed);
    const auto& options = api.options();
    auto wish = explain_wish_in(request, api.trust(), options.server, options.names);
    if (!wish) co_return fail(wish);
    auto question = wish->question;
    auto all = co_await api.policies().explain(std::move(question));
    if (!all) co_return fail(all);
    co_return uncached(200, explained_json(*wish, *all).dump());
}

}  // namespace

void add_admin_policy_routes(net::Router& router, Api& api)
{
    const auto add = [&](const char* method, const std::string& path, std::size_t body,
                         CallerRoute route) {
        router.add({method, "/api/v1/admin/policies" + path, body, caller_route(api, route)});
    };
    add("GET", "", 0, list_policies);
    add("GET", "/{policy}", 0, show_policy);
    add("PUT", "/{policy}", max_policy_body, put_policy);
    add("POST", "/{policy}/check", max_policy_body, check_policy);
    add("GET", "/{policy}/versions", 0, list_versions);
    add("POST", "/{policy}/restore", 16 * 1024, restore_policy);
    add("POST", "/{policy}/rehearse", max_policy_body, rehearse);
    router.add({"GET", "/api/v1/admin/explain", 0, caller_route(api, explain)});
}

}  // namespace entente::api
