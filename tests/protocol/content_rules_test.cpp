// Which entries may be without their content [MEM-4].
#include "protocol/content_rules.hpp"

#include <gtest/gtest.h>

namespace entente::protocol {
namespace {

TEST(ContentRules, OnlyMessagesEditsAndReactionsAreDeleted)
{
    for (const auto* type : {"message.create", "message.edit", "message.react"})
        EXPECT_TRUE(can_be_deleted(type)) << type;
    for (const auto* type : {"message.delete", "channel.update", "member.join", "key.share", "x"})
        EXPECT_FALSE(can_be_deleted(type)) << type;
}

TEST(ContentRules, OnlyMessagesExpire)
{
    for (const auto* type : {"message.create", "message.delete", "message.react"})
        EXPECT_TRUE(can_expire(type)) << type;
    for (const auto* type : {"channel.create", "member.kick", "key.share", "messages", ""})
        EXPECT_FALSE(can_expire(type)) << type;
}

TEST(ContentRules, ADeletionTakesItsTargetAndTheEditsOfItAlong)
{
    Event message, edit, reaction, deletion;
    message.type = "message.create";
    message.id = Hash{1};
    edit.type = "message.edit";
    edit.id = Hash{2};
    reaction.type = "message.react";
    reaction.id = Hash{3};
    edit.target = reaction.target = message.id;
    deletion.type = "message.delete";
    EXPECT_FALSE(deletes(deletion, message));
    deletion.target = message.id;
    EXPECT_TRUE(deletes(deletion, message));
    EXPECT_TRUE(deletes(deletion, edit));
    EXPECT_FALSE(deletes(deletion, reaction));
    deletion.type = "message.react";
    EXPECT_FALSE(deletes(deletion, message));
}

// [MEM-5]
TEST(ContentRules, DaysAreReadAsTheyMayBeWritten)
{
    EXPECT_EQ(retention_days("days:1"), 1);
    EXPECT_EQ(retention_days("days:36500"), 36'500);
    for (const auto* text : {"days:36501", "days:0", "days:01", "days:-1", "days:", "days:1x",
                             "days: 1", "keep", "relay", ""})
        EXPECT_FALSE(retention_days(text)) << text;
}

TEST(ContentRules, AContentGoesWhenItsDaysAreOverByWhicheverClock)
{
    constexpr Millis now = 100 * day_ms;
    constexpr Millis apart = 60'000;
    const auto may = [](std::string_view retention, Millis at) {
        return may_have_expired(retention, "message.create", at, now);
    };
    EXPECT_TRUE(may("days:3", now - 3 * day_ms + apart));
    EXPECT_FALSE(may("days:3", now - 3 * day_ms + apart + 1));
    EXPECT_TRUE(may("relay", now));
    EXPECT_FALSE(may("keep", 0));
    EXPECT_FALSE(may_have_expired("relay", "member.join", 0, now));
}

}  // namespace
}  // namespace entente::protocol
