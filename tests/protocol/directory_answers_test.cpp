// What is believed of another server's directory: bounded, and nothing that can't be read.
#include "protocol/directory_answers.hpp"

#include <gtest/gtest.h>

#include "protocol/octets.hpp"

namespace entente::protocol {
namespace {

constexpr NameRules names_rules{};

ListedChannel listed(std::size_t number)
{
    auto text = std::to_string(number);
    text.insert(0, 12 - text.size(), '0');
    ListedChannel made;
    made.channel = ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-" + text + "@a.example");
    return made;
}

// [QRY-6]
TEST(DirectoryAnswers, OfAnAliasThirtyTwoServersAreRead)
{
    AliasAnswer answer;
    answer.channel = listed(1).channel;
    for (std::size_t i = 0; i < max_alias_servers; ++i)
        answer.servers.push_back(ServerName::trusted("s" + std::to_string(i) + ".example"));
    EXPECT_EQ(parse_alias_answer(write_alias_answer(answer), names_rules)->servers, answer.servers);
    auto more = answer;
    more.servers.push_back(ServerName::trusted("one.more.example"));
    EXPECT_EQ(parse_alias_answer(write_alias_answer(more), names_rules)->servers, answer.servers);
}

// [QRY-7]
TEST(DirectoryAnswers, OfAPageAThousandChannelsAreRead)
{
    DirectoryAnswer answer;
    for (std::size_t i = 0; i < max_directory_channels; ++i) answer.channels.push_back(listed(i));
    EXPECT_EQ(parse_directory_answer(write_directory_answer(answer), names_rules)->channels.size(),
              max_directory_channels);
    answer.channels.push_back(listed(max_directory_channels));
    EXPECT_EQ(parse_directory_answer(write_directory_answer(answer), names_rules)->channels.size(),
              max_directory_channels);
}

// [QRY-7]
TEST(DirectoryAnswers, AChannelThatCannotBeReadIsLeftOut)
{
    const auto name = listed(1).channel.str();
    const auto read = parse_directory_answer(
        R"({"channels":[7,{"channel":"nothing"},{"name":"of none"},{"channel":")" + name +
            R"("}],"next":null})",
        names_rules);
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_EQ(read->channels.size(), 1U);
    EXPECT_EQ(read->channels.front().channel.str(), name);
}

// [QRY-7]
TEST(DirectoryAnswers, ACursorHasFiveHundredAndTwelveOctetsAtMost)
{
    DirectoryAnswer answer;
    answer.next = std::string(max_directory_cursor_octets, 'c');
    const auto read = parse_directory_answer(write_directory_answer(answer), names_rules);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->next, answer.next);
    answer.next.push_back('c');
    EXPECT_FALSE(parse_directory_answer(write_directory_answer(answer), names_rules));
}

}  // namespace
}  // namespace entente::protocol
