#include "net/http_client.hpp"

#include <fstream>
#include <sstream>

#include "net/plain_stream.hpp"
#include "net/tls_stream.hpp"
#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

AddressGuard loopback_guard()
{
    return AddressGuard({*parse_network("127.0.0.0/8")});
}

ClientOptions client_of(asio::ip::tcp::endpoint endpoint)
{
    ClientOptions options;
    options.guard = loopback_guard();
    options.ca_file = shared_certificate().certificate;
    options.resolve = {{"a.test", endpoint}, {"b.test", endpoint}, {"c.test", endpoint}};
    return options;
}

Fetch fetch_of(const std::string& target, const std::string& host = "a.test")
{
    Fetch fetch;
    fetch.host = host;
    fetch.target = target;
    fetch.time = 10s;
    return fetch;
}

void serve_while(asio::awaitable<void> (*task)(Served&, HttpClient&),
                 std::shared_ptr<TlsServerContext> tls = shared_tls())
{
    asio::io_context context;
    auto options = tls_listener();
    options.tls = std::move(tls);
    Served served(context, options);
    HttpClient client(context.get_executor(), client_of(served.server.local()));
    run(context, task(served, client));
}

asio::awaitable<void> fetch_never(HttpClient& client)
{
    auto fetch = fetch_of("/never");
    fetch.time = 300ms;
    auto answer = co_await client.fetch(fetch);
    EXPECT_FALSE(answer);
}

asio::awaitable<void> one_at_a_time(Served& served, HttpClient& client)
{
    served.tasks.spawn(fetch_never(client));
    co_await sleep_for(20ms);
    auto second = co_await client.fetch(fetch_of("/hello"));
    EXPECT_FALSE(second);
    if (!second) {
        EXPECT_EQ(second.error().code, Code::unavailable);
        // Soon there is room: our own limit is no sign that the server is down.
        EXPECT_EQ(second.error().retry_after, 1);
    }
    co_await sleep_for(400ms);
    auto third = co_await client.fetch(fetch_of("/hello"));
    EXPECT_TRUE(third) << third.error().detail;
}

TEST(HttpClient, BeginsNoMoreRequestsThanItMay)
{
    asio::io_context context;
    Served served(context, tls_listener());
    auto options = client_of(served.server.local());
    options.requests_under_way = 1;
    HttpClient client(context.get_executor(), options);
    run(context, one_at_a_time(served, client));
}

asio::awaitable<void> fetch_some(Served& served, HttpClient& client)
{
    auto hello = co_await client.fetch(fetch_of("/hello"));
    EXPECT_TRUE(hello) << hello.error().detail;
    if (hello) {
        EXPECT_EQ(hello->status, 200);
        EXPECT_EQ(hello->body, "hello");
        EXPECT_EQ(hello->fields.front().first, "date");
    }
    auto post = fetch_of("/echo", "b.test");
    post.method = "POST";
    post.body = "posted";
    post.fields = {{"Content-Type", "text/plain"}};
    auto echoed = co_await client.fetch(post);
    EXPECT_TRUE(echoed);
    if (echoed) {
        EXPECT_EQ(echoed->body, "posted");
    }
    auto big = co_await client.fetch(fetch_of("/big"));
    EXPECT_TRUE(big);
    if (big) {
        EXPECT_EQ(big->body.size(), 1'048'576U);
    }
    auto absent = co_await client.fetch(fetch_of("/absent"));
    EXPECT_TRUE(absent);
    if (absent) {
        EXPECT_EQ(absent->status, 404);
    }
    auto head = fetch_of("/hello");
    head.method = "HEAD";
    auto headed = co_await client.fetch(head);
    EXPECT_TRUE(headed);
    if (headed) {
        EXPECT_EQ(headed->body, "");
    }
    co_await served.stop();
}

TEST(HttpClient, FetchesOverTls)
{
    serve_while(fetch_some);
}

asio::awaitable<void> fetch_below_a_domain(HttpClient& client)
{
    auto below = co_await client.fetch(fetch_of("/hello", "b.test"));
    EXPECT_TRUE(below);
    auto own = co_await client.fetch(fetch_of("/hello", "c.test"));
    EXPECT_FALSE(own);
    auto nearer = co_await client.fetch(fetch_of("/hello", "b.away.test"));
    EXPECT_FALSE(nearer);
}

