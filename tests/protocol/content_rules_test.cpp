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

}  // namespace
}  // namespace entente::protocol
