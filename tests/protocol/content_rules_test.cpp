// Which entries may be without their content [MEM-4].
#include "protocol/content_rules.hpp"

#include <gtest/gtest.h>

namespace entente::protocol {
namespace {

Entry deleted(std::int64_t by)
{
    Entry entry;
    entry.deleted_by = by;
    return entry;
}

Entry expired()
{
    Entry entry;
    entry.expired = true;
    return entry;
}

TEST(ContentRules, ADeletedEntryNamesALaterEntryThatTheHomeHas)
{
    const auto is_bad = [](std::int64_t by) {
        return is_withheld(deleted(by), "message.create", 5, 9, "keep");
    };
    EXPECT_TRUE(is_bad(0));
    EXPECT_TRUE(is_bad(4));
    EXPECT_TRUE(is_bad(5));
    EXPECT_FALSE(is_bad(6));
    EXPECT_FALSE(is_bad(9));
    EXPECT_TRUE(is_bad(10));
}

TEST(ContentRules, OnlyMessagesEditsAndReactionsAreDeleted)
{
    for (const auto* type : {"message.create", "message.edit", "message.react"})
        EXPECT_FALSE(is_withheld(deleted(6), type, 5, 9, "keep")) << type;
    for (const auto* type : {"message.delete", "channel.update", "member.join", "key.share", "x"})
        EXPECT_TRUE(is_withheld(deleted(6), type, 5, 9, "keep")) << type;
}

TEST(ContentRules, OnlyMessagesExpireAndNoneUnderKeep)
{
    for (const auto* type : {"message.create", "message.delete", "message.react"}) {
        EXPECT_FALSE(is_withheld(expired(), type, 5, 9, "days:3")) << type;
        EXPECT_FALSE(is_withheld(expired(), type, 5, 9, "relay")) << type;
        EXPECT_TRUE(is_withheld(expired(), type, 5, 9, "keep")) << type;
    }
    for (const auto* type : {"channel.create", "member.kick", "key.share", "messages", ""})
        EXPECT_TRUE(is_withheld(expired(), type, 5, 9, "days:3")) << type;
}

TEST(ContentRules, WhoHasItsContentWithholdsNothing)
{
    Entry entry;
    entry.content = "{}";
    EXPECT_FALSE(is_withheld(entry, "channel.create", 1, 1, "keep"));
}

}  // namespace
}  // namespace entente::protocol
