// What other servers may ask, and behind which checks of the gate.
#include "daemon/federation_stack.hpp"
#include "federation/discovery/well_known.hpp"

namespace entente::daemon {

void FederationStack::add_routes(net::Router& router)
{
    federation::add_well_known(router, parts_.identity);
    if (!parts_.config.federation.enabled) return;
    const auto receive = [this](net::Request& request, const federation::Admitted& admitted) {
        return inbox_.receive(request, admitted);
    };
    const auto snapshot = [this](const net::Request& request,
                                 const federation::Admitted& admitted) {
        return queries_.snapshot(request, admitted);
    };
    const auto log = [this](const net::Request& request, const federation::Admitted& admitted) {
        return queries_.log(request, admitted);
    };
    const auto alias = [this](const net::Request& request, const federation::Admitted& admitted) {
        return directory_.answer_alias(request, admitted);
    };
    const auto directory = [this](const net::Request& request,
                                  const federation::Admitted& admitted) {
        return directory_.answer_page(request, admitted);
    };
    const auto inbox_octets = parts_.identity.limits.bytes;
    router.add({"POST", "/federation/v1/inbox", inbox_octets, gate_.guard(receive, false)});
    router.add({"GET", "/federation/v1/channels/{channel}", 0, gate_.guard(snapshot, true)});
    router.add({"GET", "/federation/v1/channels/{channel}/log", 0, gate_.guard(log, true)});
    router.add({"GET", "/federation/v1/aliases/{localpart}", 0,
                gate_.guard(alias, true, federation::Cost::look_up)});
    router.add({"GET", "/federation/v1/directory", 0,
                gate_.guard(directory, true, federation::Cost::look_up)});
    add_people_routes(router);
}

void FederationStack::add_people_routes(net::Router& router)
{
    const auto user = [this](const net::Request& request, const federation::Admitted& admitted) {
        return people_answers_.user(request, admitted);
    };
    const auto claim = [this](const net::Request& request, const federation::Admitted& admitted) {
        return people_answers_.claim(request, admitted);
    };
    const auto media = [this](const net::Request& request, const federation::Admitted& admitted) {
        return media_.answer(request, admitted);
    };
    router.add(
        {"GET", "/federation/v1/media/{id}", 0, gate_.guard(media, true, federation::Cost::media)});
    router.add({"GET", "/federation/v1/users/{localpart}", 0,
                gate_.guard(user, true, federation::Cost::look_up)});
    router.add({"POST", "/federation/v1/keys/claim", protocol::max_claim_body_octets,
                gate_.guard(claim, false)});
}

}  // namespace entente::daemon
