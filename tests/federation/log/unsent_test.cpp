// What waits for its home: how it goes out once it does, and how much of it there may be.
#include "tests/federation/log/link_rig.hpp"

namespace entente::federation::log_rig {
namespace {

// The way to `peer`, which answers.
class ToInbox final : public net::Fetcher {
 public:
    ToInbox(Server& peer, const Server& from) : peer_(peer), from_(from) {}
    asio::awaitable<Result<net::FetchedResponse>> fetch(net::Fetch fetch) override
    {
        ++requests;
        auto response = co_await answer_of(peer_, from_, fetch);
        co_return response;
    }
    std::size_t requests = 0;

 private:
    Server& peer_;
    const Server& from_;
};

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
    BatchDraft all_that_waits(Millis now = 0)
    {
        return b
            .read([&](storage::Connection& db) {
                BatchLimits no_limits{1'000'000'000, 1'000'000};
                no_limits.now = now;
                return read_batch(db, b.identity.name, a.identity.name, no_limits, Held{});
            })
            .value();
    }

    void join_dora()
    {
        ASSERT_TRUE(
            a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("dora"))).has_value());
        settle_all(a, b);
        ASSERT_TRUE(b.world.run(b.channels->join(b.actor("dora"), channel)));
        settle_all(b, a);
        settle_all(a, b);
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

// [EVT-5] By a clock that was fast and was put right.
TEST_F(UnsentTest, WhatIsFromTheNearFutureWaitsForTheClockAndNobodyElseDoes)
{
    join_dora();
    auto& now = servers.world.clock.now;
    const Millis start = now;
    now = start + 900'000;
    ASSERT_TRUE(b.post("bob", channel, "early"));
    now = start;
    ASSERT_TRUE(b.post("bob", channel, "behind it"));
    ASSERT_TRUE(b.post("dora", channel, "dora's"));
    const auto writers = [&](Millis at) {
        std::vector<std::string> users;
        for (const auto& part : all_that_waits(at).submissions) {
            for (const auto& row : part.rows) users.push_back(row.user);
        }
        return users;
    };
    EXPECT_EQ(writers(start), std::vector<std::string>{"dora@b.example"});
    EXPECT_EQ(all_that_waits(start).due, start + 900'000);
    EXPECT_EQ(writers(start + 899'999), std::vector<std::string>{"dora@b.example"});
    using Users = std::vector<std::string>;
    EXPECT_EQ(writers(start + 900'000),
              (Users{"bob@b.example", "bob@b.example", "dora@b.example"}));
    EXPECT_EQ(all_that_waits(start + 900'000).due, 0);
    // What the home would refuse isn't kept.
    EXPECT_EQ(writers(start + 900'000 - 3'660'001), Users{"bob@b.example"});
    EXPECT_EQ(writers(start + 900'000 - 3'660'000), Users{});
}

// [EVT-5] And goes by itself.
TEST_F(UnsentTest, WhatWaitsForTheClockGoesOnceItIsDue)
{
    auto& now = servers.world.clock.now;
    now += 300;
    ASSERT_TRUE(b.post("bob", channel, "early"));
    now -= 300;
    ToInbox way(a, b);
    LinksOf links(b, way, std::chrono::milliseconds{50});
    links->nudge(a.identity.name);
    links.run([&] { return links.waits(a); });
    EXPECT_EQ(way.requests, 0U);
    now += 300;
    links.run([&] { return a.texts(channel) == std::vector<std::string>{"early"}; });
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
