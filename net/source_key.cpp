#include "net/source_key.hpp"

#include <algorithm>

namespace entente::net {

std::string source_key(const boost::asio::ip::address& address)
{
    if (address.is_v4()) return address.to_string();
    const auto v6 = address.to_v6();
    if (v6.is_v4_mapped())
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
    auto octets = v6.to_bytes();
    std::fill(octets.begin() + 8, octets.end(), static_cast<unsigned char>(0));
    // Made of the octets alone, so without the interface that a link-local address names.
    return boost::asio::ip::address_v6{octets}.to_string() + "/64";
}

}  // namespace entente::net
