// The PROXY protocol, version 2: the header that a proxy puts before the connection it
// passes on. Reading form only; who may send one is the server's decision.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "protocol/result.hpp"

namespace entente::net {

inline constexpr std::string_view proxy_signature{"\r\n\r\n\0\r\nQUIT\n", 12};
inline constexpr std::size_t proxy_fixed_octets = 16;
inline constexpr std::size_t max_proxy_octets = 4'096;  // what stands behind the fixed part

// How many octets follow the first sixteen; `malformed` where they are no such header.
[[nodiscard]] Result<std::size_t> proxy_rest_octets(std::string_view fixed);

// The client's address; nothing where the proxy speaks for itself (LOCAL) or of another
// family. `header` is the whole of it, no more.
[[nodiscard]] Result<std::optional<boost::asio::ip::address>> parse_proxy_header(
    std::string_view header);

}  // namespace entente::net
