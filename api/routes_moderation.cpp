// What those who run a channel do with it: kick, ban, unban, roles, what it says of itself,
// who may succeed its home. Reads forms only; who may do what is the channel's home's word.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/api.hpp"
#include "api/channel_wish.hpp"
#include "api/json_body.hpp"
#include "api/route_parts.hpp"
#include "api/text_limits.hpp"
#include "federation/channels/channel_changes.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;

namespace changes = federation::changes;

constexpr std::size_t max_moderation_body = 16 * 1024;
constexpr std::size_t max_topic_octets = 4096;
constexpr std::size_t max_media_id_octets = 256;
constexpr std::size_t max_successors = 32;

// A route's change, from its body.
using ReadChannelChange = federation::ChannelChange (*)(const Api& api, Members& members);

template <federation::ChannelChange (*make)(const protocol::UserId&, const std::string&)>
federation::ChannelChange read_judgement(const Api& api, Members& members)
{
    const auto user = user_of(api, members);
    return make(user, members.text_or("reason", "", max_reason_octets));
}

federation::ChannelChange read_role(const Api& api, Members& members)
{
    const auto user = user_of(api, members);
    return changes::set_role(user, members.text("role", max_word_octets));
}

federation::ChannelChange read_patch(const Api&, Members& members)
{
    changes::ChannelPatch patch;
    patch.name = members.may_text("name", max_channel_name_octets);
    patch.topic = members.may_text("topic", max_topic_octets);
    patch.avatar = members.may_text("avatar", max_media_id_octets);
    patch.history = members.may_text("history", max_word_octets);
    patch.retention = members.may_text("retention", max_word_octets);
    patch.encryption = members.may_text("encryption", max_word_octets);
    patch.is_public = members.may_flag("public");
    return changes::update(patch);
}

federation::ChannelChange read_successors(const Api&, Members& members)
{
    return changes::set_successors(members.texts("servers", max_successors, max_server_octets));
}

template <ReadChannelChange read>
RouteResult change_channel(Api& api, Caller caller, const net::Request& request)
{
    auto wish = channel_wish(api, caller, request, read);
    if (!wish) co_return fail(wish);
    auto posted = co_await api.channels().change(std::move(wish->actor), std::move(wish->channel),
                                                 std::move(wish->wanted));
    co_return posted_response(api, posted);
}

}  // namespace

void add_moderation_routes(net::Router& router, Api& api)
{
    const auto add = [&](const char* method, const char* pattern, CallerRoute route) {
        router.add({method, pattern, max_moderation_body, caller_route(api, route)});
    };
    add("POST", "/api/v1/channels/{channel}/kick", change_channel<read_judgement<changes::kick>>);
    add("POST", "/api/v1/channels/{channel}/ban", change_channel<read_judgement<changes::ban>>);
    add("POST", "/api/v1/channels/{channel}/unban", change_channel<read_judgement<changes::unban>>);
    add("POST", "/api/v1/channels/{channel}/role", change_channel<read_role>);
    add("PATCH", "/api/v1/channels/{channel}", change_channel<read_patch>);
    add("POST", "/api/v1/channels/{channel}/successors", change_channel<read_successors>);
}

}  // namespace entente::api
