#include "net/address_guard.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace entente::net {

namespace asio = boost::asio;
using asio::ip::address;
using asio::ip::address_v4;
using asio::ip::address_v6;

namespace {

struct Block4 {
    std::uint32_t base;
    unsigned prefix;
};

struct Block6 {
    std::uint64_t high;  // the first eight octets; no block here is told by more than these
    unsigned prefix;     // at most 64
};

// IANA IPv4 Special-Purpose Address Registry, "Globally Reachable" not true; and multicast.
constexpr std::array blocked4 = {
    Block4{0x00000000, 8},   // 0.0.0.0/8 this network
    Block4{0x0A000000, 8},   // 10.0.0.0/8 private
    Block4{0x64400000, 10},  // 100.64.0.0/10 shared address space
    Block4{0x7F000000, 8},   // 127.0.0.0/8 loopback
    Block4{0xA9FE0000, 16},  // 169.254.0.0/16 link local
    Block4{0xAC100000, 12},  // 172.16.0.0/12 private
    Block4{0xC0000000, 24},  // 192.0.0.0/24 protocol assignments
    Block4{0xC0000200, 24},  // 192.0.2.0/24 documentation
    Block4{0xC0586300, 24},  // 192.88.99.0/24 former 6to4 relays
    Block4{0xC0A80000, 16},  // 192.168.0.0/16 private
    Block4{0xC6120000, 15},  // 198.18.0.0/15 benchmarking
    Block4{0xC6336400, 24},  // 198.51.100.0/24 documentation
    Block4{0xCB007100, 24},  // 203.0.113.0/24 documentation
    Block4{0xE0000000, 4},   // 224.0.0.0/4 multicast
    Block4{0xF0000000, 4},   // 240.0.0.0/4 reserved, and the broadcast address
};
// Inside 192.0.0.0/24, and reachable all the same: PCP and TURN anycast.
constexpr std::array reachable4 = {Block4{0xC0000009, 32}, Block4{0xC000000A, 32}};

// The same for IPv6, as far as it lies in the global unicast space 2000::/3. What lies
// outside is refused as a whole: loopback, unique local, link local, multicast,
// 64:ff9b:1::/48, 100::/64, 5f00::/16 and what was never given out.
constexpr std::array blocked6 = {
    Block6{0x2001'0000'0000'0000, 23},  // protocol assignments, Teredo among them
    Block6{0x2001'0db8'0000'0000, 32},  // documentation
    Block6{0x3fff'0000'0000'0000, 20},  // documentation
};
// Inside 2001::/23, and reachable all the same.
constexpr std::array reachable6 = {
    Block6{0x2001'0003'0000'0000, 32},  // AMT
    Block6{0x2001'0004'0112'0000, 48},  // AS112
    Block6{0x2001'0020'0000'0000, 28},  // ORCHIDv2
    Block6{0x2001'0030'0000'0000, 28},  // drone remote identification
};

bool in(Block4 block, std::uint32_t value)
{
    return ((value ^ block.base) >> (32 - block.prefix)) == 0;
}

bool in(Block6 block, std::uint64_t high)
{
    return ((high ^ block.high) >> (64 - block.prefix)) == 0;
}

template <class Blocks, class Value>
bool in_any(const Blocks& blocks, Value value)
{
    return std::any_of(blocks.begin(), blocks.end(), [&](auto block) { return in(block, value); });
}

bool is_reachable4(std::uint32_t value)
{
    // The shift in `in` needs a prefix above 0; /32 shifts by 0, which is fine.
    return in_any(reachable4, value) || !in_any(blocked4, value);
}

std::uint32_t word(const address_v6::bytes_type& bytes, std::size_t at)
{
    return (std::uint32_t{bytes[at]} << 24) | (std::uint32_t{bytes[at + 1]} << 16) |
           (std::uint32_t{bytes[at + 2]} << 8) | std::uint32_t{bytes[at + 3]};
}

// The IPv4 address that a packet to `bytes` would end at or stand for [DISC-3].
std::optional<std::uint32_t> unwrapped(const address_v6::bytes_type& bytes)
{
    const auto first = word(bytes, 0), second = word(bytes, 4), third = word(bytes, 8);
    const bool mapped = first == 0 && second == 0 && third == 0x0000FFFF;
    const bool compatible = first == 0 && second == 0 && third == 0;  // :: and ::1 too
    const bool nat64 = first == 0x0064FF9B && second == 0 && third == 0;
    if (mapped || compatible || nat64) return word(bytes, 12);
    if ((first >> 16) == 0x2002) return (first << 16) | (second >> 16);  // 6to4
    return std::nullopt;
}

bool is_reachable6(const address_v6::bytes_type& bytes)
{
    if (const auto inner = unwrapped(bytes)) return is_reachable4(*inner);
    const auto high = (std::uint64_t{word(bytes, 0)} << 32) | word(bytes, 4);
    if (!in(Block6{0x2000'0000'0000'0000, 3}, high)) return false;
    // 2001:1::1, ::2 and ::3 are reachable anycast addresses.
    const bool anycast = high == 0x2001'0001'0000'0000 && word(bytes, 8) == 0 &&
                         word(bytes, 12) >= 1 && word(bytes, 12) <= 3;
    return anycast || in_any(reachable6, high) || !in_any(blocked6, high);
}

std::optional<unsigned> parse_prefix(std::string_view text, unsigned most)
{
    unsigned value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || value > most) return std::nullopt;
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    return value;
}

}  // namespace

address unmapped(const address& given)
{
    if (given.is_v6() && given.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, given.to_v6());
    }
    return given;
}

Result<Network> parse_network(std::string_view text)
{
    if (text.size() > 64) return refuse(Code::malformed, "not a network");
    const auto slash = text.find('/');
    const std::string host(text.substr(0, slash));
    boost::system::error_code error;
    const auto base = asio::ip::make_address(host, error);
    if (error || host.find('%') != std::string::npos) {
        return refuse(Code::malformed, "not an address: " + host);
    }
    const unsigned most = base.is_v4() ? 32 : 128;
    auto prefix = std::optional<unsigned>(most);
    if (slash != std::string_view::npos) prefix = parse_prefix(text.substr(slash + 1), most);
    if (!prefix) return refuse(Code::malformed, "not a prefix length: " + std::string(text));

    if (base.is_v4()) {
        const asio::ip::network_v4 network(base.to_v4(), static_cast<unsigned short>(*prefix));
        if (network.canonical() != network) {
            return refuse(Code::malformed, "bits set behind the prefix: " + std::string(text));
        }
        return Network{network};
    }
    const asio::ip::network_v6 network(base.to_v6(), static_cast<unsigned short>(*prefix));
    if (network.canonical() != network) {
        return refuse(Code::malformed, "bits set behind the prefix: " + std::string(text));
    }
    return Network{network};
}

bool contains(const Network& network, const address& given)
{
    const auto candidate = unmapped(given);
    if (const auto* v4 = std::get_if<asio::ip::network_v4>(&network)) {
        if (!candidate.is_v4()) return false;
        const auto differing = v4->address().to_uint() ^ candidate.to_v4().to_uint();
        return v4->prefix_length() == 0 || (differing >> (32 - v4->prefix_length())) == 0;
    }
    const auto& v6 = std::get<asio::ip::network_v6>(network);
    if (!candidate.is_v6()) return false;
    return asio::ip::network_v6(candidate.to_v6(), v6.prefix_length()).canonical().network() ==
           v6.canonical().network();
}

AddressGuard::AddressGuard(std::vector<Network> allowed) : allowed_(std::move(allowed)) {}

bool AddressGuard::allows(const address& given) const
{
    if (unmapped(given).is_multicast()) return false;
    const auto holds = [&](const Network& network) { return contains(network, given); };
    return std::any_of(allowed_.begin(), allowed_.end(), holds) || is_globally_reachable(given);
}

bool is_globally_reachable(const address& given)
{
    if (given.is_v4()) return is_reachable4(given.to_v4().to_uint());
    return is_reachable6(given.to_v6().to_bytes());
}

}  // namespace entente::net
