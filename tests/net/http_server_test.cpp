#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

std::string get(const std::string& target, const std::string& more = "")
{
    return "GET " + target + " HTTP/1.1\r\nHost: a.test\r\n" + more + "\r\n";
}

std::string post(const std::string& target, const std::string& body, const std::string& more = "")
{
    return "POST " + target +
           " HTTP/1.1\r\nHost: a.test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           more + "\r\n" + body;
}

// Serves `options` while `task` runs.
void serve_while(ListenerOptions options, asio::awaitable<void> (*task)(Served&))
{
    asio::io_context context;
    Served served(context, std::move(options));
    run(context, task(served));
    EXPECT_EQ(served.tasks.size(), 0U);
}

asio::awaitable<void> several_on_one(Served& served)
{
    auto connection = co_await connect_raw(served.server.local());
    for (int i = 0; i < 3; ++i) {
        co_await connection->write(get("/items/" + std::to_string(i) + "?x=%20"));
        auto answer = co_await read_answer(*connection);
        EXPECT_EQ(status_of(answer), 200);
        EXPECT_EQ(body_of(answer), std::to_string(i) + "|x=%20");
        EXPECT_NE(answer.find("\r\nDate: "), std::string::npos);
        EXPECT_EQ(answer.find("Connection: close"), std::string::npos);
        co_await connection->write(post("/echo", "body " + std::to_string(i)));
        auto echoed = co_await read_answer(*connection);
        EXPECT_EQ(body_of(echoed), "body " + std::to_string(i));
    }
    co_await connection->write(get("/hello", "Connection: close\r\n"));
    auto last = co_await read_to_end(*connection);
    EXPECT_NE(last.find("Connection: close"), std::string::npos);
    co_await served.stop();
}

TEST(HttpServer, AnswersManyRequestsOnOneConnection)
{
    serve_while(plain_listener(), several_on_one);
}

asio::awaitable<void> pipelined(Served& served)
{
    const auto octets = post("/echo", "one") + get("/items/two") + post("/echo", "three") +
                        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "2\r\nfo\r\n2\r\nur\r\n0\r\n\r\n" +
                        get("/hello", "Connection: close\r\n");
    auto answers = co_await talk(served.server.local(), octets);
    std::size_t at = 0;
    for (const char* body :
         {"\r\n\r\none", "\r\n\r\ntwo|", "\r\n\r\nthree", "\r\n\r\nfour", "\r\n\r\nhello"}) {
        at = answers.find(body, at);
        EXPECT_NE(at, std::string::npos) << body;
    }
    co_await served.stop();
}

// [HTTP-10]
TEST(HttpServer, KeepsPipelinedRequestsApart)
{
    serve_while(plain_listener(), pipelined);
}