TEST(HttpClient, ADomainStandsForAllNamesBelowItButForThoseWithAnEntryOfTheirOwn)
{
    asio::io_context context;
    Served served(context, tls_listener());
    auto options = client_of(served.server.local());
    const asio::ip::tcp::endpoint nobody(asio::ip::address_v4::loopback(), 1);
    options.resolve = {
        {"*.test", served.server.local()}, {"*.away.test", nobody}, {"c.test", nobody}};
    HttpClient client(context.get_executor(), options);
    run(context, fetch_below_a_domain(client));
}

asio::awaitable<void> count_connections(Served& served, HttpClient& client)
{
    for (int i = 0; i < 5; ++i) {
        auto done = co_await client.fetch(fetch_of("/hello"));
        EXPECT_TRUE(done);
    }
    // The accept loop, and one connection only: the others were the same one.
    co_await served.stop();
}

TEST(HttpClient, UsesAConnectionAgain)
{
    asio::io_context context;
    auto options = tls_listener();
    options.limits.connections = 1;  // a second connection would be refused
    Served served(context, options);
    HttpClient client(context.get_executor(), client_of(served.server.local()));
    run(context, count_connections(served, client));
}

asio::awaitable<void> after_server_closed(Served& served, HttpClient& client)
{
    auto first = co_await client.fetch(fetch_of("/hello"));
    EXPECT_TRUE(first);
    // This one is closed later than the idle one, which the server forgets sooner.
    auto silent = co_await talk(served.server.local(), "");
    EXPECT_EQ(silent, "");
    auto post = fetch_of("/echo");
    post.method = "POST";
    post.body = "x";
    auto second = co_await client.fetch(post);
    EXPECT_TRUE(second) << second.error().detail;
    co_await served.stop();
}

TEST(HttpClient, SendsNothingOnAConnectionThatThePeerHasClosed)
{
    asio::io_context context;
    auto options = tls_listener();
    options.limits.idle_time = 20ms;
    options.limits.tls_time = 500ms;
    Served served(context, options);
    HttpClient client(context.get_executor(), client_of(served.server.local()));
    run(context, after_server_closed(served, client));
}

asio::awaitable<void> expect_error(Served& served, HttpClient& client, Fetch fetch, Code code)
{
    auto done = co_await client.fetch(std::move(fetch));
    EXPECT_FALSE(done);
    if (!done) {
        EXPECT_EQ(done.error().code, code) << done.error().detail;
    }
    co_await served.stop(50ms);
}

asio::awaitable<void> fetch_into(Served& served, HttpClient& client, Fetch fetch, std::string& body)
{
    auto answer = co_await client.fetch(std::move(fetch));
    EXPECT_TRUE(answer) << answer.error().detail;
    if (answer) body = std::move(answer->body);
    co_await served.stop(50ms);
}

std::string body_of(const std::function<void(ClientOptions&)>& change, Fetch fetch)
{
    asio::io_context context;
    Served served(context, tls_listener());
    auto options = client_of(served.server.local());
    change(options);
    HttpClient client(context.get_executor(), std::move(options));
    std::string body;
    run(context, fetch_into(served, client, std::move(fetch), body));
    return body;
}

// What `fetch` fails with, when the client is set up by `options` (given the server's address).
void fails(const std::function<void(ClientOptions&)>& change, Fetch fetch, Code code,
           std::shared_ptr<TlsServerContext> tls = shared_tls())
{
    asio::io_context context;
    auto listener = tls_listener();
    listener.tls = std::move(tls);
    Served served(context, listener);
    auto options = client_of(served.server.local());
    change(options);
    HttpClient client(context.get_executor(), std::move(options));
    run(context, expect_error(served, client, std::move(fetch), code));
}

void unchanged(ClientOptions&) {}

// [DISC-2]
TEST(HttpClient, RefusesACertificateForAnotherName)
{
    fails(unchanged, fetch_of("/hello", "c.test"), Code::unavailable);
}

// [DISC-2]
TEST(HttpClient, RefusesAnUnknownAuthority)
{
    fails([](ClientOptions& options) { options.ca_file.clear(); }, fetch_of("/hello"),
          Code::unavailable);
}

