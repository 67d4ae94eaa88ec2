// An owner's wish that a channel moves to another home, and how it stands [SUC-2].
#include <string>
#include <utility>

#include "api/api.hpp"
#include "api/channel_wish.hpp"
#include "api/json_body.hpp"
#include "api/route_parts.hpp"
#include "api/text_limits.hpp"
#include "api/wire.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::size_t max_move_body = 16 * 1024;

protocol::ServerName home_in(const Api& api, Members& members)
{
    const auto text = members.text("home", max_server_octets);
    if (members.error()) return {};
    auto home = protocol::parse_server_name(text, api.options().names);
    if (home) return std::move(*home);
    members.breach("home", "a server's name is needed");
    return {};
}

Result<net::Response> answer(const Api& api, int status, const Result<federation::Moving>& moving)
{
    if (!moving) return fail(moving);
    return json_response(status, moving_json(*moving, api.now()));
}

RouteResult move(Api& api, Caller caller, const net::Request& request)
{
    auto wish = channel_wish(api, caller, request, home_in);
    if (!wish) co_return fail(wish);
    auto moving = co_await api.channels().move(std::move(wish->actor), std::move(wish->channel),
                                               std::move(wish->wanted));
    co_return answer(api, 202, moving);
}

RouteResult moving(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto found = co_await api.channels().moving(caller.user, std::move(*channel));
    co_return answer(api, 200, found);
}

}  // namespace

void add_move_routes(net::Router& router, Api& api)
{
    const char* const pattern = "/api/v1/channels/{channel}/move";
    router.add({"POST", pattern, max_move_body, caller_route(api, move)});
    router.add({"GET", pattern, 0, caller_route(api, moving)});
}

}  // namespace entente::api
