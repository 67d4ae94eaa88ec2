#include "api/route_parts.hpp"

#include "api/asking.hpp"

#include <charconv>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/text_limits.hpp"
#include "api/wire.hpp"
#include "protocol/octets.hpp"

namespace entente::api {

federation::Actor actor_of(const Caller& caller, Members& members)
{
    return federation::Actor{caller.user, caller.device, members.uuid("txn"), person_of(caller)};
}

Result<federation::Actor> actor_from_body(const Caller& caller, const net::Request& request)
{
    auto body = parse_body(request);
    if (!body) return fail(body);
    Members members{*body, ""};
    auto actor = actor_of(caller, members);
    if (members.error()) return protocol::Failure{*members.error()};
    return actor;
}

Result<protocol::ChannelId> channel_of(const Api& api, const net::Request& request)
{
    auto text = decode_segment(request.captures.empty() ? "" : request.captures.front());
    if (!text) return fail(text);
    auto channel = protocol::parse_channel_id(*text, api.options().names);
    if (!channel) return refuse(Code::not_found, "no such channel");
    return channel;
}

protocol::UserId user_of(const Api& api, Members& members)
{
    const auto text = members.text("user", max_user_octets);
    if (members.error()) return {};
    auto user = protocol::parse_user_id(text, api.options().names);
    if (user) return std::move(*user);
    members.breach("user", "name@server is needed");
    return {};
}

Result<protocol::Hash> target_of(const net::Request& request)
{
    auto id = protocol::hash_from_base64url(request.captures.size() > 1 ? request.captures[1] : "");
    if (!id) return refuse(Code::not_found, "no such message");
    return id;
}

Result<std::int64_t> number_parameter(const net::Request& request, std::string_view name,
                                      std::int64_t fallback, std::int64_t least, std::int64_t most)
{
    const auto text = request.parameter(name);
    if (!text) return fallback;
    std::int64_t value = 0;
    const auto* end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end || value < least || value > most)
        return refuse(Code::malformed, "?" + std::string{name} + ": an integer from " +
                                           std::to_string(least) + " to " + std::to_string(most) +
                                           " is needed");
    return value;
}

Error within_content(Error error, std::string_view pointer)
{
    if (error.code != Code::malformed || !error.hint.starts_with('/')) return error;
    if (error.hint.starts_with("/:")) error.hint.erase(0, 1);
    error.hint.insert(0, pointer);
    return error;
}

Result<net::Response> posted_response(const Api& api, const Result<federation::Posted>& posted)
{
    if (!posted) return fail(posted);
    return json_response(201, posted_json(*posted, api.now()));
}

}  // namespace entente::api
