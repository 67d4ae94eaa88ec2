// Names through c-ares, from a DNS server of the test's own on the loopback.
#include <array>

#include <boost/asio/ip/udp.hpp>

#include "net/await.hpp"
#include "net/http_client.hpp"
#include "net/resolver.hpp"
#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

using udp = asio::ip::udp;
using Zone = std::map<std::string, std::vector<std::string>>;  // name → IPv4 addresses

struct NameServer {
    NameServer(asio::io_context& context, Zone of)
        : socket(context, udp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
          zone(std::move(of))
    {
    }
    [[nodiscard]] std::string address() const
    {
        return "127.0.0.1:" + std::to_string(socket.local_endpoint().port());
    }
    udp::socket socket;
    Zone zone;
    int asked = 0;
};

// The name of a question, and where its type stands.
std::pair<std::string, std::size_t> question_name(const std::string& query)
{
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
        const auto size = static_cast<std::size_t>(query[at]);
        if (!name.empty()) name += '.';
        name += query.substr(at + 1, size);
        at += size + 1;
    }
    return {name, at + 1};
}

std::string reply_to(const std::string& query, const Zone& zone)
{
    const auto [name, type_at] = question_name(query);
    const auto found = zone.find(name);
    std::string reply = query.substr(0, 2);
    const bool wants_v4 = query.at(type_at + 1) == 1;
    const auto count = found != zone.end() && wants_v4 ? found->second.size() : 0;
    reply += '\x81';
    reply += found == zone.end() ? '\x83' : '\x80';  // no such name
    reply += std::string("\0\1\0", 3) + static_cast<char>(count) + std::string(4, '\0');
    reply += query.substr(12, type_at + 4 - 12);
    for (std::size_t i = 0; i < count; ++i) {
        reply += std::string("\xC0\x0C\0\1\0\1\0\0\0\x3C\0\4", 12);
        const auto bytes = asio::ip::make_address_v4(found->second[i]).to_bytes();
        reply.append(bytes.begin(), bytes.end());
    }
    return reply;
}

asio::awaitable<void> answer_names(NameServer& server)
{
    std::array<char, 512> buffer;
    while (true) {
        udp::endpoint from;
        auto [error, size] =
            co_await server.socket.async_receive_from(asio::buffer(buffer), from, as_result);
        if (error) co_return;
        ++server.asked;
        const std::string query(buffer.data(), size);
        if (question_name(query).first == "silent.test") continue;
        const auto reply = reply_to(query, server.zone);
        co_await server.socket.async_send_to(asio::buffer(reply), from, as_result);
    }
}

const Zone zone = {
    {"a.test", {"127.0.0.1"}}, {"b.test", {"127.0.0.1", "10.9.9.9"}}, {"empty.test", {}}};

asio::awaitable<void> look_up(NameServer& server)
{
    TaskGroup tasks(server.socket.get_executor(), nullptr);
    tasks.spawn(answer_names(server));
    const auto soon = std::chrono::steady_clock::now() + 10s;
    auto one = co_await resolve_host("a.test", server.address(), soon);
    EXPECT_TRUE(one);
    if (one) {
        EXPECT_EQ(one->size(), 1U);
        EXPECT_EQ(one->front().to_string(), "127.0.0.1");
    }
    auto two = co_await resolve_host("b.test", server.address(), soon);
    EXPECT_TRUE(two);
    if (two) {
        EXPECT_EQ(two->size(), 2U);
    }
    for (const char* name : {"absent.test", "empty.test"}) {
        auto none = co_await resolve_host(name, server.address(), soon);
        EXPECT_FALSE(none) << name;
        if (!none) {
            EXPECT_EQ(none.error().code, Code::unavailable) << none.error().detail;
        }
    }
    const auto now = std::chrono::steady_clock::now();
    auto silent = co_await resolve_host("silent.test", server.address(), now + 30ms);
    EXPECT_FALSE(silent);
    if (!silent) {
        EXPECT_EQ(silent.error().code, Code::timeout);
    }
    EXPECT_GE(server.asked, 5);
    co_await tasks.stop();
}

TEST(Resolver, AsksTheNameServer)
{
    asio::io_context context;
    NameServer server(context, zone);
    run(context, look_up(server));
}

asio::awaitable<void> fetch_by_name(Served& served, NameServer& names, HttpClient& client)
{
    served.tasks.spawn(answer_names(names));
    Fetch fetch;
    fetch.host = "a.test";
    fetch.port = served.server.local().port();
    fetch.target = "/hello";
    auto done = co_await client.fetch(fetch);
    EXPECT_TRUE(done) << done.error().detail;
    fetch.host = "b.test";
    auto mixed = co_await client.fetch(fetch);
    EXPECT_FALSE(mixed);
    if (!mixed) {
        EXPECT_EQ(mixed.error().code, Code::forbidden) << mixed.error().detail;
    }
    co_await served.stop();
}

// [DISC-3]
TEST(HttpClient, RefusesANameOfWhichAnyAddressIsForbidden)
{
    asio::io_context context;
    NameServer names(context, zone);
    Served served(context, tls_listener());
    ClientOptions options;
    options.guard = AddressGuard({*parse_network("127.0.0.0/8")});
    options.ca_file = shared_certificate().certificate;
    options.dns_servers = names.address();
    HttpClient client(context.get_executor(), options);
    run(context, fetch_by_name(served, names, client));
}

}  // namespace
}  // namespace entente::net::test
