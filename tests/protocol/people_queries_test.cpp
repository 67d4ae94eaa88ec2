// Claims of keys and what a user shows: what is written is read, what doesn't fit is refused.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocol/json_rules.hpp"
#include "protocol/people_queries.hpp"
#include "protocol/raw_members.hpp"
#include "tests/protocol/strict.hpp"

namespace entente::protocol {
namespace {

const UserId bob = UserId::trusted("bob@b.example");
const std::string device_text = "019aa3b5-ec00-7001-8001-000000000002";

KeyClaim claim_of(const std::string& kind = "x3dh")
{
    return {bob, parse_uuid(device_text).value(), kind};
}

std::string claims_with(const std::string& claims)
{
    return R"({"txn":")" + device_text + R"(","claims":)" + claims + "}";
}

std::string one_claim(const std::string& user, const std::string& kind)
{
    return R"({"user":")" + user + R"(","device":")" + device_text + R"(","kind":")" + kind + "\"}";
}

std::string hint_of(const Result<KeyClaims>& read)
{
    return read ? "" : read.error().hint;
}

std::string any_key()
{
    return *rc::gen::element<std::string>("{}", R"({"a":"}\"{"})", R"({ "k" : [1,{"b":[ ]}] })",
                                          R"({"x":"\u00e9😀"})");
}

// [QRY-8]
RC_GTEST_PROP(PeopleQueries, ClaimsAndTheirAnswerAreReadAsTheyWereWritten, ())
{
    KeyClaims claims{{}, {}};
    std::vector<ClaimedKey> keys;
    for (auto& octet : claims.txn.octets) octet = *rc::gen::arbitrary<std::uint8_t>();
    const auto count = *rc::gen::inRange<std::size_t>(1, max_claims + 1);
    for (std::size_t i = 0; i < count; ++i) {
        auto claim = claim_of(*rc::gen::element<std::string>("x3dh", "mls", "a-1"));
        claim.device.octets[0] = *rc::gen::arbitrary<std::uint8_t>();
        claims.claims.push_back(claim);
        ClaimedKey key{claim, {}, false};
        if (*rc::gen::arbitrary<bool>()) key = {claim, any_key(), *rc::gen::arbitrary<bool>()};
        keys.push_back(key);
    }
    const auto asked = parse_key_claims(write_key_claims(claims), strict);
    RC_ASSERT(asked.has_value());
    RC_ASSERT(asked->txn == claims.txn);
    RC_ASSERT(write_key_claims(*asked) == write_key_claims(claims));
    const auto read = parse_claimed_keys(write_claimed_keys(keys), claims.claims, strict);
    RC_ASSERT(read.has_value());
    for (std::size_t i = 0; i < count; ++i) {
        RC_ASSERT((*read)[i].key == keys[i].key);
        RC_ASSERT((*read)[i].is_fallback == keys[i].is_fallback);
    }
}

// [QRY-8]
TEST(PeopleQueries, AClaimIsRefusedWithAPointerToWhatIsWrong)
{
    EXPECT_EQ(hint_of(parse_key_claims("[]", strict)), "/: an object is needed");
    EXPECT_EQ(hint_of(parse_key_claims(R"({"claims":[]})", strict)), "/txn: is required");
    EXPECT_EQ(hint_of(parse_key_claims(claims_with("[]"), strict)),
              "/claims: at least one is needed");
    EXPECT_EQ(hint_of(parse_key_claims(claims_with("[1]"), strict)),
              "/claims/0: an object is needed");
    EXPECT_EQ(hint_of(parse_key_claims(claims_with("[" + one_claim("bob", "x") + "]"), strict)),
              "/claims/0/user: name@server is needed");
    EXPECT_EQ(
        hint_of(parse_key_claims(claims_with("[" + one_claim("bob@b.example", "X") + "]"), strict)),
        "/claims/0/kind: 1 to 32 of a-z 0-9 - are needed");
}

// [QRY-9]
TEST(PeopleQueries, ARequestHasFiftyClaimsAtMost)
{
    KeyClaims claims{parse_uuid(device_text).value(), {}};
    claims.claims.assign(max_claims, claim_of());
    EXPECT_TRUE(parse_key_claims(write_key_claims(claims), strict));
    EXPECT_LE(write_key_claims(claims).size(), max_claim_body_octets);
    claims.claims.push_back(claim_of());
    EXPECT_EQ(parse_key_claims(write_key_claims(claims), strict).error().code, Code::too_large);
}

