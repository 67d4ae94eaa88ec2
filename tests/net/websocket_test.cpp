#include "net/websocket.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "net/await.hpp"
#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using Client = websocket::stream<beast::tcp_stream, false>;

asio::awaitable<Result<std::shared_ptr<void>>> admit(const Request& request)
{
    if (request.query != "ticket=1") co_return fail(Code::unauthenticated, "no ticket");
    co_return std::shared_ptr<void>(std::make_shared<std::string>("admitted"));
}

// Echoes what comes behind the word that `admit` handed on.
asio::awaitable<void> echo(std::shared_ptr<void> admitted, WebSocket& socket)
{
    while (true) {
        auto message = co_await socket.read();
        if (!message) break;
        if (*message == "bye") {
            co_await socket.close(4000, "as asked");
            break;
        }
        auto written = co_await socket.write(*std::static_pointer_cast<std::string>(admitted) +
                                             " " + *message);
        if (!written) break;
    }
}

std::shared_ptr<Router> routes()
{
    auto router = std::make_shared<Router>();
    WebSocketHandler handler;
    handler.admit = admit;
    handler.serve = echo;
    router->add_websocket("/ws", handler);
    return router;
}

asio::awaitable<boost::system::error_code> open(Client& client, Served& served,
                                                std::string target = "/ws?ticket=1")
{
    auto [refused] =
        co_await beast::get_lowest_layer(client).async_connect(served.server.local(), as_result);
    EXPECT_FALSE(refused);
    auto [error] = co_await client.async_handshake("a.test", target, as_result);
    co_return error;
}

asio::awaitable<std::string> receive(Client& client)
{
    beast::flat_buffer buffer;
    auto [error, size] = co_await client.async_read(buffer, as_result);
    static_cast<void>(size);
    co_return error ? "error: " + error.message() : beast::buffers_to_string(buffer.data());
}

void serve_while(asio::awaitable<void> (*task)(Served&, Client&),
                 const ListenerOptions& options = plain_listener())
{
    asio::io_context context;
    Served served(context, options, routes());
    Client client(context);
    run(context, task(served, client));
    EXPECT_EQ(served.tasks.size(), 0U);
    EXPECT_TRUE(served.bugs.empty());
}

asio::awaitable<void> echoes(Served& served, Client& client)
{
    auto failed = co_await open(client, served);
    EXPECT_FALSE(failed) << failed.message();
    const std::string large(500'000, 'x');
    for (const auto& text : {std::string("one"), std::string(), large}) {
        co_await client.async_write(asio::buffer(text), as_result);
        auto answer = co_await receive(client);
        EXPECT_EQ(answer, "admitted " + text);
    }
    const std::string bye = "bye";
    co_await client.async_write(asio::buffer(bye), as_result);
    co_await receive(client);
    EXPECT_EQ(client.reason().code, 4000);
    EXPECT_EQ(client.reason().reason, "as asked");
    co_await served.stop();
}

TEST(WebSocket, CarriesTextBothWays)
{
    serve_while(echoes);
}

asio::awaitable<void> binary(Served& served, Client& client)
{
    co_await open(client, served);
    client.binary(true);
    const std::string text = "one";
    co_await client.async_write(asio::buffer(text), as_result);
    co_await receive(client);
    EXPECT_EQ(client.reason().code, websocket::close_code::unknown_data);
    co_await served.stop();
}

TEST(WebSocket, TakesTextOnly)
{
    serve_while(binary);
}

asio::awaitable<void> oversized(Served& served, Client& client)
{
    co_await open(client, served);
    const std::string text(1'048'577, 'x');
    co_await client.async_write(asio::buffer(text), as_result);
    co_await receive(client);
    EXPECT_EQ(client.reason().code, websocket::close_code::too_big);
    co_await served.stop();
}

TEST(WebSocket, LimitsAMessage)
{
    serve_while(oversized);
}

asio::awaitable<void> over_the_budget(Served& served, Client& client)
{
    co_await open(client, served);
    // One after the other each fits.
    const std::string fits(120'000, 'x');
    for (int i = 0; i < 3; ++i) {
        co_await client.async_write(asio::buffer(fits), as_result);
        auto answer = co_await receive(client);
        EXPECT_EQ(answer.size(), fits.size() + 9);
    }
    const std::string large(200'000, 'x');
    co_await client.async_write(asio::buffer(large), as_result);
    co_await receive(client);
    EXPECT_EQ(client.reason().code, websocket::close_code::try_again_later);
    co_await served.stop();
}

TEST(WebSocket, LargeMessagesKeepToTheListenersBudget)
{
    auto options = plain_listener();
    options.limits.bodies_per_source = 150'000;
    serve_while(over_the_budget, options);
}

asio::awaitable<void> refused(Served& served, Client& client)
{
    auto failed = co_await open(client, served, "/ws?ticket=2");
    EXPECT_EQ(failed, websocket::error::upgrade_declined);
    const std::string close = "Connection: close\r\n";
    auto plain = co_await talk(served.server.local(),
                               "GET /ws?ticket=1 HTTP/1.1\r\nHost: a\r\n" + close + "\r\n");
    EXPECT_EQ(status_of(plain), 400);
    auto ticketless =
        co_await talk(served.server.local(),
                      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: "
                      "websocket\r\n\r\n");
    EXPECT_EQ(status_of(ticketless), 401);
    auto keyless = co_await talk(served.server.local(),
                                 "GET /ws?ticket=1 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
                                 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n");
    EXPECT_EQ(status_of(keyless), 400);
    co_await served.stop();
}

TEST(WebSocket, IsRefusedWithAProblem)
{
    serve_while(refused);
}

asio::awaitable<void> stop_server(Served& served)
{
    co_await served.server.stop(5s);
}

asio::awaitable<void> goodbye(Served& served, Client& client)
{
    co_await open(client, served);
    served.tasks.spawn(stop_server(served));
    co_await receive(client);
    EXPECT_EQ(client.reason().code, websocket::close_code::going_away);
    const bool drained = co_await served.tasks.drained(10s);
    EXPECT_TRUE(drained);
}

TEST(WebSocket, IsToldThatTheServerStops)
{
    serve_while(goodbye);
}

asio::awaitable<void> silent_at_stop(Served& served, Client& client)
{
    co_await open(client, served);
    co_await served.stop(30ms);  // the client doesn't answer the close
    EXPECT_EQ(served.tasks.size(), 0U);
}

TEST(WebSocket, EndsAtTheLimitWhenTheClientIsSilent)
{
    serve_while(silent_at_stop);
}

asio::awaitable<void> cancelled(Served& served, Client& client)
{
    co_await open(client, served);
    co_await served.tasks.stop();
    auto text = co_await receive(client);
    EXPECT_TRUE(text.starts_with("error: ")) << text;
}

asio::awaitable<void> stops_within_the_time_to_close(Served& served, Client& client)
{
    EXPECT_FALSE(co_await open(client, served));
    const auto began = std::chrono::steady_clock::now();
    co_await served.stop(30s);  // and the client sends no close frame
    EXPECT_LT(std::chrono::steady_clock::now() - began, 15s);
}

TEST(WebSocket, WhoSendsNoCloseFrameHoldsUpNoStop)
{
    serve_while(stops_within_the_time_to_close);
}

TEST(WebSocket, EndsWithTheTaskGroup)
{
    serve_while(cancelled);
}

}  // namespace
}  // namespace entente::net::test
