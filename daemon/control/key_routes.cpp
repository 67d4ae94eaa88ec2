// The operator's word on a server that shows keys out of the pins' reach [KEY-4].
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"

namespace entente::daemon {

using control::Json;

void Control::add_key_routes(net::Router& router)
{
    router.add({"POST", "/control/v1/peers/{server}/accept-keys", 0,
                [this](const net::Request& request) { return accept_keys(request); }});
    router.add({"POST", "/control/v1/peers/{server}/keep-keys", 0,
                [this](const net::Request& request) { return keep_keys(request); }});
}

asio::awaitable<net::Response> Control::accept_keys(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (name && !parts_.federates) name = refuse(Code::unavailable, "federation is switched off");
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    std::optional<protocol::KeyId> recovery;
    if (const auto given = request.parameter("recovery")) {
        auto id = protocol::parse_key_id(*given);
        if (!id) co_return control::refusal(id.error(), parts_.clock.now_ms());
        recovery = std::move(*id);
    }
    Json details = Json::object();
    if (recovery) details["recovery"] = recovery->str();
    auto noted = co_await note("peer.accept-keys", name->str(), details.dump());
    if (!noted) co_return control::refusal(noted.error(), parts_.clock.now_ms());
    auto settled = co_await parts_.discovery.accept_keys(*name, std::move(recovery));
    if (!settled) co_return control::refusal(settled.error(), parts_.clock.now_ms());
    // What had failed by the keys of before needn't wait.
    parts_.discovery.heard_from(*name);
    parts_.links.urge(*name);
    Json json{{"server", name->str()}, {"result", *settled ? "accepted" : "agrees"}};
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::keep_keys(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (name && !parts_.federates) name = refuse(Code::unavailable, "federation is switched off");
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    auto noted = co_await note("peer.keep-keys", name->str());
    if (!noted) co_return control::refusal(noted.error(), parts_.clock.now_ms());
    auto settled = co_await parts_.discovery.keep_keys(*name);
    if (!settled) co_return control::refusal(settled.error(), parts_.clock.now_ms());
    Json json{{"server", name->str()}, {"result", *settled ? "kept" : "agrees"}};
    co_return control::answer(json);
}

}  // namespace entente::daemon
