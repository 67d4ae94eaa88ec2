// /channels and /invitations: what a user does with channels, wherever they are homed.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/api.hpp"
#include "api/channel_wish.hpp"
#include "api/json_body.hpp"
#include "api/route_parts.hpp"
#include "api/text_limits.hpp"
#include "api/wire.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::size_t max_channel_body = 16 * 1024;
constexpr std::size_t max_members_a_page = 1000;

RouteResult create(Api& api, Caller caller, const net::Request& request)
{
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    auto actor = actor_of(caller, members);
    federation::NewChannel channel;
    channel.name = members.text("name", max_channel_name_octets);
    channel.kind = members.text_or("kind", channel.kind, max_word_octets);
    channel.is_public = members.flag_or("public", false);
    channel.history = members.text_or("history", channel.history, max_word_octets);
    channel.retention = members.text_or("retention", channel.retention, max_word_octets);
    channel.encryption = members.text_or("encryption", channel.encryption, max_word_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto counted = api.channel_counts().take(caller.user.str(), api.now());
    if (!counted) co_return fail(counted);

    auto created = co_await api.channels().create(std::move(actor), std::move(channel));
    if (!created) co_return fail(created);
    co_return json_response(201, R"({"channel":)" + protocol::json_string(created->str()) + "}");
}

// Finds or makes it; one that the user is only invited into is joined.
RouteResult dm(Api& api, Caller caller, const net::Request& request)
{
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    auto actor = actor_of(caller, members);
    auto peer = user_of(api, members);
    federation::NewChannel about;
    // What is written before the other has joined is for the other too.
    about.history = "all";
    about.retention = members.text_or("retention", about.retention, max_word_octets);
    about.encryption = members.text_or("encryption", about.encryption, max_word_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};

    auto found = co_await api.channels().find_direct(actor.user, peer);
    if (!found) co_return fail(found);
    auto direct = std::move(*found);
    if (!direct) {
        auto counted = api.channel_counts().take(caller.user.str(), api.now());
        if (!counted) co_return fail(counted);
        auto made = co_await api.channels().make_direct(actor, std::move(peer), std::move(about));
        if (!made) co_return fail(made);
        direct = std::move(*made);
    }
    if (!direct->joined) {
        auto joined = co_await api.channels().join(std::move(actor), direct->channel);
        if (!joined) co_return fail(joined);
    }
    co_return json_response(201,
                            R"({"channel":)" + protocol::json_string(direct->channel.str()) + "}");
}

RouteResult list_channels(Api& api, Caller caller, const net::Request&)
{
    auto channels = co_await api.channels().list(caller.user);
    if (!channels) co_return fail(channels);
    std::string items = "[";
    for (const auto& channel : *channels) append_item(items, summary_json(channel));
    co_return json_response(200, R"({"channels":)" + items + R"(],"next":null})");
}

RouteResult get(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto found = co_await api.channels().get(caller.user, std::move(*channel));
    if (!found) co_return fail(found);
    co_return json_response(200, summary_json(*found));
}

RouteResult members_page(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto limit = number_parameter(request, "limit", 100, 1, max_members_a_page);
    if (!limit) co_return fail(limit);
    // The cursor is the last user of the page before; opaque to clients.
    auto after = protocol::from_base64url(request.parameter("cursor").value_or(""));
    if (!after) co_return refuse(Code::malformed, "?cursor: not one of ours");

    auto page = co_await api.channels().members(caller.user, std::move(*channel), std::move(*after),
                                                static_cast<std::size_t>(*limit));
    if (!page) co_return fail(page);
    std::string items = "[";
    for (const auto& member : *page) append_item(items, member_json(member));
    // A page may be short without being the last: who is banned is left out of it.
    std::string next = "null";
    if (!page->empty()) next = '"' + protocol::to_base64url(page->back().user) + '"';
    co_return json_response(200, R"({"members":)" + items + R"(],"next":)" + next + "}");
}

RouteResult invite(Api& api, Caller caller, const net::Request& request)
{
    auto wish = channel_wish(api, caller, request, user_of);
    if (!wish) co_return fail(wish);
    auto posted = co_await api.channels().invite(std::move(wish->actor), std::move(wish->channel),
                                                 std::move(wish->wanted));
    co_return posted_response(api, posted);
}

RouteResult join(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto actor = actor_from_body(caller, request);
    if (!actor) co_return fail(actor);
    auto posted = co_await api.channels().join(std::move(*actor), std::move(*channel));
    co_return posted_response(api, posted);
}

RouteResult leave(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto actor = actor_from_body(caller, request);
    if (!actor) co_return fail(actor);
    auto posted = co_await api.channels().leave(std::move(*actor), std::move(*channel));
    co_return posted_response(api, posted);
}

RouteResult invitations(Api& api, Caller caller, const net::Request&)
{
    auto found = co_await api.channels().invitations(caller.user);
    if (!found) co_return fail(found);
    std::string items = "[";
    for (const auto& invitation : *found) append_item(items, invitation_json(invitation));
    co_return json_response(200, R"({"invitations":)" + items + R"(],"next":null})");
}

}  // namespace

void add_channel_routes(net::Router& router, Api& api)
{
    const auto add = [&](const char* method, const char* pattern, std::size_t body,
                         CallerRoute route) {
        router.add({method, pattern, body, caller_route(api, route)});
    };
    add("POST", "/api/v1/channels", max_channel_body, create);
    add("POST", "/api/v1/channels/dm", max_channel_body, dm);
    add("GET", "/api/v1/channels", 0, list_channels);
    add("GET", "/api/v1/channels/{channel}", 0, get);
    add("GET", "/api/v1/channels/{channel}/members", 0, members_page);
    add("POST", "/api/v1/channels/{channel}/invite", max_channel_body, invite);
    add("POST", "/api/v1/channels/{channel}/join", max_channel_body, join);
    add("POST", "/api/v1/channels/{channel}/leave", max_channel_body, leave);
    add("GET", "/api/v1/invitations", 0, invitations);
}

}  // namespace entente::api