TEST(HttpClient, SaysThatItsAuthoritiesCantBeRead)
{
    fails([](ClientOptions& options) { options.ca_file = "/absent/ca.pem"; }, fetch_of("/hello"),
          Code::unavailable);
}

// [DISC-2]
TEST(HttpClient, RefusesAnExpiredCertificate)
{
    const Folder folder;
    const auto certificate = folder.file("c.pem"), key = folder.file("k.pem");
    ASSERT_TRUE(make_self_signed(certificate, key, {"a.test"}, -1));
    auto tls = TlsServerContext::load(certificate, key);
    ASSERT_TRUE(tls);
    fails([&](ClientOptions& options) { options.ca_file = certificate; }, fetch_of("/hello"),
          Code::unavailable, *tls);
}

// [DISC-3]
TEST(HttpClient, ConnectsOnlyWhereTheGuardAllows)
{
    fails([](ClientOptions& options) { options.guard = AddressGuard(); }, fetch_of("/hello"),
          Code::forbidden);
}

TEST(HttpClient, RefusesAddressesInPlaceOfNames)
{
    fails(unchanged, fetch_of("/hello", "127.0.0.1"), Code::malformed);
    fails(unchanged, fetch_of("/hello", "::1"), Code::malformed);
    fails(unchanged, fetch_of("/hello", "[::1]"), Code::malformed);
    fails(unchanged, fetch_of("/hello", "a.127"), Code::malformed);
    fails(unchanged, fetch_of("/hello", ""), Code::malformed);
}

TEST(HttpClient, RefusesRequestsThatWouldBeTwo)
{
    auto with_field = fetch_of("/hello");
    with_field.fields = {{"X", "a\r\nY: b"}};
    fails(unchanged, with_field, Code::malformed);
    fails(unchanged, fetch_of("/hello HTTP/1.1\r\nX: y"), Code::malformed);
    fails(unchanged, fetch_of("hello"), Code::malformed);
}

TEST(HttpClient, LimitsTheAnswer)
{
    auto fetch = fetch_of("/big");
    fetch.max_body = 1'048'575;
    fails(unchanged, fetch, Code::too_large);
}

// However many answer at once: what all hold together is bounded, and little always fits.
TEST(HttpClient, ALargeAnswerWaitsWhereTheRoomOfAllIsTaken)
{
    const auto nothing_left = [](ClientOptions& options) { options.answers = {0, 1 << 24, 65536}; };
    fails(nothing_left, fetch_of("/big"), Code::unavailable);
    const auto some_left = [](ClientOptions& options) {
        options.answers = {1 << 21, 1 << 24, 65536};
    };
    EXPECT_EQ(body_of(some_left, fetch_of("/big")).size(), 1'048'576U);
    EXPECT_EQ(body_of(nothing_left, fetch_of("/hello")), "hello");
}

TEST(HttpClient, EndsAtItsDeadline)
{
    auto fetch = fetch_of("/never");
    fetch.time = 50ms;
    fails(unchanged, fetch, Code::timeout);
}

TEST(HttpClient, SaysWhenNobodyListens)
{
    fails(
        [](ClientOptions& options) {
            for (auto& [name, endpoint] : options.resolve) endpoint.port(1);
        },
        fetch_of("/hello"), Code::unavailable);
}

// A TLS server that says what it is told to and then closes, or goes on for ever.
struct Scripted {
    std::string answer;
    bool endless = false;
    int connections = 0;
};

asio::awaitable<void> play(asio::ip::tcp::acceptor& acceptor, Scripted& script)
{
    while (true) {
        auto socket = co_await acceptor.async_accept(asio::use_awaitable);
        ++script.connections;
        auto core = std::make_shared<SocketCore>(std::move(socket));
        auto context = static_cast<OpenSslServerContext&>(*shared_tls()).current();
        auto connection = co_await accept_tls(core, context);
        if (!connection) continue;
        std::string request(4096, '\0');
        co_await (*connection)->read_some(request.data(), request.size());
        co_await (*connection)->write(script.answer);
        const std::string chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
        bool open = script.endless;
        while (open) {
            auto written = co_await (*connection)->write(chunk);
            open = written.has_value();
        }
        co_await (*connection)->shutdown();
    }
}

