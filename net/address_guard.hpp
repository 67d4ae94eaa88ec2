// Which addresses a federation fetch may connect to [DISC-3]: what IANA's
// special-purpose registries call globally reachable, with v4-mapped, v4-compatible,
// NAT64 and 6to4 unwrapped first; multicast never. Configuration may allow networks.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "protocol/result.hpp"

namespace entente::net {

using Network = std::variant<boost::asio::ip::network_v4, boost::asio::ip::network_v6>;

[[nodiscard]] Result<Network> parse_network(
    std::string_view text);  // "10.0.0.0/8", "::1/128", "10.1.2.3"
[[nodiscard]] bool contains(const Network& network, const boost::asio::ip::address& address);

// A v4-mapped address as the IPv4 address that it is; any other as it stands.
[[nodiscard]] boost::asio::ip::address unmapped(const boost::asio::ip::address& address);

class AddressGuard {
 public:
    explicit AddressGuard(std::vector<Network> allowed = {});
    [[nodiscard]] bool allows(const boost::asio::ip::address& address) const;

 private:
    std::vector<Network> allowed_;
};

[[nodiscard]] bool is_globally_reachable(const boost::asio::ip::address& address);

}  // namespace entente::net
