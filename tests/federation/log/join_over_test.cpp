// A join that was taken, and whose membership has ended again before its server heard of it.
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

class JoinOver : public ::testing::Test {
 protected:
    JoinOver() : open(a.create("alice", "since-join", true))
    {
        auto posted = c.world.run(c.channels->join(c.actor("carol"), open));
        EXPECT_TRUE(posted);
        join = posted->event_id;
        draft = c.read([&](storage::Connection& db) {
                     return read_batch(db, c.identity.name, a.identity.name, {}, {});
                 }).value();
        answer = a.receive(c, sign_batch(draft, c.identity, servers.world.clock.now_ms()));
    }
    Result<Settled> settle(protocol::TransactionResult result)
    {
        return c.world.run(c.settlement->settle(a.identity.name, draft, std::move(result)));
    }
    // The answer, as where the following is over as well.
    Result<Settled> settle_without_snapshot()
    {
        auto result = answer;
        result.submissions[0].events[0].snapshot.reset();
        return settle(std::move(result));
    }
    // What follows once the home says `not-found`.
    Result<void> pass_over(const WantedSnapshot& wanted)
    {
        return c.world.run(c.settlement->pass_over(wanted));
    }

    Servers servers;
    Server& a = servers.a;
    Server& c = servers.c;
    ChannelId open;
    Hash join{};
    BatchDraft draft;
    protocol::TransactionResult answer;
};

// [MEM-3] Kicked before its server heard of the join, or put back to before it heard.
TEST_F(JoinOver, EndsWithoutALogAndIsToldOnce)
{
    auto settled = settle_without_snapshot();
    ASSERT_TRUE(settled && settled->wants_snapshot.contains(open.str()));
    const auto wanted = settled->wants_snapshot.at(open.str());
    ASSERT_TRUE(pass_over(wanted));
    EXPECT_FALSE(c.submission(join));
    EXPECT_FALSE(c.image(open));
    EXPECT_EQ(c.heard.changed.back().state, DeliveryState::accepted);
    EXPECT_EQ(c.heard.changed.back().seq, wanted.seq);
    c.heard.changed.clear();
    ASSERT_TRUE(pass_over(wanted));
    EXPECT_TRUE(c.heard.changed.empty());
}

// [MEM-3]
TEST_F(JoinOver, IsNotWhereItsLogHasBegunMeanwhile)
{
    auto settled = settle_without_snapshot();
    ASSERT_TRUE(settled && settle(answer));
    ASSERT_TRUE(pass_over(settled->wants_snapshot.at(open.str())));
    EXPECT_TRUE(c.submission(join));
    EXPECT_TRUE(c.image(open));
}

}  // namespace
}  // namespace entente::federation::log_rig
