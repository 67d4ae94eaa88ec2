#include "net/request_head.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "net/request_body.hpp"

namespace entente::net {
namespace {

std::string with(const std::string& line, const std::string& fields)
{
    return line + "\r\n" + fields + "\r\n";
}

TEST(RequestHead, IsReadAsSent)
{
    const auto head =
        parse_request_head(with("POST /a/%40?b=c&d HTTP/1.1",
                                "Host: a.test\r\nX-One:  1 2\t\r\nContent-Length: 5\r\n"),
                           HeadLimits());
    ASSERT_TRUE(head);
    EXPECT_EQ(head->method, "POST");
    EXPECT_EQ(head->target, "/a/%40?b=c&d");
    EXPECT_EQ(head->path, "/a/%40");
    EXPECT_EQ(head->query, "b=c&d");
    const Fields fields = {{"host", "a.test"}, {"x-one", "1 2"}, {"content-length", "5"}};
    EXPECT_EQ(head->fields, fields);
    EXPECT_EQ(head->content_length, 5U);
    EXPECT_TRUE(head->keep_alive);
}

// [HTTP-6]
TEST(RequestHead, TakesTheAbsoluteFormForItsOwnHost)
{
    const auto head =
        parse_request_head(with("GET https://A.test?x HTTP/1.1", "Host: a.test\r\n"), HeadLimits());
    ASSERT_TRUE(head);
    EXPECT_EQ(head->target, "/?x");
    EXPECT_EQ(head->query, "x");
}

// [HTTP-9]
TEST(RequestHead, KnowsWhenAConnectionEnds)
{
    const auto closes = [](const char* line, const char* fields) {
        return !parse_request_head(with(line, fields), HeadLimits())->keep_alive;
    };
    EXPECT_FALSE(closes("GET / HTTP/1.1", "Host: a\r\n"));
    EXPECT_TRUE(closes("GET / HTTP/1.1", "Host: a\r\nConnection: keep-alive, Close\r\n"));
    EXPECT_TRUE(closes("GET / HTTP/1.0", ""));
}

class RefusedHead : public testing::TestWithParam<std::pair<const char*, const char*>> {};

// [HTTP-1] [HTTP-2] [HTTP-5] [HTTP-6]
TEST_P(RefusedHead, IsMalformed)
{
    const auto head = parse_request_head(with(GetParam().first, GetParam().second), HeadLimits());
    ASSERT_FALSE(head) << GetParam().first << " | " << GetParam().second;
    EXPECT_EQ(head.error().code, Code::malformed);
}

constexpr const char* get = "GET / HTTP/1.1";
constexpr const char* post = "POST / HTTP/1.1";
INSTANTIATE_TEST_SUITE_P(
    All, RefusedHead,
    testing::Values(
        std::pair(get, ""), std::pair(get, "Host: a\r\nHost: a\r\n"), std::pair(get, "Host:\r\n"),
        std::pair(get, "Host: a b\r\n"), std::pair(get, "Host: a/b\r\n"),
        std::pair(get, "Host : a\r\n"), std::pair(get, "Host: a\r\n X: folded\r\n"),
        std::pair(get, " Host: a\r\n"), std::pair(get, "Host: a\r\nX\r\n"),
        std::pair(get, "Host: a\r\n: x\r\n"), std::pair(get, "Host: a\r\nX Y: 1\r\n"),
        std::pair(get, "Host: a\r\nX: a\x01z\r\n"), std::pair(get, "Host: a\r\nX: a\x7F\r\n"),
        std::pair("GET  / HTTP/1.1", "Host: a\r\n"), std::pair("GET / HTTP/1.1 ", "Host: a\r\n"),
        std::pair("GET /", "Host: a\r\n"), std::pair("GET / HTTP/2.0", "Host: a\r\n"),
        std::pair("GET / http/1.1", "Host: a\r\n"), std::pair("G(T / HTTP/1.1", "Host: a\r\n"),
        std::pair("GET /a b HTTP/1.1", "Host: a\r\n"), std::pair("GET /# HTTP/1.1", "Host: a\r\n"),
        std::pair("GET * HTTP/1.1", "Host: a\r\n"), std::pair("GET a HTTP/1.1", "Host: a\r\n"),
        std::pair("GET https://b.test/ HTTP/1.1", "Host: a.test\r\n"),
        std::pair("GET ftp://a.test/ HTTP/1.1", "Host: a.test\r\n"),
        std::pair("CONNECT a.test:443 HTTP/1.1", "Host: a.test:443\r\n"),
        std::pair("GET /\xC3\xA9 HTTP/1.1", "Host: a\r\n"),
        std::pair(post, "Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n"),
        std::pair(post, "Host: a\r\nContent-Length: 1, 1\r\n"),
        std::pair(post, "Host: a\r\nContent-Length: +1\r\n"),
        std::pair(post, "Host: a\r\nContent-Length: -1\r\n"),
        std::pair(post, "Host: a\r\nContent-Length: 0x1\r\n"),
        std::pair(post, "Host: a\r\nContent-Length:\r\n"),
        std::pair(post, "Host: a\r\nContent-Length: 99999999999999999999\r\n"),
        std::pair(post, "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        std::pair(post, "Host: a\r\nTransfer-Encoding: gzip\r\n"),
        std::pair(post, "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n"),
        std::pair(post, "Host: a\r\nTransfer-Encoding: chunked, identity\r\n"),
        std::pair(post, "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        std::pair(post,
                  "Host: a\r\nTransfer-Encoding: \x0b"
                  "chunked\r\n"),
        std::pair("POST / HTTP/1.0", "Host: a\r\nTransfer-Encoding: chunked\r\n")));

// [HTTP-7]
TEST(RequestHead, HasLimits)
{
    std::string fields = "Host: a\r\n";
    for (int i = 0; i < 99; ++i) fields += "X: 1\r\n";
    EXPECT_TRUE(parse_request_head(with(get, fields), HeadLimits()));
    const auto many = parse_request_head(with(get, fields + "X: 1\r\n"), HeadLimits());
    ASSERT_FALSE(many);
    EXPECT_EQ(many.error().code, Code::too_large);
    const auto far = parse_request_head(
        with("GET /" + std::string(8192, 'a') + " HTTP/1.1", "Host: a\r\n"), HeadLimits());
    ASSERT_FALSE(far);
    EXPECT_EQ(far.error().code, Code::too_large);
}

// [HTTP-5] [HTTP-7]
TEST(HeadScanner, RefusesOtherLineEndsAtOnce)
{
    for (const std::string text : {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\rHost: a", "\r\n",
                                   "GET / HTTP/1.1\r\nHost: a\n", "\n"}) {
        HeadScanner scanner{HeadLimits()};
        EXPECT_FALSE(scanner.scan(text)) << text;
    }
    HeadScanner with_zero{HeadLimits()};
    EXPECT_FALSE(with_zero.scan(std::string_view("GET /\0", 6)));
    HeadScanner large{HeadLimits()};
    const auto refused = large.scan(std::string(16'385, 'a'));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::too_large);
}

RC_GTEST_PROP(HeadScanner, FindsTheEndHoweverTheOctetsArrive, (std::vector<std::uint8_t> cuts))
{
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    const std::string all = head + "\nbody";
    HeadScanner scanner{HeadLimits()};
    std::size_t arrived = 0;
    std::optional<std::size_t> found;
    for (const auto cut : cuts) {
        if (found) break;
        arrived = std::min(all.size(), arrived + cut % 7);
        const auto scanned = scanner.scan(std::string_view(all).substr(0, arrived));
        RC_ASSERT(scanned.has_value());
        found = *scanned;
    }
    if (!found) found = scanner.scan(all).value();
    RC_ASSERT(found == head.size());
}

RequestHead chunked_head()
{
    RequestHead head;
    head.chunked = true;
    return head;
}

// [HTTP-3]
RC_GTEST_PROP(RequestBody, ComesOutOfItsChunks, (std::vector<std::string> parts, std::uint8_t step))
{
    std::string wire, whole;
    for (const auto& part : parts) {
        if (part.empty()) continue;
        char size[32];
        std::snprintf(size, sizeof(size), "%zx\r\n", part.size());
        wire += size + part + "\r\n";
        whole += part;
    }
    wire += "0\r\nX-Trailer: 1\r\n\r\n";
    const auto octets_of_body = wire.size();
    wire += "GET /next";
    auto body = RequestBody::begin(chunked_head(), 100'000);
    RC_ASSERT(body.has_value());
    std::string buffer;
    std::size_t taken = 0, given = 0;
    while (!body->is_complete()) {
        RC_ASSERT(given < wire.size());
        const auto part = std::min<std::size_t>(wire.size() - given, step % 13 + 1U);
        buffer.append(wire, given, part);
        given += part;
        const auto count = body->take(buffer);
        RC_ASSERT(count.has_value());
        buffer.erase(0, *count);
        taken += *count;
    }
    RC_ASSERT(taken == octets_of_body);
    RC_ASSERT(body->release() == whole);
}

// [HTTP-3]
TEST(RequestBody, RefusesBrokenChunks)
{
    for (const char* wire :
         {"x\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhelloo\r\n0\r\n\r\n", "-1\r\n",
          "5 \r\nhello\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\n", "0x5\r\nhello\r\n",
          "5\r\nhello0\r\n\r\n", "5;a\x01\r\nhello\r\n", "\r\n", ";x\r\n", "0\r\nno field\r\n\r\n",
          "0\r\n folded\r\n\r\n", "0\r\nX: 1\n\r\n"}) {
        auto body = RequestBody::begin(chunked_head(), 1'000);
        ASSERT_TRUE(body);
        EXPECT_FALSE(body->take(wire)) << wire;
    }
}

// [HTTP-3]
TEST(RequestBody, BoundsWhatIsDropped)
{
    const std::string extended = "1;" + std::string(3'000, 'x') + "\r\na\r\n";
    auto body = RequestBody::begin(chunked_head(), 1'000);
    ASSERT_TRUE(body);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(body->take(extended));
    EXPECT_FALSE(body->take(extended));
    auto line = RequestBody::begin(chunked_head(), 1'000);
    EXPECT_FALSE(line->take("1;" + std::string(5'000, 'x')));
}

}  // namespace
}  // namespace entente::net
