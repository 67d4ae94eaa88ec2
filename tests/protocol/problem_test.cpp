#include "protocol/problem.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"

namespace entente::protocol {
namespace {

TEST(Problems, HaveTheNamesAndStatusesOfSection9)
{
    const std::pair<const char*, int> table[] = {
        {"malformed", 400},         {"digest-mismatch", 400},
        {"wrong-destination", 400}, {"signature-incomplete", 401},
        {"signature-invalid", 401}, {"key-revoked", 401},
        {"unknown-key", 401},       {"clock-skew", 401},
        {"replayed", 409},          {"key-conflict", 403},
        {"blocked", 403},           {"forbidden", 403},
        {"not-member", 403},        {"not-home", 403},
        {"not-found", 404},         {"equivocation", 409},
        {"superseded", 409},        {"channel-full", 409},
        {"too-large", 413},         {"unsupported", 415},
        {"rate-limited", 429},      {"key-unavailable", 503},
        {"unavailable", 503},       {"unauthenticated", 401},
        {"conflict", 409},          {"method-not-allowed", 405},
        {"timeout", 408},           {"internal", 500}};
    for (const auto& [name, status] : table) {
        const auto code = code_from_name(name);
        ASSERT_TRUE(code) << name;
        EXPECT_EQ(http_status(*code), status) << name;
        EXPECT_EQ(code_name(*code), name);
    }
    EXPECT_FALSE(code_from_name("no-such-code"));
    EXPECT_FALSE(code_from_name(""));
}

TEST(Problems, AreReadBackAsTheyWereWritten)
{
    for (auto i = 0; i <= static_cast<int>(Code::internal); ++i) {
        const auto code = static_cast<Code>(i);
        const Error error{code, "secret", "/a: \"why\"", 7};
        const std::string json = problem_json(error, 1763683200123);
        ASSERT_TRUE(check_json(json)) << json;
        EXPECT_EQ(json.find("secret"), std::string::npos);
        const auto document = nlohmann::json::parse(json);
        EXPECT_EQ(document.at("status"), http_status(code));
        EXPECT_FALSE(document.at("title").get<std::string>().empty());
        EXPECT_EQ(document.contains("now"), code == Code::clock_skew);
        const auto parsed = parse_problem(json);
        ASSERT_TRUE(parsed);
        EXPECT_EQ(parsed->code, code);
        // [SUC-2] Of a channel that has moved it says where to.
        const bool has_moved = code == Code::superseded;
        EXPECT_EQ(document.contains("home"), has_moved);
        EXPECT_EQ(has_moved ? parsed->hint : parsed->detail, "/a: \"why\"");
        EXPECT_EQ(parsed->retry_after, 7);
    }
}

TEST(Problems, LeaveOutWhatSaysNothing)
{
    const auto document =
        nlohmann::json::parse(problem_json(Error{Code::forbidden, "d", "", 0}, 5));
    EXPECT_EQ(document.size(), 3U);
    EXPECT_EQ(document.at("type"), "urn:entente:problem:forbidden");
    EXPECT_EQ(nlohmann::json::parse(problem_json(Error{Code::clock_skew, "", "", 0}, 5)).at("now"),
              5);
}

// [RETRY-4] [VER-1]
TEST(PeersProblems, OfLaterEditionsMapByStatus)
{
    const auto code_for = [](int status) {
        return parse_problem(R"({"type":"urn:entente:problem:new","status":)" +
                             std::to_string(status) + "}")
            ->code;
    };
    EXPECT_EQ(code_for(400), Code::malformed);
    EXPECT_EQ(code_for(401), Code::signature_invalid);
    EXPECT_EQ(code_for(403), Code::forbidden);
    EXPECT_EQ(code_for(404), Code::not_found);
    EXPECT_EQ(code_for(413), Code::too_large);
    EXPECT_EQ(code_for(429), Code::rate_limited);
    EXPECT_EQ(code_for(503), Code::unavailable);
    EXPECT_EQ(code_for(599), Code::internal);
}

TEST(PeersProblems, ThatAreNoneAreNothing)
{
    for (const auto* json :
         {"", "[]", "{}", "null", "{", R"({"type":1})", R"({"type":"about:blank","status":404})",
          R"({"type":"urn:entente:problem:blocked","status":403.0})",
          R"({"type":"urn:entente:problem:blocked","type":"x"})"}) {
        EXPECT_FALSE(parse_problem(json)) << json;
    }
    const std::string start = R"({"type":"urn:entente:problem:blocked","detail":")";
    const auto padded = [&start](std::size_t size) {
        return start + std::string(size - start.size() - 2, 'x') + "\"}";
    };
    EXPECT_TRUE(parse_problem(padded(65536)));
    EXPECT_FALSE(parse_problem(padded(65537)));
}

TEST(PeersProblems, MembersOfAnotherTypeAreIgnored)
{
    const auto error =
        parse_problem(R"({"type":"urn:entente:problem:blocked","detail":1,"retry_after":"x"})");
    ASSERT_TRUE(error);
    EXPECT_EQ(error->detail, "");
    EXPECT_EQ(error->retry_after, 0);
    EXPECT_EQ(
        parse_problem(R"({"type":"urn:entente:problem:blocked","retry_after":-5})")->retry_after,
        0);
}

TEST(PeersProblems, HaveTheirDetailCutBetweenCharacters)
{
    const auto detail_of = [](const std::string& text) {
        return parse_problem(R"({"type":"urn:entente:problem:blocked","detail":)" +
                             json_string(text) + "}")
            ->detail;
    };
    EXPECT_EQ(detail_of(std::string(512, 'x')).size(), 512U);
    EXPECT_EQ(detail_of(std::string(513, 'x')).size(), 512U);
    EXPECT_EQ(detail_of(std::string(511, 'x') + "\xc3\xa4").size(), 511U);
}

}  // namespace
}  // namespace entente::protocol
