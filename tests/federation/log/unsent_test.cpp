// What waits for its home: how it goes out once it does, and how much of it there may be.
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

// bob@b is a member of a channel that is homed at a.
class UnsentTest : public ::testing::Test {
 protected:
    UnsentTest() : channel(shared_channel(a, b)) {}

    // How many of so many posts, handed in at once, were taken; the rest must be refused alike.
    std::int64_t post(std::int64_t count)
    {
        std::vector<Channels::Post> posts;
        for (std::int64_t i = 0; i < count; ++i)
            posts.push_back({b.actor("bob"), channel, R"({"text":"hello"})"});
        std::int64_t taken = 0;
        for (const auto& posted : servers.world.run(b.channels->post_all(std::move(posts)))) {
            if (posted) {
                ++taken;
                continue;
            }
            EXPECT_EQ(posted.error().code, Code::rate_limited);
            EXPECT_GE(posted.error().retry_after, 1);
        }
        return taken;
    }
    BatchDraft all_that_waits()
    {
        return b
            .read([&](storage::Connection& db) {
                const BatchLimits no_limits{1'000'000'000, 1'000'000};
                return read_batch(db, b.identity.name, a.identity.name, no_limits, Held{});
            })
            .value();
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
};

// [INBOX-7] A seal made when it was posted would be too old by now.
TEST_F(UnsentTest, WhatHasWaitedForHoursIsSealedWhenItIsSent)
{
    auto posted = b.post("bob", channel, "hello");
    ASSERT_TRUE(posted);
    servers.world.clock.now += Millis{3} * 3'600'000;
    ASSERT_TRUE(exchange(b, a));
    EXPECT_EQ(b.submission(posted->event_id)->seq, a.image(channel)->seq);
}

// [INBOX-7]
TEST_F(UnsentTest, WhatHasGatheredGoesUnderOneRoot)
{
    ASSERT_EQ(post(20), 20);
    const auto transaction = sign_batch(all_that_waits(), b.identity, servers.world.clock.now_ms());
    ASSERT_EQ(transaction.submissions.size(), 1U);
    EXPECT_EQ(transaction.submissions[0].events.size(), 20U);
    EXPECT_EQ(transaction.roots.size(), 1U);
}

// [RETRY-3]
TEST_F(UnsentTest, BeyondItsQuotaAPostIsRefusedAndWaitsNowhere)
{
    const auto quota = LocalChannelsOptions{}.max_unsent;
    EXPECT_EQ(post(quota - 1), quota - 1);
    EXPECT_EQ(post(3), 1);
    EXPECT_EQ(all_that_waits().items, static_cast<std::size_t>(quota));
    // What is settled makes room.
    ASSERT_TRUE(exchange(b, a));
    EXPECT_EQ(post(1), 1);
}

}  // namespace
}  // namespace entente::federation::log_rig
