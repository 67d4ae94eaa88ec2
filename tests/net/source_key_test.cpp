// What counts as one source, and how it is written, for budgets and for policies.
#include "net/source_key.hpp"

#include <gtest/gtest.h>

namespace entente::net {
namespace {

std::string key_of(const char* text)
{
    return source_key(boost::asio::ip::make_address(text));
}

TEST(SourceKey, IsTheTextOfAnIpv4Address)
{
    EXPECT_EQ(key_of("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(key_of("::ffff:192.0.2.1"), "192.0.2.1");
}

// [KEY-8]
TEST(SourceKey, IsTheTextOfAnIpv6NetworkOf64Bits)
{
    EXPECT_EQ(key_of("2001:db8:1:2::1"), "2001:db8:1:2::/64");
    EXPECT_EQ(key_of("2001:db8:1:2:ffff::9"), "2001:db8:1:2::/64");
    EXPECT_EQ(key_of("2001:db8:1:3::1"), "2001:db8:1:3::/64");
    EXPECT_EQ(key_of("2001:db8::ffff:1:2:3"), "2001:db8::/64");
    EXPECT_EQ(key_of("fe80::1%1"), "fe80::/64");
}

}  // namespace
}  // namespace entente::net
