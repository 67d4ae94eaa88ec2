// /channels/{channel}/messages, what is done to one of them, and /messages/{id}/delivery.
#include <limits>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/api.hpp"
#include "api/channel_wish.hpp"
#include "api/json_body.hpp"
#include "api/route_parts.hpp"
#include "api/wire.hpp"
#include "federation/channels/channel_changes.hpp"
#include "protocol/octets.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::size_t max_message_body = 128 * 1024;
constexpr std::size_t max_change_body = 16 * 1024;
constexpr std::size_t max_reaction_octets = 256;
constexpr std::int64_t max_entries_a_page = 1000;

std::string read_content(const Api&, Members& members)
{
    return members.object_text("content");
}

RouteResult post(Api& api, Caller caller, const net::Request& request)
{
    auto wish = channel_wish(api, caller, request, read_content);
    if (!wish) co_return fail(wish);
    auto posted = co_await api.channels().post(std::move(wish->actor), std::move(wish->channel),
                                               std::move(wish->wanted));
    if (!posted) co_return tl::unexpected(within_content(posted.error(), "/content"));
    co_return posted_response(api, posted);
}

// The three below are changes to the message that the path names.
using ReadMessageChange = federation::ChannelChange (*)(Members& members,
                                                        const protocol::Hash& target);

federation::ChannelChange read_edit(Members& members, const protocol::Hash& target)
{
    return federation::changes::edit(target, members.object_text("content"));
}

federation::ChannelChange read_deletion(Members& members, const protocol::Hash& target)
{
    return federation::changes::erase(target, members.text_or("reason", "", max_reason_octets));
}

federation::ChannelChange read_reaction(Members& members, const protocol::Hash& target)
{
    return federation::changes::react(target, members.text("key", max_reaction_octets));
}

template <ReadMessageChange read>
RouteResult change_message(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto target = target_of(request);
    if (!target) co_return fail(target);
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    auto actor = actor_of(caller, members);
    auto wanted = read(members, *target);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto posted =
        co_await api.channels().change(std::move(actor), std::move(*channel), std::move(wanted));
    if (!posted && read == read_edit)
        co_return tl::unexpected(within_content(posted.error(), "/content"));
    co_return posted_response(api, posted);
}

// `after` pages upwards, `before` downwards, neither gives the newest.
RouteResult page(Api& api, Caller caller, const net::Request& request)
{
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto limit = number_parameter(request, "limit", 50, 1, max_entries_a_page);
    if (!limit) co_return fail(limit);
    auto after = number_parameter(request, "after", -1, 0, most);
    if (!after) co_return fail(after);
    auto before = number_parameter(request, "before", most, 1, most);
    if (!before) co_return fail(before);
    if (*after >= 0 && *before != most)
        co_return refuse(Code::malformed, "?before: not together with after");

    federation::PageSize size;
    size.entries = static_cast<std::size_t>(*limit);
    Result<federation::ClientEntries> entries;
    if (*after >= 0)
        entries = co_await api.channels().page_after(caller.user, *channel, *after, size);
    else
        entries = co_await api.channels().page_before(caller.user, *channel, *before, size);
    if (!entries) co_return fail(entries);
    std::string items = "[";
    for (const auto& entry : *entries) append_item(items, entry_json(*channel, entry));
    co_return json_response(200, R"({"entries":)" + items + "]}");
}

RouteResult delivery(Api& api, Caller caller, const net::Request& request)
{
    auto id = protocol::hash_from_base64url(request.captures.front());
    if (!id) co_return refuse(Code::not_found, "no such message");
    auto found = co_await api.channels().delivery(caller.user, *id);
    if (!found) co_return fail(found);
    co_return json_response(200, delivery_json(*found, api.now()));
}

}  // namespace

void add_message_routes(net::Router& router, Api& api)
{
    router.add(
        {"POST", "/api/v1/channels/{channel}/messages", max_message_body, caller_route(api, post)});
    const std::string message = "/api/v1/channels/{channel}/messages/{event}";
    router.add({"POST", message + "/edit", max_message_body,
                caller_route(api, change_message<read_edit>)});
    router.add({"POST", message + "/delete", max_change_body,
                caller_route(api, change_message<read_deletion>)});
    router.add({"POST", message + "/react", max_change_body,
                caller_route(api, change_message<read_reaction>)});
    router.add({"GET", "/api/v1/channels/{channel}/messages", 0, caller_route(api, page)});
    router.add({"GET", "/api/v1/messages/{event}/delivery", 0, caller_route(api, delivery)});
}

}  // namespace entente::api
