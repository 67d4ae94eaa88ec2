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

// Its home may have been put back meanwhile, and have taken the same anew.
// [EVT-2] [QRY-2]
TEST(Beginnings, WhatWasHeldBeforeAHoleIsNotRepeatedBehindIt)
{
    Servers servers;
    auto& a = servers.a;
    auto& b = servers.b;
    const auto channel = shared_channel(a, b);
    const auto message = a.event(channel, {"message.create", "alice@a.example", hello});
    ASSERT_TRUE(a.append(message));
    settle_all(a, b);
    const auto held = b.image(channel)->seq;
    const auto of_bob = [&](const std::string& type) {
        ASSERT_TRUE(
            a.append(a.event(channel, {type, "alice@a.example", R"({"user":"bob@b.example"})"})));
    };
    of_bob("member.kick");
    settle_all(a, b);
    ASSERT_TRUE(a.post("alice", channel, "unseen"));
    of_bob("member.invite");
    settle_all(a, b);
    ASSERT_TRUE(b.world.run(b.channels->join(b.actor("bob"), channel)));
    settle_all(a, b);
    const auto now = *b.image(channel);
    ASSERT_GT(now.floor, held + 1);

    ASSERT_TRUE(a.post("alice", channel, "next"));
    auto made = slice(a, channel, now.seq, all_entries);
    made.logs[0].entries.at(0).event = message.event;
    made.logs[0].entries[0].content = message.content;
    rechain(made.logs[0]);
    sign_anew(a, made);
    ASSERT_EQ(deliver(a, b, made).status, SliceStatus::ok);
    const auto entry = b.entries(channel, now.seq).at(0).entry;
    EXPECT_EQ(entry.content, message.content);
    EXPECT_EQ(entry.marks, 0);
}

}  // namespace
}  // namespace entente::federation::log_rig
