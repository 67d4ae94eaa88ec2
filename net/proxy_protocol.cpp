#include "net/proxy_protocol.hpp"

#include <algorithm>

namespace entente::net {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

namespace {

constexpr std::size_t command_at = 12, family_at = 13, size_at = 14;
constexpr unsigned version_2 = 2, command_local = 0, command_proxy = 1;
constexpr unsigned family_inet = 1, family_inet6 = 2;
constexpr std::size_t inet_octets = 12, inet6_octets = 36;  // two addresses, two ports

unsigned octet(std::string_view text, std::size_t at)
{
    return static_cast<unsigned char>(text[at]);
}

template <class Address>
Address address_at(std::string_view text, std::size_t at)
{
    typename Address::bytes_type bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<unsigned char>(text[at + i]);
    }
    return Address(bytes);
}

}  // namespace

Result<std::size_t> proxy_rest_octets(std::string_view fixed)
{
    if (fixed.size() < proxy_fixed_octets || !fixed.starts_with(proxy_signature)) {
        return fail(Code::malformed, "no PROXY v2 signature");
    }
    if (octet(fixed, command_at) >> 4 != version_2) {
        return fail(Code::malformed, "PROXY protocol of another version");
    }
    const std::size_t rest = octet(fixed, size_at) * 256 + octet(fixed, size_at + 1);
    if (rest > max_proxy_octets) return fail(Code::malformed, "PROXY header too long");
    return rest;
}

Result<std::optional<address>> parse_proxy_header(std::string_view header)
{
    const auto rest = proxy_rest_octets(header);
    if (!rest) return fail(rest);
    if (header.size() != proxy_fixed_octets + *rest) {
        return fail(Code::malformed, "PROXY header cut");
    }
    const auto command = octet(header, command_at) & 0x0F;
    if (command == command_local) return std::optional<address>();
    if (command != command_proxy) return fail(Code::malformed, "PROXY command unknown");

    switch (octet(header, family_at) >> 4) {
        case family_inet:
            if (*rest < inet_octets) return fail(Code::malformed, "PROXY addresses cut");
            return std::optional<address>(address_at<address_v4>(header, proxy_fixed_octets));
        case family_inet6:
            if (*rest < inet6_octets) return fail(Code::malformed, "PROXY addresses cut");
            return std::optional<address>(address_at<address_v6>(header, proxy_fixed_octets));
        default: return std::optional<address>();
    }
}

}  // namespace entente::net
