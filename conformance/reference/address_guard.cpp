#include "conformance/reference/address_guard.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>

#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

namespace {

struct Range4 {
    std::uint32_t address;
    int bits;
};

constexpr std::uint32_t four(std::uint32_t a, std::uint32_t b, std::uint32_t c)
{
    return (a << 24) | (b << 16) | (c << 8);
}

constexpr Range4 unreachable4[] = {
    {four(0, 0, 0), 8},      {four(10, 0, 0), 8},     {four(100, 64, 0), 10},
    {four(127, 0, 0), 8},    {four(169, 254, 0), 16}, {four(172, 16, 0), 12},
    {four(192, 0, 0), 24},   {four(192, 0, 2), 24},   {four(192, 88, 99), 24},
    {four(192, 168, 0), 16}, {four(198, 18, 0), 15},  {four(198, 51, 100), 24},
    {four(203, 0, 113), 24}, {four(224, 0, 0), 4},    {four(240, 0, 0), 4},
};

bool is_reachable4(std::uint32_t address)
{
    return std::none_of(std::begin(unreachable4), std::end(unreachable4), [&](const Range4& range) {
        return (address >> (32 - range.bits)) == (range.address >> (32 - range.bits));
    });
}

bool is_reachable6(const std::array<unsigned char, 16>& octets)
{
    const auto word = [&](int at) {
        return static_cast<std::uint32_t>((octets[static_cast<std::size_t>(at)] << 8) |
                                          octets[static_cast<std::size_t>(at) + 1]);
    };
    const auto inner = [&](int at) { return (word(at) << 16) | word(at + 2); };
    const bool zero_before_10 =
        std::all_of(octets.begin(), octets.begin() + 10, [](auto octet) { return octet == 0; });
    if (zero_before_10 && word(10) == 0xFFFF) return is_reachable4(inner(12));
    if (zero_before_10 && word(10) == 0) return is_reachable4(inner(12));
    if (word(0) == 0x64 && word(2) == 0xFF9B) return word(4) == 0 && is_reachable4(inner(12));
    if (word(0) == 0x2002) return is_reachable4(inner(2));
    if (word(0) == 0x2001 && word(2) < 0x0200) return false;
    if (word(0) == 0x2001 && word(2) == 0x0DB8) return false;
    if (word(0) == 0x3FFF && word(2) < 0x1000) return false;
    // Only 2000::/3 is global unicast.
    return (octets[0] & 0xE0) == 0x20;
}

}  // namespace

bool is_globally_reachable(std::string_view address)
{
    const std::string text(address);
    in_addr four_octets{};
    if (::inet_pton(AF_INET, text.c_str(), &four_octets) == 1)
        return is_reachable4(ntohl(four_octets.s_addr));
    in6_addr six_octets{};
    if (::inet_pton(AF_INET6, text.c_str(), &six_octets) != 1) return false;
    std::array<unsigned char, 16> octets{};
    std::memcpy(octets.data(), &six_octets, octets.size());
    return is_reachable6(octets);
}

Endpoint find_host(const std::string& host, std::uint16_t port, const Settings& settings,
                   const Flags& flags)
{
    if (host.ends_with("." + settings.domain)) return settings.peers;
    const auto literal = Endpoint::parse(host.find(':') == std::string::npos
                                             ? host + ":" + std::to_string(port)
                                             : "[" + host + "]:" + std::to_string(port));
    if (!literal) throw Refused{"unavailable", host + " has no address"};
    // Mutants of other checks are to get as far as they can.
    const bool is_guarded = !flags.has<"address-unguarded">() &&
                            !flags.has<"redirects-followed">() && !flags.has<"names-unchecked">();
    if (is_guarded && !is_globally_reachable(literal->address))
        throw Refused{"unavailable", host + " is no address to connect to"};
    return *literal;
}

}  // namespace entente::conformance::reference
