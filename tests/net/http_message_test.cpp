#include "net/http_message.hpp"

#include <gtest/gtest.h>

#include "net/response_head.hpp"

namespace entente::net {
namespace {

TEST(Request, DecodesParameters)
{
    Request request;
    request.query = "a=1&b=%40x%2F&c&d=%4&a=2&%65=5&f=a+b&=x";
    EXPECT_EQ(request.parameter("a"), "1");
    EXPECT_EQ(request.parameter("b"), "@x/");
    EXPECT_EQ(request.parameter("c"), "");
    EXPECT_EQ(request.parameter("d"), std::nullopt);
    EXPECT_EQ(request.parameter("e"), "5");
    EXPECT_EQ(request.parameter("f"), "a+b");
    EXPECT_EQ(request.parameter("g"), std::nullopt);
}

TEST(Request, GivesTheFirstOfSeveralFields)
{
    Request request;
    request.fields = {{"x", "1"}, {"y", "2"}, {"x", "3"}};
    EXPECT_EQ(request.field("x"), "1");
    EXPECT_EQ(request.field("z"), std::nullopt);
}

TEST(ProblemResponse, CarriesRetryAfter)
{
    const Error error{Code::rate_limited, "inner", "", 7};
    const auto response = problem_response(error, 0);
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.content_type, "application/problem+json");
    ASSERT_EQ(response.fields.size(), 1U);
    EXPECT_EQ(response.fields[0].second, "7");
    EXPECT_EQ(response.body.find("inner"), std::string::npos);
}

TEST(ProblemResponse, AlwaysSaysWhenToComeAgainWhereItIsWorthIt)
{
    const auto retry_after = [](Code code, std::int64_t given) -> std::string {
        const auto fields = problem_response(Error{code, "", "", given}, 0).fields;
        return fields.empty() ? "" : fields.at(0).second;
    };
    for (const auto code : {Code::rate_limited, Code::unavailable, Code::key_unavailable}) {
        EXPECT_EQ(retry_after(code, 0), std::to_string(usual_retry_after_s));
        EXPECT_EQ(retry_after(code, 1), "1");
    }
    EXPECT_EQ(retry_after(Code::malformed, 0), "");
    EXPECT_EQ(retry_after(Code::internal, 0), "");
}

TEST(ResponseOctets, NeverCarryAnInjectedField)
{
    Response response;
    response.fields = {{"X-A", "b\r\nX-Evil: 1"}, {"X-Good", "1"}};
    const auto octets = response_octets(response, AnswerForm{}, http_date(784111777));
    EXPECT_EQ(octets.find("Evil"), std::string::npos);
    EXPECT_NE(octets.find("X-Good: 1\r\n"), std::string::npos);
    EXPECT_NE(octets.find("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), std::string::npos);
}

}  // namespace
}  // namespace entente::net
