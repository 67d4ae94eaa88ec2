// Who joins a channel that has moved, or is about to [SUC-6, SUC-7, SUC-8].
#include "federation/channels/channel_changes.hpp"
#include "tests/federation/log/succession_rig.hpp"

namespace entente::federation::log_rig {
namespace {

class Newcomers : public ::testing::Test {
 protected:
    // alice@a made it, bob@b is in it, and it has moved to b.example.
    void begin(const std::string& history, bool is_public = false)
    {
        channel = a.create("alice", history, is_public);
        EXPECT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("bob"))));
        settle_all(a, b);
        EXPECT_TRUE(b.world.run(b.channels->join(b.actor("bob"), channel)));
        settle_all(a, b);
        EXPECT_TRUE(a.post("alice", channel, "one"));
        EXPECT_TRUE(a.world.run(a.channels->move(a.actor("alice"), channel, b.identity.name)));
        settle_all(a, b);
        EXPECT_TRUE(b.post("bob", channel, "two"));
        settle_all(a, b);
    }
    [[nodiscard]] std::string home_at_c()
    {
        auto row =
            c.read([&](storage::Connection& db) { return storage::read_channel(db, channel); });
        return row ? row->home.str() + " " + std::to_string(row->epoch) : "";
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
};

// [SUC-7]
TEST_F(Newcomers, AJoinOfTheEpochBeforeBeginsThereAndLeadsThroughTheMove)
{
    channel = a.create("alice", "all", true);
    ASSERT_TRUE(b.world.run(b.channels->join(b.actor("bob"), channel)));
    settle_all(a, b);
    changes::ChannelPatch later;
    later.history = "since-join";
    ASSERT_TRUE(a.change("alice", channel, changes::update(later)));
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
    const auto lost = send_unheard(c, a);
    const auto joined = lost.submissions.at(0).events.at(0).seq;
    ASSERT_GT(joined, 0);
    ASSERT_TRUE(a.world.run(a.channels->move(a.actor("alice"), channel, b.identity.name)));
    settle_all(a, b);
    ASSERT_TRUE(exchange(c, a));
    ASSERT_TRUE(exchange(c, b));
    EXPECT_EQ(home_at_c(), "a.example 1");
    EXPECT_EQ(c.image(channel)->floor, joined);
    settle_all(b, c);
    EXPECT_EQ(home_at_c(), "b.example 2");
    EXPECT_EQ(c.image(channel)->hash, b.image(channel)->hash);
    EXPECT_EQ(c.image(channel)->state, b.image(channel)->state);
}

// [SUC-8]
TEST_F(Newcomers, WhoIsInvitedByTheNewHomeIsSentThereByTheServerThatMadeTheChannel)
{
    begin("all");
    ASSERT_TRUE(b.world.run(b.channels->invite(b.actor("bob"), channel, c.user("carol"))));
    settle_all(b, c);
    ASSERT_EQ(c.invited, std::vector<std::string>{"carol@c.example"});
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
    // It doesn't know of the invitation yet.
    auto too_early = exchange(c, a);
    ASSERT_TRUE(too_early);
    EXPECT_TRUE(too_early->held_submissions.contains(channel.str()));
    settle_all(a, b);
    ASSERT_TRUE(exchange(c, a));
    settle_all(b, c);
    EXPECT_EQ(home_at_c(), "b.example 2");
    // From entry 1 on, through the move.
    EXPECT_EQ(c.image(channel)->floor, 0);
    EXPECT_EQ(c.image(channel)->hash, b.image(channel)->hash);
    EXPECT_EQ(c.image(channel)->state, b.image(channel)->state);
}

// [SUC-6] [SUC-7] The other's join begins the log; the home before, who was asked, may be gone.
TEST_F(Newcomers, AJoinThatIsOutstandingAtAnotherGoesToTheHomeThatBeginsTheLog)
{
    begin("since-join", true);
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
    ASSERT_TRUE(exchange(c, a));
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("chris"), channel)));
    settle_all(b, c);
    ASSERT_EQ(home_at_c(), "b.example 2");
    EXPECT_NE(b.image(channel)->state.find("chris@c.example"), std::string::npos);
}

// [SUC-7] The answer was lost: the old home repeats it with the state of then, which the new one,
// that came later than entry 1, can't fold.
TEST_F(Newcomers, AJoinThatTheOldHomeTookIsAnsweredByItAfterTheMove)
{
    channel = a.create("alice", "since-join", true);
    ASSERT_TRUE(b.world.run(b.channels->join(b.actor("bob"), channel)));
    settle_all(a, b);
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
    const auto lost = send_unheard(c, a);
    ASSERT_EQ(lost.submissions.at(0).events.at(0).status, protocol::ItemStatus::accepted);
    ASSERT_TRUE(a.world.run(a.channels->move(a.actor("alice"), channel, b.identity.name)));
    settle_all(a, b);
    ASSERT_TRUE(exchange(c, a));
    EXPECT_EQ(c.image(channel)->seq, lost.submissions.at(0).events.at(0).seq);
    settle_all(b, c);
    settle_all(a, c);
    EXPECT_EQ(home_at_c(), "b.example 2");
    EXPECT_EQ(c.image(channel)->hash, b.image(channel)->hash);
}

// [SUC-8]
TEST_F(Newcomers, WhoComesByTheNameOfAPublicChannelIsSentOn)
{
    begin("since-join", true);
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
    ASSERT_TRUE(exchange(c, a));
    settle_all(b, c);
    EXPECT_EQ(home_at_c(), "b.example 2");
    EXPECT_EQ(c.image(channel)->hash, b.image(channel)->hash);
    ASSERT_TRUE(c.post("carol", channel, "three"));
    settle_all(b, c);
    EXPECT_EQ(c.image(channel)->hash, b.image(channel)->hash);
}

}  // namespace
}  // namespace entente::federation::log_rig
