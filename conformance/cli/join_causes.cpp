#include "conformance/cli/join_causes.hpp"

#include <algorithm>

namespace entente::conformance {

WayToServer way_to(World& world, const Origin& origin)
{
    const auto& file = world.file();
    WayToServer way;
    way.server = origin.name();
    way.domain = file.domain;
    way.listen = file.listen.text();
    way.authority_certificate = file.authority_certificate;
    if (auto* dns = world.dns()) {
        way.dns = file.dns->text();
        way.questions = dns->questions_for(origin.name());
    }
    way.connections = world.host().connections_seen();
    way.strays = world.host().strays();
    way.handshakes = origin.connections();
    way.broken = origin.broken_handshakes();
    way.requests = origin.received().size();
    return way;
}

std::string join_cause(const WayToServer& way, const std::string& repro)
{
    if (way.requests > 0)
        return "The target has found " + way.server +
               " and asked it for its document, so names and TLS are right: the answer above is "
               "its judgement of the request itself. `" +
               repro + "` shows both, what it fetched, and the signature base.";
    if (!way.broken.empty())
        return "The target has connected to " + way.server + " and TLS was broken off (" +
               way.broken.front() + "): let it trust " + way.authority_certificate +
               ", which signs the certificates of the runner's servers.";
    if (way.handshakes > 0)
        return "The target has connected to " + way.server +
               " and asked for nothing. Its log may say why.";
    // Servers of an earlier run, which it still wants to reach, are below the domain too.
    const auto foreign = std::find_if(way.strays.begin(), way.strays.end(), [&](const Stray& one) {
        return !one.host.ends_with("." + way.domain);
    });
    if (foreign != way.strays.end())
        return foreign->host.empty()
                   ? "Somebody has connected to " + way.listen + " and ended without naming a " +
                         "server in TLS (" + foreign->why +
                         "): the target has to speak TLS there, " + "with " + way.server +
                         " as the server name (SNI)."
                   : "Somebody has connected to " + way.listen + " and named \"" + foreign->host +
                         "\" in TLS, where " + way.server +
                         " is looked for: the target has to name the server itself (SNI).";
    if (!way.dns.empty() && way.questions == 0)
        return "Nobody has asked the runner's DNS server at " + way.dns + " for " + way.server +
               ": let the target's resolver be that address (peers.dns).";
    if (way.connections == 0)
        return "Nobody has connected to the runner at " + way.listen + ": let the target find *." +
               way.domain + " there (peers.listen), and let its guard allow that address. With " +
               "Entente: federation.resolve and federation.allow_networks.";
    return "The target reaches the runner at " + way.listen + ", but hasn't tried to reach " +
           way.server + ". It may look up no more strangers for a while: try again in a minute.";
}

}  // namespace entente::conformance
