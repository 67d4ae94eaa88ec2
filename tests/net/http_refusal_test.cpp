// What a server must refuse on the wire, and that nothing behind it is taken for a request.
#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

struct Refusal {
    const char* name;
    std::string octets;
    int status;
};

const std::string smuggled = "GET /items/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

class Refused : public testing::TestWithParam<Refusal> {};

asio::awaitable<void> is_refused(Served& served, const Refusal& refusal)
{
    std::vector<std::string> handled;
    served.server.on_request_done([&handled](const RequestDone& done) {
        if (done.response.status == 200) handled.push_back(done.request.path);
    });
    auto answer = co_await talk(served.server.local(), refusal.octets + smuggled);
    EXPECT_EQ(status_of(answer), refusal.status) << answer;
    EXPECT_NE(answer.find("urn:entente:problem:"), std::string::npos);
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(answer.find("HTTP/1.1", 8), std::string::npos) << "a second answer: " << answer;
    EXPECT_TRUE(handled.empty());
    co_await served.stop();
}

// [HTTP-2] [HTTP-3] [HTTP-5] [HTTP-6] [HTTP-7] [HTTP-8] [HTTP-9]
TEST_P(Refused, AndTheConnectionCloses)
{
    asio::io_context context;
    Served served(context, plain_listener());
    run(context, is_refused(served, GetParam()));
}

std::string echo(const std::string& fields, const std::string& body)
{
    return "POST /echo HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

INSTANTIATE_TEST_SUITE_P(
    Wire, Refused,
    testing::Values(
        Refusal{"LengthAndChunks",
                echo("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        Refusal{"TwoLengths", echo("Content-Length: 0\r\nContent-Length: 40\r\n", ""), 400},
        Refusal{"ListedLengths", echo("Content-Length: 0, 40\r\n", ""), 400},
        Refusal{"FoldedField", echo("X: a\r\n b\r\n", ""), 400},
        Refusal{"BareLineFeed", "GET /hello HTTP/1.1\nHost: a\n\n", 400},
        Refusal{"BareCarriageReturn", "GET /hello HTTP/1.1\rHost: a\r\n\r\n", 400},
        Refusal{"BlankBeforeColon", echo("Content-Length : 0\r\n", ""), 400},
        Refusal{"OtherHostInTarget", "GET http://b/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Refusal{"NoHost", "GET /hello HTTP/1.1\r\n\r\n", 400},
        Refusal{"TwoHosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        Refusal{"UnknownEncoding", echo("Transfer-Encoding: gzip\r\n", "0\r\n\r\n"), 400},
        Refusal{"EncodingHidden", echo("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400},
        Refusal{"OctetsBehindTheEnd", "\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Refusal{"NotHttp", "SSH-2.0-OpenSSH_9.2\r\n", 400},
        Refusal{"BadChunk", echo("Transfer-Encoding: chunked\r\n", "zz\r\nabc\r\n0\r\n\r\n"), 400},
        Refusal{"ChunkTooLong", echo("Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\n"),
                400},
        Refusal{"LongHead", "GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(16'400, 'x'),
                413},
        Refusal{"LongTarget", "GET /" + std::string(8'200, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n",
                413},
        Refusal{"LongBody", echo("Content-Length: 1001\r\n", ""), 413},
        Refusal{"LongChunks",
                echo("Transfer-Encoding: chunked\r\n", "3E9\r\n" + std::string(1001, 'x')), 413},
        Refusal{"BodyWhereNoneIs", "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n",
                413},
        Refusal{"BodyOfAnUnknownPath",
                "POST /absent HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n", 404},
        Refusal{"BodyOfAWrongMethod",
                "PUT /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n", 405}),
    [](const auto& tested) { return std::string(tested.param.name); });

asio::awaitable<void> garbage_behind(Served& served)
{
    auto answers =
        co_await talk(served.server.local(), echo("Content-Length: 2\r\n", "okay\r\n\r\n"));
    EXPECT_EQ(status_of(answers), 200);
    EXPECT_NE(answers.find("\r\n\r\nokHTTP/1.1 400 "), std::string::npos) << answers;
    co_await served.stop();
}

TEST(Refusals, OctetsBehindABodyAreNoPartOfIt)
{
    asio::io_context context;
    Served served(context, plain_listener());
    run(context, garbage_behind(served));
}

const std::string unfinished[] = {
    "GET /hello HTTP/1.1\r\nHost: a\r\n",
    echo("Content-Length: 5\r\n", "four"),
    echo("Transfer-Encoding: chunked\r\n", "4\r\nfour\r\n"),
    echo("Transfer-Encoding: chunked\r\n", "4\r\nfour\r\n0\r\n"),
};

asio::awaitable<void> ends_early(Served& served)
{
    int done = 0;
    served.server.on_request_done([&done](const RequestDone&) { ++done; });
    for (const auto& octets : unfinished) {
        auto connection = co_await connect_raw(served.server.local());
        co_await connection->write(octets);
        co_await connection->shutdown();
    }
    auto whole = co_await talk(served.server.local(),
                               echo("Content-Length: 4\r\nConnection: close\r\n", "four"));
    EXPECT_NE(whole.find("\r\n\r\nfour"), std::string::npos) << whole;
    EXPECT_EQ(done, 1);
    co_await served.stop();
}

// [HTTP-4]
TEST(Refusals, WhatEndsBeforeItIsWholeIsNoRequest)
{
    asio::io_context context;
    Served served(context, plain_listener());
    run(context, ends_early(served));
}

}  // namespace
}  // namespace entente::net::test
