// /aliases and /directory: names for channels, and public channels to be found, of this
// server and of others.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/api.hpp"
#include "api/asking.hpp"
#include "api/json_body.hpp"
#include "api/route_parts.hpp"
#include "api/text_limits.hpp"
#include "api/wire.hpp"
#include "federation/people/directory.hpp"
#include "protocol/json_rules.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::size_t max_alias_body = 16 * 1024;

// The path's {capture}, with its '#' or without.
Result<protocol::Alias> alias_of(const Api& api, const net::Request& request)
{
    auto text = decode_segment(request.captures.empty() ? "" : request.captures.front());
    if (!text) return fail(text);
    if (!text->starts_with('#')) text->insert(0, 1, '#');
    auto alias = protocol::parse_alias(*text, api.options().names);
    if (!alias) return refuse(Code::not_found, "no such alias");
    return alias;
}

RouteResult put(Api& api, Caller caller, const net::Request& request)
{
    auto alias = alias_of(api, request);
    if (!alias) co_return fail(alias);
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    const auto name = members.text("channel", max_channel_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto channel = protocol::parse_channel_id(name, api.options().names);
    if (!channel) co_return refuse(Code::not_found, "no such channel");
    std::string text = R"({"alias":)" + protocol::json_string(alias->str());
    text += R"(,"channel":)" + protocol::json_string(channel->str()) + "}";
    auto person = person_of(caller);
    auto done = co_await api.directory().set_alias(std::move(caller.user), std::move(*alias),
                                                   std::move(*channel), std::move(person));
    if (!done) co_return fail(done);
    co_return json_response(200, std::move(text));
}

RouteResult drop(Api& api, Caller caller, const net::Request& request)
{
    auto alias = alias_of(api, request);
    if (!alias) co_return fail(alias);
    auto person = person_of(caller);
    auto done = co_await api.directory().drop_alias(std::move(caller.user), std::move(*alias),
                                                    std::move(person));
    if (!done) co_return fail(done);
    co_return json_response(204, "");
}

RouteResult look_up_alias(Api& api, Caller caller, const net::Request& request)
{
    auto alias = alias_of(api, request);
    if (!alias) co_return fail(alias);
    auto allowed = ask_policies(api, caller,
                                {trust::policy::Action::directory_look_up,
                                 trust::policy::ResourceKind::channel,
                                 alias->str(),
                                 protocol::server_of(*alias).str(),
                                 {}});
    if (!allowed) co_return fail(allowed);
    auto found = co_await api.directory().look_up(std::move(caller.user), std::move(*alias));
    if (!found) co_return fail(found);
    co_return json_response(200, protocol::write_alias_answer(*found));
}

RouteResult directory(Api& api, Caller caller, const net::Request& request)
{
    auto server = api.options().server;
    if (const auto name = request.parameter("server")) {
        auto other = protocol::parse_server_name(*name, api.options().names);
        if (!other) co_return refuse(Code::malformed, "?server: not a server's name");
        server = std::move(*other);
    }
    auto allowed = ask_policies(api, caller,
                                {trust::policy::Action::directory_search,
                                 trust::policy::ResourceKind::server,
                                 server.str(),
                                 server.str(),
                                 {}});
    if (!allowed) co_return fail(allowed);
    auto cursor = request.parameter("cursor").value_or("");
    auto page = co_await api.directory().page(std::move(server), std::move(cursor));
    if (!page) co_return fail(page);
    co_return json_response(200, protocol::write_directory_answer(*page));
}

}  // namespace

void add_directory_routes(net::Router& router, Api& api)
{
    constexpr const char* alias = "/api/v1/aliases/{alias}";
    router.add({"PUT", alias, max_alias_body, caller_route(api, put)});
    router.add({"DELETE", alias, 0, caller_route(api, drop)});
    router.add({"GET", alias, 0, caller_route(api, look_up_alias)});
    router.add({"GET", "/api/v1/directory", 0, caller_route(api, directory)});
}

}  // namespace entente::api
