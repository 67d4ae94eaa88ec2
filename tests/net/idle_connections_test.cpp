// What an idle TLS connection costs: the figure is printed, and bounded well below the
// 77 KiB that asio::ssl::stream keeps.
#include <fstream>
#include <iostream>

#include <malloc.h>

#include "net/tls_stream.hpp"
#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

constexpr int connection_count = 1'000;

// A sanitizer's heap is not what counts here.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

std::size_t heap_in_use()
{
    return ::mallinfo2().uordblks;
}

asio::awaitable<void> open_many(Served& served, std::size_t& per_pair)
{
    const auto context = make_client_context(shared_certificate().certificate);
    EXPECT_TRUE(context);
    std::vector<TlsConnectionPtr> connections;
    const std::string request = "GET /hello HTTP/1.1\r\nHost: a.test\r\n\r\n";
    std::size_t before = 0;
    for (int i = 0; i < connection_count + 10; ++i) {
        if (i == 10) before = heap_in_use();  // the first pay for what all share
        const auto executor = served.tasks.executor();
        auto core = std::make_shared<SocketCore>(asio::ip::tcp::socket(executor));
        core->deadline_after(15s);
        auto connected = co_await core->connect(served.server.local());
        EXPECT_TRUE(connected);
        auto secured = co_await connect_tls(core, *context, "a.test");
        EXPECT_TRUE(secured);
        if (!secured) break;
        co_await (*secured)->write(request);
        auto answer = co_await read_answer(**secured);
        EXPECT_EQ(body_of(answer), "hello");
        connections.push_back(std::move(*secured));
    }
    per_pair = (heap_in_use() - before) / connection_count;
    connections.clear();
    co_await served.stop();
}

TEST(IdleConnections, CostLittle)
{
    asio::io_context context;
    auto options = tls_listener();
    options.limits.connections_per_source = connection_count + 10;
    Served served(context, options);
    std::size_t per_pair = 0;
    run(context, open_many(served, per_pair));
    std::cout << "an idle TLS connection and its client: " << per_pair << " octets of heap\n";
    if (sanitized) return;
    EXPECT_LT(per_pair, 75'000U);
    EXPECT_GT(per_pair, 0U);
}

}  // namespace
}  // namespace entente::net::test
