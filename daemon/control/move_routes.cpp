// A channel's move to another home, asked for by the operator in an owner's name [SUC-2].
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"
#include "protocol/problem.hpp"
#include "storage/account_store.hpp"

namespace entente::daemon {

namespace {

using control::Json;

struct Wish {
    protocol::ChannelId channel;
    protocol::ServerName home;
    protocol::UserId owner;
};

Result<Wish> wish_of(const net::Request& request, protocol::NameRules rules)
{
    auto channel = control::channel_capture(request, 0, rules);
    if (!channel) return fail(channel);
    auto home = protocol::parse_server_name(request.parameter("home").value_or(""), rules);
    if (!home) return refuse(Code::malformed, "?home: a server's name is needed");
    auto owner = protocol::parse_user_id(request.parameter("as").value_or(""), rules);
    if (!owner) return refuse(Code::malformed, "?as: an owner, as name@server, is needed");
    return Wish{std::move(*channel), std::move(*home), std::move(*owner)};
}

struct FindOwner {
    std::string localpart;
    Result<void> operator()(storage::Connection& db) const
    {
        const auto found = storage::find_user(db, localpart);
        if (found) return {};
        return fail(found);
    }
};

}  // namespace

// Said before anything is asked of the channel: the owner is a word of the operator's.
asio::awaitable<Result<void>> Control::check_user(protocol::UserId user)
{
    Result<void> found = refuse(Code::not_found, "no such user here");
    if (protocol::server_of(user) == parts_.identity.name) {
        FindOwner job{std::string(protocol::localpart_of(user))};
        found = co_await parts_.commits.read(std::move(job));
    }
    if (!found && found.error().code == Code::not_found)
        co_return refuse(Code::not_found, "there is no user " + user.str() + " on this server");
    co_return found;
}

void Control::add_move_routes(net::Router& router)
{
    router.add({"POST", "/control/v1/channels/{channel}/move", 0,
                [this](const net::Request& request) { return move(request); }});
}

asio::awaitable<net::Response> Control::move(const net::Request& request)
{
    auto wish = wish_of(request, parts_.identity.names);
    if (!wish) co_return control::refusal(wish.error(), parts_.clock.now_ms());
    auto known = co_await check_user(wish->owner);
    if (!known) co_return control::refusal(known.error(), parts_.clock.now_ms());
    // Before it: what is asked of another server can't be taken back.
    const Json details{{"as", wish->owner.str()}, {"home", wish->home.str()}};
    auto noted = co_await note("channel.move", wish->channel.str(), details.dump());
    if (!noted) co_return control::refusal(noted.error(), parts_.clock.now_ms());
    federation::Actor actor{wish->owner, std::nullopt,
                            protocol::make_uuid7(parts_.clock.now_ms(), parts_.random)};
    auto moving = co_await parts_.channels.move(std::move(actor), wish->channel, wish->home);
    if (!moving) co_return control::refusal(moving.error(), parts_.clock.now_ms());
    Json json{
        {"channel", wish->channel.str()}, {"home", moving->home.str()}, {"as", wish->owner.str()}};
    co_return control::answer(json);
}

}  // namespace entente::daemon