// [QRY-8]
TEST(PeopleQueries, AnAnswerToOtherClaimsIsNone)
{
    const std::vector<KeyClaim> asked{claim_of("x3dh"), claim_of("mls")};
    const auto answer = [](const std::vector<KeyClaim>& claims) {
        std::vector<ClaimedKey> keys;
        for (const auto& claim : claims) keys.push_back({claim, "{}", false});
        return write_claimed_keys(keys);
    };
    EXPECT_TRUE(parse_claimed_keys(answer(asked), asked, strict));
    EXPECT_FALSE(parse_claimed_keys(answer({asked[0]}), asked, strict));
    EXPECT_FALSE(parse_claimed_keys(answer({asked[1], asked[0]}), asked, strict));
    EXPECT_FALSE(parse_claimed_keys(answer({asked[0], asked[1], asked[1]}), asked, strict));
    const std::string huge = R"({"k":")" + std::string(max_key_octets, 'k') + "\"}";
    EXPECT_FALSE(
        parse_claimed_keys(write_claimed_keys({{asked[0], huge, false}}), {asked[0]}, strict));
}

// [QRY-10]
TEST(PeopleQueries, AUserIsReadAsHeWasWrittenAndForNobodyElse)
{
    ShownUser user{bob, "Böb \"the\" {builder}", "x@b.example", {}};
    user.devices.push_back({parse_uuid(device_text).value(), "AAAA", R"({"identity":{"k":1}})"});
    user.devices.push_back({{}, "", ""});
    const auto text = write_user(user);
    const auto read = parse_user(text, bob, strict);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->name, user.name);
    EXPECT_EQ(read->avatar, user.avatar);
    ASSERT_EQ(read->devices.size(), 2U);
    EXPECT_EQ(read->devices[0].keys, user.devices[0].keys);
    EXPECT_EQ(read->devices[1].keys, "{}");
    EXPECT_FALSE(parse_user(text, UserId::trusted("eve@b.example"), strict));
    user.devices.resize(max_devices_in_answer, user.devices[1]);
    EXPECT_TRUE(parse_user(write_user(user), bob, strict));
    user.devices.push_back(user.devices[1]);
    EXPECT_FALSE(parse_user(write_user(user), bob, strict));
}

// It stands within other JSON later, which may be 32 deep in all.
TEST(RawMembers, AnOpaqueObjectIsSixteenContainersDeepAtMost)
{
    const auto nested = [](int depth) {
        std::string text = "1";
        for (int i = 0; i < depth; ++i) text = R"({"[{":)" + text + "}";
        return R"({"key":)" + text + "}";
    };
    const auto sixteen = nested(max_opaque_depth);
    RawMembers fits{sixteen, ""};
    EXPECT_FALSE(fits.object("key", 1000).empty());
    EXPECT_FALSE(fits.error());
    const auto seventeen = nested(max_opaque_depth + 1);
    RawMembers over{seventeen, ""};
    EXPECT_TRUE(over.object("key", 1000).empty());
    EXPECT_EQ(over.error().value().hint, "/key: at most 16 containers deep");
}

TEST(RawMembers, ValuesKeepTheOctetsThatTheyWere)
{
    const std::string text = R"( {"a" : { "b" : "\u0041" } , "n":-7,"t":"\u0041","f":true} )";
    const auto object = checked_object(text);
    ASSERT_TRUE(object);
    RawMembers members{*object, "/x"};
    EXPECT_EQ(members.object("a", 100), R"({ "b" : "\u0041" })");
    EXPECT_EQ(members.integer("n", -10, 0), -7);
    EXPECT_EQ(members.text("t", 1), "A");
    EXPECT_TRUE(members.flag_or("f", false));
    EXPECT_TRUE(members.may_object("none", 100).empty());
    EXPECT_EQ(members.may_text("none", 100), std::nullopt);
    EXPECT_FALSE(members.error());
    EXPECT_EQ(members.integer("n", 0, 10), 0);
    EXPECT_EQ(members.error().value().hint, "/x/n: an integer from 0 to 10 is needed");
}

}  // namespace
}  // namespace entente::protocol
