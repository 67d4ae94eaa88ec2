#include "protocol/names.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/strict.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

constexpr NameRules for_tests{true};
constexpr auto* uuid7 = "0192f0c1-2345-7abc-8def-0123456789ab";
const std::string kid_text(43, 'A');

bool is_server(const std::string& text)
{
    return parse_server_name(text, strict).has_value();
}

std::string label_of(std::size_t size)
{
    return std::string(size, 'a');
}

// [NAME-1] [NAME-2]
TEST(ServerNames, AreLowerCaseDnsNames)
{
    for (const auto* name :
         {"a.example", "chat.a.example", "xn--bcher-kva.example", "1.a", "a-b.c-d"}) {
        EXPECT_TRUE(is_server(name)) << name;
    }
    for (const auto* name :
         {"", ".", "a.", ".a", "a..b", "A.example", "a_b.example", "-a.example", "a-.example",
          "a.example:443", "a.example.", "a.ex ample", "ä.example", "a.example/", "a@b.example"}) {
        const auto parsed = parse_server_name(name, strict);
        ASSERT_FALSE(parsed) << name;
        EXPECT_EQ(parsed.error().code, Code::malformed);
    }
    EXPECT_FALSE(is_server(std::string{"a.exam\0ple", 10}));
}

// [NAME-1]
TEST(ServerNames, KeepTheLengthsOfDns)
{
    EXPECT_TRUE(is_server(label_of(63) + ".example"));
    EXPECT_FALSE(is_server(label_of(64) + ".example"));
    const std::string three = label_of(63) + "." + label_of(63) + "." + label_of(63) + ".";
    EXPECT_TRUE(is_server(three + label_of(61)));  // 253 octets
    EXPECT_FALSE(is_server(three + label_of(62)));
}

// [NAME-1] [NAME-4]
TEST(ServerNames, AreNeverAddresses)
{
    for (const auto* name :
         {"127.0.0.1", "[::1]", "::1", "10.1", "a.1", "a.123", "127.0.0.0x1", "a.0x"}) {
        EXPECT_FALSE(parse_server_name(name, strict)) << name;
        EXPECT_FALSE(parse_server_name(name, for_tests)) << name;
    }
    EXPECT_TRUE(is_server("1.2.3.4a"));
}

// [NAME-1]
TEST(ServerNames, OfTestsNeedTheSwitch)
{
    for (const auto* name : {"a.test", "localhost", "a.localhost", "single"}) {
        EXPECT_FALSE(parse_server_name(name, strict)) << name;
        EXPECT_TRUE(parse_server_name(name, for_tests)) << name;
    }
    EXPECT_TRUE(is_server("test.example"));
}

// [NAME-1]
TEST(Localparts, StartWithALetterOrDigitAndHaveAtMost64Characters)
{
    for (const auto* text : {"alice", "a", "0", "a.b_c-d", "9lives"})
        EXPECT_TRUE(is_localpart(text)) << text;
    for (const auto* text : {"", ".a", "_a", "-a", "Alice", "a b", "a@b", "é"}) {
        EXPECT_FALSE(is_localpart(text)) << text;
    }
    EXPECT_TRUE(is_localpart(std::string(64, 'a')));
    EXPECT_FALSE(is_localpart(std::string(65, 'a')));
}

// [NAME-1] [NAME-2]
TEST(UserIds, NameAUserAndAServer)
{
    const auto user = parse_user_id("alice@a.example", strict);
    ASSERT_TRUE(user);
    EXPECT_EQ(localpart_of(*user), "alice");
    EXPECT_EQ(server_of(*user).str(), "a.example");
    for (const auto* text : {"alice", "alice@", "@a.example", "alice@b@a.example",
                             "Alice@a.example", "alice@a.test", "alice@a.example@"}) {
        EXPECT_FALSE(parse_user_id(text, strict)) << text;
    }
}

// [NAME-1]
TEST(Uuids, AreLowerCaseInFiveGroups)
{
    EXPECT_EQ(parse_uuid(uuid7)->str(), uuid7);
    EXPECT_TRUE(parse_uuid("00000000-0000-0000-0000-000000000000"));
    for (const auto* text :
         {"", "0192F0C1-2345-7abc-8def-0123456789ab", "0192f0c123457abc8def0123456789ab",
          "0192f0c1-2345-7abc-8def-0123456789a", "0192f0c1-2345-7abc-8def-0123456789abc",
          "0192f0c12-345-7abc-8def-0123456789ab", "0192f0c1-2345-7abc-8def-0123456789ag"}) {
        EXPECT_FALSE(parse_uuid(text)) << text;
    }
}

// [NAME-5]
TEST(ChannelIds, AreUuidsOfVersion7AtTheirCreator)
{
    const auto channel = parse_channel_id(std::string{uuid7} + "@a.example", strict);
    ASSERT_TRUE(channel);
    EXPECT_EQ(creator_of(*channel).str(), "a.example");
    EXPECT_FALSE(parse_channel_id("0192f0c1-2345-4abc-8def-0123456789ab@a.example", strict));
    EXPECT_FALSE(parse_channel_id("0192f0c1-2345-7abc-cdef-0123456789ab@a.example", strict));
    EXPECT_FALSE(parse_channel_id(uuid7, strict));
    EXPECT_FALSE(parse_channel_id(std::string{uuid7} + "@a.test", strict));
}

// [NAME-5]
TEST(ChannelIds, MadeHereAreAcceptedAndSortByTime)
{
    CountingRandom random{7};
    const auto home = *parse_server_name("a.example", strict);
    const auto first = make_channel_id(home, 1763683200123, random);
    const auto second = make_channel_id(home, 1763683200124, random);
    EXPECT_TRUE(parse_channel_id(first.str(), strict));
    EXPECT_LT(first, second);
    EXPECT_EQ(make_uuid7(0x0192f0c12345, random).str().substr(0, 15), "0192f0c1-2345-7");
}

// [NAME-1]
TEST(KeyReferences, JoinAServerAndAThumbprint)
{
    const auto key = parse_key_ref("a.example#" + kid_text, strict);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->server.str(), "a.example");
    EXPECT_EQ(key->str(), "a.example#" + kid_text);
    EXPECT_FALSE(parse_key_ref("a.example", strict));
    EXPECT_FALSE(parse_key_ref("a.example#" + kid_text + "A", strict));
    EXPECT_FALSE(parse_key_ref("a.example#" + kid_text.substr(1), strict));
    EXPECT_FALSE(parse_key_ref("a.example##" + kid_text, strict));
    EXPECT_FALSE(parse_key_ref("a.test#" + kid_text, strict));
    EXPECT_FALSE(parse_key_id(std::string(42, 'A') + "B"));  // trailing bits
}

}  // namespace
}  // namespace entente::protocol
