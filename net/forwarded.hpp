// The Forwarded field (RFC 7239): who a chain of proxies says the client is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "net/address_guard.hpp"
#include "protocol/message_signature.hpp"

namespace entente::net {

// The `for` nodes in order, "" for an element without one; `malformed` where the field
// breaks the grammar.
[[nodiscard]] Result<std::vector<std::string>> parse_forwarded(std::string_view value);

// The address of a node: "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80".
// Nothing for "unknown" and for names made up by a proxy.
[[nodiscard]] std::optional<boost::asio::ip::address> node_address(std::string_view node);

// Walks back from `peer` through the hops that trusted proxies name, up to the first that
// isn't trusted: whatever stands left of it may be the client's own invention.
[[nodiscard]] boost::asio::ip::address client_behind(const boost::asio::ip::address& peer,
                                                     const protocol::Fields& fields,
                                                     const std::vector<Network>& trusted);

[[nodiscard]] bool is_among(const std::vector<Network>& networks,
                            const boost::asio::ip::address& address);

}  // namespace entente::net
