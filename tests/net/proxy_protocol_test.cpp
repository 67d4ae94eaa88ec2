#include "net/proxy_protocol.hpp"

#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

std::string header(unsigned char command, unsigned char family, const std::string& rest)
{
    std::string text(proxy_signature);
    text += static_cast<char>(command);
    text += static_cast<char>(family);
    text += static_cast<char>(rest.size() / 256);
    text += static_cast<char>(rest.size() % 256);
    return text + rest;
}

const std::string v4_addresses{"\xC0\x00\x02\x3C\x7F\x00\x00\x01\x10\x00\x01\xBB", 12};

TEST(ProxyHeader, GivesTheClientsAddress)
{
    EXPECT_EQ(parse_proxy_header(header(0x21, 0x11, v4_addresses)).value().value().to_string(),
              "192.0.2.60");
    std::string six = "\x20\x01\x0d\xb8";
    six.resize(36, '\x01');
    EXPECT_EQ(parse_proxy_header(header(0x21, 0x21, six)).value().value().to_string(),
              "2001:db8:101:101:101:101:101:101");
    const auto with_extra = header(0x21, 0x11, v4_addresses + "\x03\x01\x00");
    EXPECT_TRUE(parse_proxy_header(with_extra).value().has_value());
}

TEST(ProxyHeader, GivesNothingWhereTheProxySpeaksForItself)
{
    EXPECT_FALSE(parse_proxy_header(header(0x20, 0x00, "")).value().has_value());
    EXPECT_FALSE(parse_proxy_header(header(0x21, 0x00, "")).value().has_value());
    EXPECT_FALSE(parse_proxy_header(header(0x21, 0x31, std::string(216, 'x'))).value().has_value());
}

TEST(ProxyHeader, RefusesWhatIsNone)
{
    EXPECT_FALSE(parse_proxy_header(""));
    EXPECT_FALSE(parse_proxy_header("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"));
    EXPECT_FALSE(parse_proxy_header(header(0x11, 0x11, v4_addresses)));  // version 1
    EXPECT_FALSE(parse_proxy_header(header(0x22, 0x11, v4_addresses)));  // unknown command
    EXPECT_FALSE(parse_proxy_header(header(0x21, 0x11, "short")));
    EXPECT_FALSE(parse_proxy_header(header(0x21, 0x21, v4_addresses)));
    EXPECT_FALSE(parse_proxy_header(header(0x21, 0x11, v4_addresses) + "x"));
    EXPECT_FALSE(parse_proxy_header(header(0x21, 0x11, std::string(max_proxy_octets + 1, 'x'))));
}

const std::string ask_source = "GET /source HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";

ListenerOptions trusting_listener()
{
    auto options = plain_listener();
    options.trusted_proxies = {*parse_network("127.0.0.1")};
    return options;
}

asio::awaitable<void> tell_sources(Served& served, bool trusted)
{
    const auto proxied = header(0x21, 0x11, v4_addresses) + ask_source;
    auto answer = co_await talk(served.server.local(), proxied);
    if (trusted) {
        EXPECT_EQ(body_of(answer), "192.0.2.60");
    } else {
        EXPECT_EQ(status_of(answer), 400) << answer;
    }
    auto without = co_await talk(served.server.local(), ask_source);
    EXPECT_EQ(body_of(without), "127.0.0.1");
    auto forwarded =
        co_await talk(served.server.local(),
                      "GET /source HTTP/1.1\r\nHost: a.test\r\nForwarded: for=192.0.2.7"
                      "\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(body_of(forwarded), trusted ? "192.0.2.7" : "127.0.0.1");
    auto nonsense = co_await talk(served.server.local(), "\r\nGET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(status_of(nonsense), trusted ? 0 : 400);
    co_await served.stop();
}

TEST(ProxyProtocol, IsTakenFromATrustedPeer)
{
    asio::io_context context;
    Served served(context, trusting_listener());
    run(context, tell_sources(served, true));
}

TEST(ProxyProtocol, IsNoRequestFromAnyoneElse)
{
    asio::io_context context;
    Served served(context, plain_listener());
    run(context, tell_sources(served, false));
}

}  // namespace
}  // namespace entente::net::test
