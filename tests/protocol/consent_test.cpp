// The consent of a new home: what is one, and that nothing else is taken for one [SUC-2].
#include "protocol/consent.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/log_support.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

constexpr NameRules strict{};
const ServerName consent_home = ServerName::trusted("b.example");

std::string payload(const std::string& channel, const std::string& epoch,
                    const std::string& of = consent_home.str())
{
    return R"({"channel":")" + channel + R"(","epoch":)" + epoch + R"(,"home":")" + of + R"("})";
}

Code outcome(const std::string& json, const std::string& type = "entente-home")
{
    const auto consent = parse_consent(make_jws(key_from(3), consent_home, type, json), strict);
    return consent ? Code::internal : consent.error().code;
}

// [SUC-2]
TEST(Consent, SaysWhoTakesWhichChannelInWhichEpoch)
{
    const auto text = make_consent(key_from(3), consent_home, golden::channel, 2);
    const auto consent = parse_consent(text, strict);
    ASSERT_TRUE(consent) << consent.error().detail;
    EXPECT_EQ(consent->channel, golden::channel);
    EXPECT_EQ(consent->epoch, 2);
    EXPECT_EQ(consent->home, consent_home);
    EXPECT_EQ(consent->jws.payload, payload(golden::channel.str(), "2"));
    EXPECT_TRUE(verifies(consent->jws, key_from(3).public_key()));
    const auto moved = consent_of_move(R"({"home":"b.example","consent":")" + text + "\"}", strict);
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->jws.text, text);
}

// [SUC-2]
TEST(Consent, IsMalformedInAnyOtherForm)
{
    const auto channel = golden::channel.str();
    EXPECT_EQ(outcome(payload(channel, "3")), Code::internal);
    EXPECT_EQ(outcome(payload(channel, "2"), "entente-root"), Code::malformed);
    EXPECT_EQ(outcome(payload(channel, "2", "c.example")), Code::malformed);
    EXPECT_EQ(outcome(payload("garden@a.example", "2")), Code::malformed);
    for (const auto* epoch : {"0", "1", "-1", "\"2\"", "null"})
        EXPECT_EQ(outcome(payload(channel, epoch)), Code::malformed) << epoch;
    EXPECT_EQ(outcome(R"({"epoch":2,"home":"b.example"})"), Code::malformed);
    EXPECT_EQ(outcome("[]"), Code::malformed);
    EXPECT_FALSE(parse_consent("no JWS", strict));
    EXPECT_FALSE(consent_of_move(R"({"home":"b.example"})", strict));
    EXPECT_FALSE(consent_of_move(R"({"consent":7})", strict));
    EXPECT_FALSE(consent_of_move("", strict));
}

}  // namespace
}  // namespace entente::protocol