asio::awaitable<void> methods(Served& served)
{
    const auto at = served.server.local();
    const std::string close = "Connection: close\r\n";
    auto head = co_await talk(at, "HEAD /hello HTTP/1.1\r\nHost: a\r\n" + close + "\r\n");
    EXPECT_EQ(status_of(head), 200);
    EXPECT_NE(head.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_EQ(body_of(head), "");

    auto absent = co_await talk(at, get("/absent", close));
    EXPECT_EQ(status_of(absent), 404);
    EXPECT_NE(absent.find("application/problem+json"), std::string::npos);
    EXPECT_NE(absent.find("urn:entente:problem:not-found"), std::string::npos);

    auto other = co_await talk(at, "DELETE /echo HTTP/1.1\r\nHost: a\r\n" + close + "\r\n");
    EXPECT_EQ(status_of(other), 405);
    EXPECT_NE(other.find("Allow: POST\r\n"), std::string::npos);
    EXPECT_NE(other.find("urn:entente:problem:method-not-allowed"), std::string::npos);

    auto old = co_await talk(at, "GET /hello HTTP/1.0\r\n\r\n");
    EXPECT_EQ(status_of(old), 200);
    EXPECT_EQ(body_of(old), "hello");
    co_await served.stop();
}

TEST(HttpServer, AnswersHeadUnknownPathsAndUnknownMethods)
{
    serve_while(plain_listener(), methods);
}

asio::awaitable<void> expects(Served& served)
{
    auto connection = co_await connect_raw(served.server.local());
    co_await connection->write(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
        "Expect: 100-continue\r\nConnection: close\r\n\r\n");
    std::string part(25, '\0');
    auto count = co_await connection->read_some(part.data(), part.size());
    EXPECT_EQ(count.value_or(0), 25U);
    EXPECT_EQ(part, "HTTP/1.1 100 Continue\r\n\r\n");
    co_await connection->write("four");
    auto answer = co_await read_to_end(*connection);
    EXPECT_EQ(body_of(answer), "four");

    // A body that would be refused is not asked for.
    auto refused = co_await talk(served.server.local(),
                                 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n"
                                 "Expect: 100-continue\r\n\r\n");
    EXPECT_EQ(status_of(refused), 413);
    co_await served.stop();
}

// [HTTP-11]
TEST(HttpServer, AsksForABodyThatWaits)
{
    serve_while(plain_listener(), expects);
}

asio::awaitable<void> throwing(Served& served)
{
    auto answer = co_await talk(served.server.local(), get("/throw", "Connection: close\r\n"));
    EXPECT_EQ(status_of(answer), 500);
    EXPECT_EQ(answer.find("handler's bug"), std::string::npos);
    EXPECT_EQ(served.bugs, std::vector<std::string>{"a handler's bug"});
    co_await served.stop();
}

TEST(HttpServer, AnswersForAHandlerThatThrowsAndTellsOfIt)
{
    serve_while(plain_listener(), throwing);
}

asio::awaitable<void> large(Served& served)
{
    auto answer = co_await talk(served.server.local(), get("/big", "Connection: close\r\n"));
    EXPECT_EQ(body_of(answer).size(), 1'048'576U);
    co_await served.stop();
}

TEST(HttpServer, SendsALargeAnswerWhole)
{
    serve_while(plain_listener(), large);
}

ListenerOptions hasty()
{
    auto options = plain_listener();
    options.limits.header_time = 30ms;
    options.limits.body_grace = 30ms;
    options.limits.body_octets_per_second = 1'000'000;
    options.limits.idle_time = 10s;
    return options;
}

asio::awaitable<void> slow(Served& served)
{
    const auto at = served.server.local();
    auto head = co_await talk(at, "GET /hello HTTP/1.1\r\nHos");
    EXPECT_EQ(status_of(head), 408) << head;
    auto body = co_await talk(at, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx");
    EXPECT_EQ(status_of(body), 408) << body;
    EXPECT_NE(body.find("Connection: close"), std::string::npos);
    co_await served.stop();
}

// [HTTP-12]
TEST(HttpServer, CutsSlowHeadsAndBodies)
{
    serve_while(hasty(), slow);
}

asio::awaitable<void> idle(Served& served)
{
    auto silent = co_await talk(served.server.local(), "");
    EXPECT_EQ(silent, "");
    auto after_one = co_await talk(served.server.local(), get("/hello"));
    EXPECT_EQ(body_of(after_one), "hello");
    co_await served.stop();
}

// [HTTP-12]
TEST(HttpServer, ClosesIdleConnections)
{
    auto options = plain_listener();
    options.limits.idle_time = 30ms;
    serve_while(options, idle);
}

asio::awaitable<void> silent_handshake(Served& served)
{
    auto silent = co_await talk(served.server.local(), "");
    EXPECT_EQ(silent, "");
    auto plain = co_await talk(served.server.local(), get("/hello"));
    EXPECT_EQ(status_of(plain), 0);
    co_await served.stop();
}

// [HTTP-12]
TEST(HttpServer, CutsASlowOrForeignHandshake)
{
    auto options = tls_listener();
    options.limits.tls_time = 30ms;
    serve_while(options, silent_handshake);
}

asio::awaitable<void> too_many(Served& served)
{
    auto first = co_await connect_raw(served.server.local());
    co_await first->write(get("/hello"));
    co_await read_answer(*first);
    auto second = co_await talk(served.server.local(), get("/hello"));
    EXPECT_EQ(second, "");
    first->abort();
    // The place is free once the server has seen the end.
    std::string third;
    while (third.empty()) {
        third = co_await talk(served.server.local(), get("/hello", "Connection: close\r\n"));
    }
    EXPECT_EQ(body_of(third), "hello");
    co_await served.stop();
}

TEST(HttpServer, LimitsItsConnections)
{
    auto options = plain_listener();
    options.limits.connections = 1;
    serve_while(options, too_many);
}

// [HTTP-13]
TEST(HttpServer, LimitsTheConnectionsOfOneSource)
{
    auto options = plain_listener();
    options.limits.connections_per_source = 1;
    serve_while(options, too_many);
}

asio::awaitable<void> stop_later(Served& served, std::chrono::milliseconds limit, bool& stopped)
{
    co_await served.server.stop(limit);
    stopped = true;
}

asio::awaitable<void> stopping(Served& served)
{
    const auto at = served.server.local();
    auto waiting = co_await connect_raw(at);
    co_await waiting->write(get("/hello"));
    co_await read_answer(*waiting);
    auto busy = co_await connect_raw(at);
    co_await busy->write(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
        "Expect: 100-continue\r\n\r\n");
    std::string part(25, '\0');
    co_await busy->read_some(part.data(), part.size());
    auto stuck = co_await connect_raw(at);
    co_await stuck->write(get("/never"));

    bool stopped = false;
    served.tasks.spawn(stop_later(served, 300ms, stopped));
    auto rest = co_await read_to_end(*waiting);
    EXPECT_EQ(rest, "");
    EXPECT_FALSE(stopped);
    co_await busy->write("four");
    auto answer = co_await read_to_end(*busy);
    EXPECT_EQ(body_of(answer), "four");
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    auto nothing = co_await read_to_end(*stuck);
    EXPECT_EQ(nothing, "");
    const bool drained = co_await served.tasks.drained(10s);
    EXPECT_TRUE(drained);
    EXPECT_TRUE(stopped);
    EXPECT_TRUE(served.bugs.empty());
}

TEST(HttpServer, LetsRequestsFinishAndEndsTheRestWhenItStops)
{
    serve_while(plain_listener(), stopping);
}

asio::awaitable<void> owner_cancels(Served& served)
{
    auto stuck = co_await connect_raw(served.server.local());
    co_await stuck->write(get("/never"));
    co_await served.tasks.drained(5ms);
    co_await served.tasks.stop();
    auto nothing = co_await read_to_end(*stuck);
    EXPECT_EQ(nothing, "");
}

TEST(HttpServer, EndsWithItsTaskGroup)
{
    serve_while(plain_listener(), owner_cancels);
}

asio::awaitable<void> observed(Served& served)
{
    std::vector<std::string> seen;
    served.server.on_request_done([&seen](const RequestDone& done) {
        seen.push_back(done.request.method + " " + done.request.path + " " +
                       std::to_string(done.response.status));
        EXPECT_EQ(done.request.id.size(), 12U);
    });
    co_await talk(served.server.local(), get("/hello") + get("/x", "Connection: close\r\n"));
    const std::vector<std::string> expected = {"GET /hello 200", "GET /x 404"};
    EXPECT_EQ(seen, expected);
    co_await served.stop();
}

TEST(HttpServer, TellsOfEachRequest)
{
    serve_while(plain_listener(), observed);
}

TEST(HttpServer, SaysWhyItCantListen)
{
    asio::io_context context;
    Served served(context, plain_listener());
    auto options = plain_listener();
    options.address = served.server.local();
    HttpServer second(served.tasks, options, make_routes(), served.clock);
    const auto started = second.start();
    ASSERT_FALSE(started);
    const auto where = "127.0.0.1:" + std::to_string(served.server.local().port());
    EXPECT_EQ(started.error().hint, "can't listen on " + where +
                                        ": Address already in use; stop the process that listens "
                                        "there (ss -ltnp names it) or set another address");
}

}  // namespace
}  // namespace entente::net::test
