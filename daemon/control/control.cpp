#include "daemon/control/control.hpp"

#include <unistd.h>

#include "daemon/control/answers.hpp"

namespace entente::daemon {

namespace {

// An operator with a few shells and scripts; nobody else gets in.
constexpr std::size_t control_connections = 16;
constexpr std::uint32_t root = 0;

}  // namespace

void Control::add_routes(net::Router& router)
{
    router.add({"GET", "/control/v1/server", 0,
                [this](const net::Request& request) { return server(request); }});
    router.add({"GET", "/control/v1/status", 0,
                [this](const net::Request& request) { return status(request); }});
    add_peer_routes(router);
    add_key_routes(router);
    add_channel_routes(router);
    add_fork_routes(router);
    add_move_routes(router);
    add_audit_routes(router);
    add_user_routes(router);
    add_setting_routes(router);
    add_report_routes(router);
    add_trust_routes(router);
    add_peering_routes(router);
    add_policy_routes(router);
}

asio::awaitable<net::Response> Control::server(const net::Request& /*request*/)
{
    control::Json json;
    json["server"] = parts_.identity.name.str();
    json["version"] = parts_.identity.software_version;
    json["key"] = parts_.identity.key.id().str();
    json["now"] = parts_.clock.now_ms();
    co_return control::answer(json);
}

net::ListenerOptions control_listener(const std::string& path)
{
    net::ListenerOptions options;
    options.unix_socket = net::UnixListener{path, {root, ::geteuid()}};
    options.limits.connections = control_connections;
    options.limits.connections_per_source = control_connections;
    return options;
}

}  // namespace entente::daemon
