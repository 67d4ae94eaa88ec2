#include "protocol/octets.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

TEST(Base64url, WritesTheVectorsOfRfc4648WithoutPadding)
{
    EXPECT_EQ(to_base64url(std::string_view{""}), "");
    EXPECT_EQ(to_base64url(std::string_view{"f"}), "Zg");
    EXPECT_EQ(to_base64url(std::string_view{"fo"}), "Zm8");
    EXPECT_EQ(to_base64url(std::string_view{"foo"}), "Zm9v");
    EXPECT_EQ(to_base64url(std::string_view{"foobar"}), "Zm9vYmFy");
    EXPECT_EQ(to_base64url(from_hex("fbff")), "-_8");
}

TEST(Base64url, RefusesPaddingForeignCharactersAndTrailingBits)
{
    EXPECT_TRUE(from_base64url("Zg"));
    for (const auto* text : {"Zg==", "Zg=", "Z", "Zm9vY", "Zh", "Zm9", "+/8", "Zm 9v", "Zm9v\n"}) {
        const auto decoded = from_base64url(text);
        ASSERT_FALSE(decoded) << text;
        EXPECT_EQ(decoded.error().code, Code::malformed);
    }
    EXPECT_FALSE(from_base64url(std::string_view{"Zg\0", 3}));
}

TEST(Base64, WritesPaddingAndAsksForIt)
{
    EXPECT_EQ(to_base64("f"), "Zg==");
    EXPECT_EQ(to_base64("fo"), "Zm8=");
    EXPECT_EQ(to_base64("foo"), "Zm9v");
    EXPECT_EQ(*from_base64("Zm8="), "fo");
    for (const auto* text :
         {"Zg", "Zg=", "Zg===", "Zh==", "=", "====", "Zm8==", "-_8=", "Zg==Zg=="}) {
        EXPECT_FALSE(from_base64(text)) << text;
    }
}

TEST(HashText, HasExactly43Characters)
{
    const Hash hash = sha256("abc");
    const std::string text = to_base64url(hash);
    EXPECT_EQ(text.size(), 43U);
    EXPECT_EQ(*hash_from_base64url(text), hash);
    EXPECT_FALSE(hash_from_base64url(text.substr(0, 42)));
    EXPECT_FALSE(hash_from_base64url(text + "A"));
    EXPECT_FALSE(hash_from_base64url(text.substr(0, 42) + "B"));  // trailing bits
}

TEST(Sha256, MatchesTheVectorsOfFips180)
{
    EXPECT_EQ(as_view(sha256("abc")),
              from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    EXPECT_EQ(as_view(sha256(std::string_view{})),
              from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    EXPECT_EQ(sha256({"a", "", "bc"}), sha256("abc"));
}

TEST(ConstantTimeComparison, SaysWhatEqualitySays)
{
    EXPECT_TRUE(equal_in_constant_time("", ""));
    EXPECT_TRUE(equal_in_constant_time("same", "same"));
    EXPECT_FALSE(equal_in_constant_time("same", "sane"));
    EXPECT_FALSE(equal_in_constant_time("same", "samey"));
}

RC_GTEST_PROP(Base64url, ReadsBackWhatItWrote, (const std::string& octets))
{
    RC_ASSERT(*from_base64url(to_base64url(octets)) == octets);
    RC_ASSERT(*from_base64(to_base64(octets)) == octets);
}

// One spelling per value: whatever is accepted is what would have been written.
RC_GTEST_PROP(Base64url, HasOneTextPerValue, ())
{
    const auto text = *rc::gen::container<std::string>(
        rc::gen::element('A', 'B', 'Q', 'g', 'w', 'z', '0', '9', '-', '_', '='));
    if (const auto octets = from_base64url(text)) RC_ASSERT(to_base64url(*octets) == text);
    if (const auto octets = from_base64(text)) RC_ASSERT(to_base64(*octets) == text);
}

}  // namespace
}  // namespace entente::protocol
