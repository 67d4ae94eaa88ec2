#pragma once

// HTTPS requests of the peer's own: where a host is, over a TLS connection that is checked, within
// a time and a size. Redirects are answers like any other, and are never followed [DISC-2].

#include <memory>
#include <string>

#include "conformance/reference/flags.hpp"
#include "conformance/reference/settings.hpp"
#include "conformance/sockets/http_io.hpp"
#include "conformance/sockets/tls.hpp"

namespace entente::conformance::reference {

class Caller {
 public:
    Caller(const Settings& settings, const Flags& flags);

    // A connection to `host`. Throws Refused("unavailable").
    [[nodiscard]] std::unique_ptr<Stream> connect(const std::string& host, std::uint16_t port,
                                                  Deadline deadline) const;
    // One request over a connection of its own; the fields but Host are the caller's. Throws
    // Refused("unavailable").
    [[nodiscard]] Answer ask(const std::string& host, std::uint16_t port, Request request,
                             Deadline deadline, const ReadLimits& limits) const;

 private:
    const Settings& settings_;
    const Flags& flags_;
    ClientContext context_;
};

// `a.example`, or `a.example:8448`.
[[nodiscard]] std::string authority_of(const std::string& host, std::uint16_t port);

}  // namespace entente::conformance::reference
