// A request that asks something of a channel: who asks, of which, and what. For sources that
// have the whole of nlohmann's JSON in any case.
#pragma once

#include <utility>

#include <nlohmann/json.hpp>

#include "api/route_parts.hpp"

namespace entente::api {

template <class Wanted>
struct ChannelWish {
    federation::Actor actor;
    protocol::ChannelId channel;
    Wanted wanted;
};

// The path's channel, the body's `txn`, and what `read` takes of the body besides.
template <class Wanted>
[[nodiscard]] Result<ChannelWish<Wanted>> channel_wish(const Api& api, const Caller& caller,
                                                       const net::Request& request,
                                                       Wanted (*read)(const Api&, Members&))
{
    auto channel = channel_of(api, request);
    if (!channel) return fail(channel);
    auto body = parse_body(request);
    if (!body) return fail(body);
    Members members{*body, ""};
    auto actor = actor_of(caller, members);
    auto wanted = read(api, members);
    if (members.error()) return protocol::Failure{*members.error()};
    return ChannelWish<Wanted>{std::move(actor), std::move(*channel), std::move(wanted)};
}

}  // namespace entente::api
