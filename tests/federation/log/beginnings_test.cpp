// A log as its home should not have begun it.
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::SliceStatus;

// Found by the simulation: such a state was written, and could not be read again.
// [MEM-2]
TEST(Beginnings, ALogThatBeginsWithoutACreateIsReadAfterARestart)
{
    Servers servers;
    auto& a = servers.a;
    auto& b = servers.b;
    const auto channel = a.create("alice", "all");
    ASSERT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("bob"))));
    settle_all(a, b);
    ASSERT_TRUE(b.world.run(b.channels->join(b.actor("bob"), channel)));
    ASSERT_TRUE(exchange(b, a));

    auto headless = slice(a, channel, 0, all_entries);
    auto& entries = headless.logs.at(0).entries;
    entries.erase(entries.begin());
    rechain(headless.logs[0]);
    sign_anew(a, headless);
    ASSERT_EQ(deliver(a, b, headless).status, SliceStatus::ok);
    b.restart();
    const auto again = deliver(a, b, headless);
    // Nobody is a member: not even the join had an effect.
    EXPECT_EQ(again.status, SliceStatus::not_following);
    EXPECT_EQ(again.have.seq, static_cast<std::int64_t>(entries.size()));
    EXPECT_EQ(b.image(channel)->state, protocol::state_json(protocol::ChannelState{}));
}

}  // namespace
}  // namespace entente::federation::log_rig
