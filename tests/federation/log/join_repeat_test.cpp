// A join that is asked for again, once the log of its channel has begun behind it.
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

class JoinRepeat : public ::testing::TestWithParam<std::string> {
 protected:
    JoinRepeat() : channel(a.create("alice", GetParam()))
    {
        EXPECT_TRUE(
            a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("bob"))).has_value());
        settle_all(a, b);
    }
    Result<Posted> join(const Actor& actor)
    {
        return b.world.run(b.channels->join(actor, channel));
    }
    bool is_open()
    {
        return b.read([&](storage::Connection& db) { return storage::has_open_join(db, channel); })
            .value();
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
};

// [EVT-2] The first one's event, not another under the same txn, which the home would refuse.
TEST_P(JoinRepeat, GetsTheFirstOnesStanding)
{
    const auto actor = b.actor("bob");
    const auto first = join(actor);
    ASSERT_TRUE(first);
    settle_all(b, a);
    ASSERT_TRUE(b.image(channel));

    const auto again = join(actor);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->event_id, first->event_id);
    EXPECT_EQ(again->state, DeliveryState::accepted);
    EXPECT_GT(again->seq, 0);
    EXPECT_FALSE(is_open());
    const auto sent =
        b.read([&](storage::Connection& db) { return storage::owed_servers(db, b.identity.name); });
    EXPECT_TRUE(sent.value().empty());
}

// [LOG-19] What lies behind the floor isn't lost: it never comes back in the log.
TEST_P(JoinRepeat, IsNotHandedInAgainWithEveryNewEntry)
{
    const auto first = join(b.actor("bob"));
    ASSERT_TRUE(first);
    settle_all(b, a);
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(a.post("alice", channel, "more"));
        settle_all(a, b);
        const auto owed = b.read(
            [&](storage::Connection& db) { return storage::owed_servers(db, b.identity.name); });
        EXPECT_TRUE(owed.value().empty());
        EXPECT_FALSE(is_open());
    }
}

// [LOG-3] What is remembered of it lets no slices in, once everybody has left.
TEST_P(JoinRepeat, IsOverWithTheMembership)
{
    ASSERT_TRUE(join(b.actor("bob")));
    settle_all(b, a);
    ASSERT_TRUE(b.world.run(b.channels->leave(b.actor("bob"), channel)));
    settle_all(b, a);
    settle_all(a, b);
    EXPECT_FALSE(is_open());
}

INSTANTIATE_TEST_SUITE_P(Histories, JoinRepeat, ::testing::Values("since-join", "all"),
                         [](const auto& tested) {
                             return tested.param == "all" ? std::string("All")
                                                          : std::string("SinceJoin");
                         });

}  // namespace
}  // namespace entente::federation::log_rig
