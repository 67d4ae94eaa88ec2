#include "protocol/jws.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocol/json_rules.hpp"
#include "tests/protocol/strict.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

const std::string kid = "a.example#" + std::string(43, 'A');

ServerName server()
{
    return ServerName::trusted("a.example");
}

std::string with_header(const std::string& header, const std::string& payload = "{}")
{
    return to_base64url(header) + "." + to_base64url(payload) + "." +
           to_base64url(std::string(64, 's'));
}

Code jws_code(const std::string& text)
{
    const auto parsed = parse_jws(text, strict);
    return parsed ? Code::internal : parsed.error().code;
}

std::string good_header()
{
    return R"({"alg":"Ed25519","kid":")" + kid + R"(","typ":"entente-root"})";
}

TEST(Jws, IsReadBackAsItWasMade)
{
    const SigningKey key = key_from(1);
    const std::string text = make_jws(key, server(), "entente-root", R"({"size":1})");
    const auto jws = parse_jws(text, strict);
    ASSERT_TRUE(jws);
    EXPECT_EQ(jws->text, text);
    EXPECT_EQ(jws->type, "entente-root");
    EXPECT_EQ(jws->payload, R"({"size":1})");
    EXPECT_EQ(jws->key, (KeyRef{server(), key.id()}));
    EXPECT_TRUE(verifies(*jws, key.public_key()));
    EXPECT_FALSE(verifies(*jws, key_from(2).public_key()));
}

TEST(Jws, VerifiesOnlyUnchanged)
{
    const SigningKey key = key_from(1);
    auto jws = *parse_jws(make_jws(key, server(), "t", "1"), strict);
    const auto other = *parse_jws(make_jws(key, server(), "t", "2"), strict);
    jws.signing_input = other.signing_input;
    EXPECT_FALSE(verifies(jws, key.public_key()));
}

TEST(Jws, TakesItsThreeHeaderMembersInAnyOrderAndSpacing)
{
    EXPECT_TRUE(parse_jws(with_header(good_header()), strict));
    EXPECT_TRUE(parse_jws(
        with_header(R"({ "typ":"t", "kid":")" + kid + R"(", "\u0061lg":"Ed25519"})"), strict));
}

TEST(Jws, RefusesEveryOtherHeader)
{
    const std::string alg = R"("alg":"Ed25519")";
    const std::string key = R"("kid":")" + kid + R"(")";
    const std::string type = R"("typ":"t")";
    EXPECT_TRUE(parse_jws(with_header("{" + alg + "," + key + "," + type + "}"), strict));
    const std::vector<std::string> headers = {
        "{}",
        "[]",
        "null",
        "",
        "\"x\"",
        R"({"alg":"EdDSA",)" + key + "," + type + "}",
        R"({"alg":"none",)" + key + "," + type + "}",
        "{" + alg + "," + key + "}",
        "{" + alg + "," + type + "}",
        "{" + alg + "," + key + R"(,"typ":1})",
        "{" + alg + R"(,"kid":1,)" + type + "}",
        "{" + alg + R"(,"kid":"a.example",)" + type + "}",
        "{" + alg + R"(,"kid":"a.test#)" + kid.substr(10) + "\"," + type + "}",
        "{" + alg + "," + key + "," + type + R"(,"crit":[]})",
        "{" + alg + "," + key + "," + type + "," + type + "}",
        "{" + alg + "," + key + "," + type + "} x",
    };
    for (const auto& header : headers) {
        EXPECT_EQ(jws_code(with_header(header)), Code::malformed) << header;
    }
}

TEST(Jws, HasThreePartsInBase64url)
{
    const std::string good = with_header(good_header());
    EXPECT_EQ(jws_code(""), Code::malformed);
    EXPECT_EQ(jws_code("a.b"), Code::malformed);
    EXPECT_EQ(jws_code(good + "."), Code::malformed);
    EXPECT_EQ(jws_code(good + ".AAAA"), Code::malformed);
    EXPECT_EQ(jws_code(good + "="), Code::malformed);
    EXPECT_EQ(jws_code(good.substr(0, good.size() - 2)), Code::malformed);
    EXPECT_EQ(jws_code(" " + good), Code::malformed);
    const std::string head =
        to_base64url(good_header()) + "." + to_base64url(std::string_view{"{}"}) + ".";
    EXPECT_EQ(jws_code(head + to_base64url(std::string(63, 's'))), Code::malformed);
    EXPECT_EQ(jws_code(head + to_base64url(std::string(65, 's'))), Code::malformed);
}

// [EVT-3]
TEST(Jws, HoldsItsPayloadToTheJsonRules)
{
    for (const auto* payload : {"", "{", "1.5", R"({"a":1,"a":1})", "\xff", "{} "}) {
        const bool good = check_json(payload).has_value();
        EXPECT_EQ(parse_jws(with_header(good_header(), payload), strict).has_value(), good)
            << payload;
    }
}

TEST(Jws, EndsAt4096Octets)
{
    // Payloads of n digits of a string; the largest that fits and the next.
    std::string last_good;
    for (std::size_t size = 2700; size < 3000; ++size) {
        const std::string text = with_header(good_header(), "\"" + std::string(size, 'x') + "\"");
        if (text.size() <= max_jws_octets) {
            EXPECT_TRUE(parse_jws(text, strict)) << text.size();
            last_good = text;
        } else {
            EXPECT_EQ(jws_code(text), Code::too_large);
        }
    }
    EXPECT_GE(last_good.size(), max_jws_octets - 1);
}

RC_GTEST_PROP(JwsProperty, CarriesAnyText, (unsigned char seed))
{
    const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
    const SigningKey key = key_from(seed);
    const auto jws = parse_jws(make_jws(key, server(), text, json_string(text)), strict);
    RC_ASSERT(jws.has_value());
    RC_ASSERT(jws->type == text);
    RC_ASSERT(jws->payload == json_string(text));
    RC_ASSERT(verifies(*jws, key.public_key()));
}

}  // namespace
}  // namespace entente::protocol
