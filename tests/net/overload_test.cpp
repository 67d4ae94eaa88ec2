// What a listener holds for those who send without a pause or never read.
#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

using Endpoint = asio::ip::tcp::endpoint;

Response text_of(std::string text)
{
    Response response;
    response.content_type = "text/plain";
    response.body = std::move(text);
    return response;
}

std::string post(std::size_t octets)
{
    return "POST /wait HTTP/1.1\r\nHost: a.test\r\nContent-Length: " + std::to_string(octets) +
           "\r\n\r\n" + std::string(octets, 'b');
}
const std::string get_huge = "GET /huge HTTP/1.1\r\nHost: a.test\r\n\r\n";
constexpr std::size_t huge_octets = 24 * 1024 * 1024;

// POST /wait is answered once `open` says so; GET /huge never fits between two sockets;
// GET /count counts.
struct Waiting {
    explicit Waiting(asio::io_context& context) : open(context.get_executor()) {}
    std::shared_ptr<Router> routes()
    {
        auto router = std::make_shared<Router>();
        router->add({"POST", "/wait", 1'000'000, [this](const Request&) { return wait(); }});
        router->add({"GET", "/huge", 0, [](const Request&) { return huge(); }});
        router->add({"GET", "/count", 0, [this](const Request&) { return counted(); }});
        return router;
    }
    asio::awaitable<Response> wait()
    {
        ++waiting;
        co_await open.wait();
        co_return text_of("done");
    }
    static asio::awaitable<Response> huge() { co_return text_of(std::string(huge_octets, 'h')); }
    asio::awaitable<Response> counted() { co_return text_of(std::to_string(++count)); }
    Wakeup open;
    int waiting = 0;
    int count = 0;
};

asio::awaitable<void> holds_bodies(Served& served, Waiting& routes)
{
    const auto server = served.server.local();
    auto first = co_await connect_raw(server);
    co_await first->write(post(60'000));
    while (routes.waiting == 0) co_await sleep_for(1ms);
    auto second = co_await talk(server, post(60'000));
    EXPECT_EQ(status_of(second), 429) << second.substr(0, 100);
    EXPECT_NE(second.find("Retry-After: "), std::string::npos);

    routes.open.notify();
    auto answer = co_await read_answer(*first);
    EXPECT_EQ(body_of(answer), "done");
    routes.open.notify();
    co_await first->write(post(60'000));
    auto again = co_await read_answer(*first);
    EXPECT_EQ(status_of(again), 200);
    co_await served.stop();
}

// [HTTP-8] [HTTP-13]
TEST(Overload, ABodyCountsUntilItHasBeenDealtWith)
{
    asio::io_context context;
    Waiting routes(context);
    auto options = plain_listener();
    options.limits.bodies_per_source = 100'000;
    Served served(context, options, routes.routes());
    run(context, holds_bodies(served, routes));
}

// So many octets at a time, each 50 ms; whether the server has had enough of it.
asio::awaitable<bool> is_cut_off(Connection& connection, int times)
{
    const std::string drop(100, 'b');
    for (int i = 0; i < times; ++i) {
        auto written = co_await connection.write(drop);
        if (!written) co_return true;
        co_await sleep_for(50ms);
    }
    co_return false;
}

asio::awaitable<void> hurries(Served& served, Waiting& routes)
{
    const auto server = served.server.local();
    auto slow = co_await connect_raw(server);
    const auto whole = post(100'000);
    co_await slow->write(std::string_view(whole).substr(0, whole.size() - 60'000));
    const bool too_early = co_await is_cut_off(*slow, 24);
    EXPECT_FALSE(too_early) << "though there is plenty";

    auto other = co_await connect_raw(server);
    co_await other->write(post(60'000));
    while (routes.waiting == 0) co_await sleep_for(1ms);
    const bool in_time = co_await is_cut_off(*slow, 200);
    EXPECT_TRUE(in_time) << "though what it holds is scarce";
    routes.open.notify();
    auto answer = co_await read_answer(*other);
    EXPECT_EQ(status_of(answer), 200);
    co_await served.stop();
}

// [HTTP-12]
TEST(Overload, ASlowBodyMayNotKeepWhatIsScarce)
{
    asio::io_context context;
    Waiting routes(context);
    auto options = plain_listener();
    options.limits.body_grace = 600ms;
    options.limits.body_octets_per_second = 100;
    options.limits.bodies_plenty = 50'000;
    Served served(context, options, routes.routes());
    run(context, hurries(served, routes));
}

asio::awaitable<void> bounds_answers(Served& served)
{
    const auto server = served.server.local();
    auto deaf = co_await connect_raw(server);
    co_await deaf->write(get_huge);
    co_await sleep_for(20ms);
    auto second = co_await connect_raw(server);
    co_await second->write(get_huge);
    auto refused = co_await read_answer(*second);
    EXPECT_EQ(status_of(refused), 503);
    EXPECT_NE(refused.find("Retry-After: 1"), std::string::npos);

    auto answer = co_await read_answer(*deaf);
    EXPECT_EQ(body_of(answer).size(), huge_octets);
    co_await second->write(get_huge);
    auto then = co_await read_answer(*second);
    EXPECT_EQ(body_of(then).size(), huge_octets);
    co_await served.stop();
}

// [HTTP-13]
TEST(Overload, AnswersThatNobodyReadsAreBounded)
{
    asio::io_context context;
    Waiting routes(context);
    auto options = plain_listener();
    options.limits.answers_per_source = huge_octets + 1'000'000;
    Served served(context, options, routes.routes());
    run(context, bounds_answers(served));
}

asio::awaitable<void> gives_way(Served& served, Waiting& routes)
{
    constexpr int many = 2'000;
    const std::string request = "GET /count HTTP/1.1\r\nHost: a.test\r\n\r\n";
    std::string without_a_pause;
    for (int i = 0; i < many; ++i) without_a_pause += request;
    const auto server = served.server.local();
    auto busy = co_await connect_raw(server);
    auto quiet = co_await connect_raw(server);
    co_await quiet->write(request);
    auto before = co_await read_answer(*quiet);
    EXPECT_EQ(body_of(before), "1");

    co_await busy->write(without_a_pause);
    co_await quiet->write(request);
    auto answer = co_await read_answer(*quiet);
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_LT(routes.count, many / 2);
    for (int i = 0; i < many; ++i) co_await read_answer(*busy);
    EXPECT_EQ(routes.count, many + 2);
    co_await served.stop();
}

TEST(Overload, RequestsWithoutAPauseGiveWayToOthers)
{
    asio::io_context context;
    Waiting routes(context);
    Served served(context, plain_listener(), routes.routes());
    run(context, gives_way(served, routes));
}

}  // namespace
}  // namespace entente::net::test
