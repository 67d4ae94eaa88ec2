#pragma once

// Why a target doesn't take a server of the runner's that it meets for the first time: told by how
// far it has come on its way to that server's document.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/host/host.hpp"
#include "conformance/judge/world.hpp"

namespace entente::conformance {

struct WayToServer {
    // The server's name, and what the target's file says of its way there.
    std::string server;
    std::string domain;
    std::string listen;
    std::string authority_certificate;
    // In the sealed topology: where the runner answers DNS; empty elsewhere. Questions for
    // `server`.
    std::string dns;
    std::size_t questions = 0;
    // All that connected to the runner, and those that named none of its servers in TLS.
    std::uint64_t connections = 0;
    std::vector<Stray> strays;
    // Handshakes for `server`, and why those failed that did.
    std::uint64_t handshakes = 0;
    std::vector<std::string> broken;
    // Requests to it.
    std::size_t requests = 0;
};

[[nodiscard]] WayToServer way_to(World& world, const Origin& origin);

// What is wrong and what to do, in a few sentences. `repro` is a command that shows a first
// contact.
[[nodiscard]] std::string join_cause(const WayToServer& way, const std::string& repro);

}  // namespace entente::conformance