asio::awaitable<void> fetch_scripted(asio::ip::tcp::acceptor& acceptor, Scripted& script,
                                     HttpClient& client, Result<FetchedResponse>& result)
{
    TaskGroup tasks(acceptor.get_executor(), nullptr);
    tasks.spawn(play(acceptor, script));
    auto fetch = fetch_of("/");
    fetch.max_body = 100'000;
    result = co_await client.fetch(fetch);
    co_await tasks.stop();
}

Result<FetchedResponse> answered(std::string answer, bool endless = false)
{
    asio::io_context context;
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
    Scripted script{std::move(answer), endless, 0};
    HttpClient client(context.get_executor(), client_of(acceptor.local_endpoint()));
    Result<FetchedResponse> result = FetchedResponse();
    run(context, fetch_scripted(acceptor, script, client, result));
    EXPECT_EQ(script.connections, 1);
    return result;
}

Code refused(std::string answer, bool endless = false)
{
    const auto result = answered(std::move(answer), endless);
    EXPECT_FALSE(result);
    return result ? Code::internal : result.error().code;
}

// [HTTP-14]
TEST(HttpClient, ReadsAnswersInEveryForm)
{
    const auto chunked = answered(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n");
    ASSERT_TRUE(chunked) << chunked.error().detail;
    EXPECT_EQ(chunked->body, "abcde");
    const auto interim = answered(
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    ASSERT_TRUE(interim) << interim.error().detail;
    EXPECT_EQ(interim->status, 200);
    EXPECT_EQ(interim->body, "ok");
    const auto until_close = answered("HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nall of it");
    ASSERT_TRUE(until_close) << until_close.error().detail;
    EXPECT_EQ(until_close->body, "all of it");
    EXPECT_EQ(until_close->fields.at(0).first, "x-a");
}

// [HTTP-14]
TEST(HttpClient, RefusesAnswersThatAreNone)
{
    EXPECT_EQ(refused("nonsense\r\n\r\n"), Code::malformed);
    EXPECT_EQ(refused("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), Code::malformed);
    EXPECT_EQ(refused("HTTP/1.1 101 Switching Protocols\r\n\r\n"), Code::malformed);
    EXPECT_EQ(refused(""), Code::unavailable);
    EXPECT_EQ(refused("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"), Code::unavailable);
}

// [HTTP-14]
TEST(HttpClient, LimitsEndlessAnswers)
{
    EXPECT_EQ(refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true),
              Code::too_large);
    EXPECT_EQ(refused("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"),
              Code::too_large);
    EXPECT_EQ(refused("HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"), Code::too_large);
}

asio::awaitable<void> reload_between(Served& served, HttpClient& client, TlsServerContext& tls,
                                     const Certificate& files)
{
    auto before = co_await client.fetch(fetch_of("/hello"));
    EXPECT_TRUE(before) << before.error().detail;
    EXPECT_TRUE(make_self_signed(files.certificate, files.key, {"c.test"}, 30));
    EXPECT_TRUE(tls.reload());
    auto on_the_old = co_await client.fetch(fetch_of("/hello"));
    EXPECT_TRUE(on_the_old);  // its connection goes on
    client.close_idle();
    auto after = co_await client.fetch(fetch_of("/hello"));
    EXPECT_FALSE(after);
    co_await served.stop();
}

TEST(TlsReload, GivesNewConnectionsTheNewCertificate)
{
    const Folder folder;
    const Certificate files{folder.file("c.pem"), folder.file("k.pem")};
    ASSERT_TRUE(make_self_signed(files.certificate, files.key, {"a.test"}, 30));
    auto tls = TlsServerContext::load(files.certificate, files.key);
    ASSERT_TRUE(tls);
    asio::io_context context;
    auto listener = tls_listener();
    listener.tls = *tls;
    Served served(context, listener);
    auto options = client_of(served.server.local());
    options.ca_file = files.certificate;
    HttpClient client(context.get_executor(), options);
    run(context, reload_between(served, client, **tls, files));
}

}  // namespace
}  // namespace entente::net::test
