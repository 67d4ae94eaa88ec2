// Who is counted as one source of requests. What is counted, and for what, is others' business.
#pragma once

#include <string>

#include <boost/asio/ip/address.hpp>

namespace entente::net {

// "192.0.2.1", also of the v4-mapped address; else the /64, which one host can fill, as
// "2001:db8:1:2::/64" (RFC 5952).
[[nodiscard]] std::string source_key(const boost::asio::ip::address& address);

}  // namespace entente::net
