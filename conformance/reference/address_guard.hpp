#pragma once

// Where a host is, and whether it may be connected to [DISC-3]. This peer knows the names of one
// domain, all at one address; a host that is an address itself is judged by what it is.

#include <string>
#include <string_view>

#include "conformance/reference/flags.hpp"
#include "conformance/reference/settings.hpp"

namespace entente::conformance::reference {

// Whether the IANA registries call the address globally reachable, and it isn't a multicast one.
// Addresses that hold an IPv4 address are judged by that.
[[nodiscard]] bool is_globally_reachable(std::string_view address);

// Throws Refused("unavailable") where the host has no address, or one that mustn't be connected to.
[[nodiscard]] Endpoint find_host(const std::string& host, std::uint16_t port,
                                 const Settings& settings, const Flags& flags);

}  // namespace entente::conformance::reference
