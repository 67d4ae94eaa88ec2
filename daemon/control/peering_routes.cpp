// The operator's word on peerings [INBOX-19].
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"

namespace entente::daemon {

using control::Json;

void Control::add_peering_routes(net::Router& router)
{
    router.add({"POST", "/control/v1/peers/{server}/peering/{wish}", 0,
                [this](const net::Request& request) { return peering(request); }});
}

asio::awaitable<net::Response> Control::peering(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    const auto wish = api::peering_wish_from(request.captures.at(1));
    const auto unknown = refuse(Code::not_found, "propose, accept or end");
    if (!wish) co_return control::refusal(unknown.value(), parts_.clock.now_ms());
    api::Administrator by;
    auto row = co_await parts_.trust.peer(std::move(by), *name, *wish);
    if (!row) co_return control::refusal(row.error(), parts_.clock.now_ms());
    Json json{{"server", name->str()},
              {"ours", row->ours},
              {"theirs", row->theirs},
              {"mutual", row->is_mutual()}};
    co_return control::answer(json);
}

}  // namespace entente::daemon
