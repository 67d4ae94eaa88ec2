#include "net/forwarded.hpp"

#include <gtest/gtest.h>

namespace entente::net {
namespace {

std::string client(const char* peer, const protocol::Fields& fields)
{
    const std::vector<Network> trusted = {*parse_network("10.0.0.0/8"), *parse_network("fd00::/8")};
    return client_behind(boost::asio::ip::make_address(peer), fields, trusted).to_string();
}

TEST(Forwarded, IsTakenFromATrustedPeer)
{
    EXPECT_EQ(client("10.0.0.1", {{"forwarded", "for=192.0.2.60;proto=https"}}), "192.0.2.60");
    EXPECT_EQ(client("10.0.0.1", {{"forwarded", "For=\"[2001:db8::1]:4711\""}}), "2001:db8::1");
    EXPECT_EQ(client("10.0.0.1", {{"forwarded", "by=x;for=\"192.0.2.60:80\" , for=10.0.0.2"}}),
              "192.0.2.60");
}

TEST(Forwarded, IsIgnoredFromAnyoneElse)
{
    EXPECT_EQ(client("192.0.2.9", {{"forwarded", "for=192.0.2.60"}}), "192.0.2.9");
}

TEST(Forwarded, StopsAtTheRightmostUntrustedHop)
{
    // What stands left of it, the client may have written itself.
    EXPECT_EQ(client("10.0.0.1", {{"forwarded", "for=10.0.0.9, for=192.0.2.60, for=10.0.0.2"}}),
              "192.0.2.60");
    EXPECT_EQ(
        client("10.0.0.1", {{"forwarded", "for=198.51.100.1"}, {"forwarded", "for=192.0.2.60"}}),
        "192.0.2.60");
    EXPECT_EQ(client("10.0.0.1", {{"forwarded", "for=192.0.2.60"}, {"forwarded", "for=10.0.0.2"}}),
              "192.0.2.60");
}

TEST(Forwarded, StopsAtWhatIsNoAddress)
{
    EXPECT_EQ(client("10.0.0.1", {{"forwarded", "for=192.0.2.60, for=unknown"}}), "10.0.0.1");
    EXPECT_EQ(client("10.0.0.1", {{"forwarded", "for=_hidden"}}), "10.0.0.1");
    EXPECT_EQ(client("10.0.0.1", {{"forwarded", "proto=https"}}), "10.0.0.1");
    EXPECT_EQ(client("10.0.0.1", {}), "10.0.0.1");
}

TEST(Forwarded, RefusesABrokenGrammar)
{
    for (const char* text : {"", ",", "for", "for=", "=x", "for=a;", "for=a,", "for=\"a", "for=a b",
                             "for=a;;for=b", "for=a;for=b", "for=\"a\\", "for = a", "for=[::1]"}) {
        EXPECT_FALSE(parse_forwarded(text)) << text;
        EXPECT_EQ(client("10.0.0.1", {{"forwarded", text}}), "10.0.0.1") << text;
    }
}

TEST(Forwarded, ReadsNodesAsTheGrammarSays)
{
    for (const char* text : {"192.0.2.1:", "192.0.2.1:123456", "192.0.2.1:x", "[::1", "[::1]x",
                             "[::1]:", "::1", "[192.0.2.1]", "", "a.test", "[fe80::1%1]"}) {
        EXPECT_FALSE(node_address(text)) << text;
    }
    EXPECT_TRUE(node_address("192.0.2.1:80"));
    EXPECT_TRUE(node_address("[::1]:80"));
    EXPECT_EQ(*parse_forwarded("for=\"a\\\"b\""), std::vector<std::string>{"a\"b"});
}

}  // namespace
}  // namespace entente::net
