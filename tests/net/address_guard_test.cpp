#include "net/address_guard.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace entente::net {
namespace {

boost::asio::ip::address at(const char* text)
{
    return boost::asio::ip::make_address(text);
}

class NotReachable : public testing::TestWithParam<const char*> {};

// [DISC-3]
TEST_P(NotReachable, IsRefusedByDefault)
{
    EXPECT_FALSE(is_globally_reachable(at(GetParam())));
    EXPECT_FALSE(AddressGuard().allows(at(GetParam())));
}

// The first and the last address of every block, and each way to wrap one.
INSTANTIATE_TEST_SUITE_P(
    Registry, NotReachable,
    testing::Values("0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
                    "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.0.0",
                    "169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.8",
                    "192.0.0.11", "192.0.0.170", "192.0.0.255", "192.0.2.0", "192.0.2.255",
                    "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
                    "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.1",
                    "239.255.255.255", "240.0.0.0", "255.255.255.255", "::", "::1",
                    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:224.0.0.1", "::127.0.0.1",
                    "::10.1.2.3", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1",
                    "64:ff9b::169.254.169.254", "64:ff9b:1::1", "100::1", "100:0:0:1::1",
                    "2001::", "2001::1", "2001:0:808:808::1", "2001:1::", "2001:1::4", "2001:2::1",
                    "2001:5::1", "2001:10::1", "2001:1ff:ffff::1", "2001:db8::", "2001:db8:ffff::1",
                    "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::1",
                    "2002:e000:1::", "3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "fc00::1",
                    "fdff::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1"));

class Reachable : public testing::TestWithParam<const char*> {};

TEST_P(Reachable, IsAllowedByDefault)
{
    EXPECT_TRUE(is_globally_reachable(at(GetParam())));
    EXPECT_TRUE(AddressGuard().allows(at(GetParam())));
}

// The neighbours of the blocks, and the exceptions inside them.
INSTANTIATE_TEST_SUITE_P(
    Registry, Reachable,
    testing::Values("1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
                    "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
                    "172.15.255.255", "172.32.0.0", "192.0.0.9", "192.0.0.10", "192.0.1.0",
                    "192.0.3.0", "192.31.196.1", "192.52.193.1", "192.175.48.1", "192.167.255.255",
                    "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0",
                    "203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8", "::ffff:8.8.8.8",
                    "::8.8.8.8", "64:ff9b::8.8.8.8", "2001:1::1", "2001:1::2", "2001:1::3",
                    "2001:3::1", "2001:4:112::1", "2001:20::1", "2001:30::1", "2001:200::1",
                    "2001:db7::1", "2001:db9::1", "2002:808:808::1", "2606:4700::1111",
                    "2620:4f:8000::1", "2a00::1", "3ffe::1", "3fff:1000::1"));

AddressGuard guard_with(const char* text)
{
    const auto network = parse_network(text);
    EXPECT_TRUE(network) << text;
    return AddressGuard({*network});
}

// [DISC-3]
TEST(AddressGuard, AllowsTheConfiguredNetworkAndNoOther)
{
    const auto guard = guard_with("127.0.0.0/8");
    EXPECT_TRUE(guard.allows(at("127.0.0.1")));
    EXPECT_TRUE(guard.allows(at("::ffff:127.0.0.1")));
    EXPECT_FALSE(guard.allows(at("::1")));
    EXPECT_FALSE(guard.allows(at("10.0.0.1")));
    // An IPv6 address that merely stands for one, and goes elsewhere.
    EXPECT_FALSE(guard.allows(at("2002:7f00:1::")));
    EXPECT_TRUE(guard_with("fd00:1::/32").allows(at("fd00:1::9")));
    EXPECT_FALSE(guard_with("fd00:1::/32").allows(at("fd00:2::9")));
}

// [DISC-3]
TEST(AddressGuard, NeverAllowsMulticast)
{
    EXPECT_FALSE(guard_with("0.0.0.0/0").allows(at("224.0.0.1")));
    EXPECT_FALSE(guard_with("0.0.0.0/0").allows(at("::ffff:224.0.0.1")));
    EXPECT_FALSE(guard_with("::/0").allows(at("ff02::1")));
    EXPECT_TRUE(guard_with("0.0.0.0/0").allows(at("127.0.0.1")));
    EXPECT_TRUE(guard_with("::/0").allows(at("::1")));
}

TEST(ParseNetwork, RefusesWhatIsNoNetwork)
{
    for (const char* text :
         {"", "/", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8 ",
          " 10.0.0.0/8", "10.0.0.1/8", "10.0.0/8", "::/129", "::1/64", "fe80::1%1", "a.test",
          "10.0.0.0/8/8", "10.0.0.0/+8"}) {
        EXPECT_FALSE(parse_network(text)) << text;
    }
}

TEST(ParseNetwork, TakesABareAddressAsItself)
{
    EXPECT_TRUE(contains(*parse_network("10.1.2.3"), at("10.1.2.3")));
    EXPECT_FALSE(contains(*parse_network("10.1.2.3"), at("10.1.2.4")));
    EXPECT_TRUE(contains(*parse_network("::1"), at("::1")));
    EXPECT_FALSE(contains(*parse_network("::1"), at("::2")));
}

// [DISC-3]
RC_GTEST_PROP(AddressGuard, JudgesWrappedAddressesAsWhatTheyWrap, (std::uint32_t value))
{
    namespace ip = boost::asio::ip;
    const ip::address_v4 v4(value);
    const auto text = v4.to_string();
    const bool reachable = is_globally_reachable(v4);
    RC_ASSERT(is_globally_reachable(ip::make_address("::ffff:" + text)) == reachable);
    RC_ASSERT(is_globally_reachable(ip::make_address("::" + text)) == reachable);
    RC_ASSERT(is_globally_reachable(ip::make_address("64:ff9b::" + text)) == reachable);
    const auto bytes = v4.to_bytes();
    ip::address_v6::bytes_type six{0x20, 0x02, bytes[0], bytes[1], bytes[2], bytes[3]};
    RC_ASSERT(is_globally_reachable(ip::address_v6(six)) == reachable);
}

}  // namespace
}  // namespace entente::net
