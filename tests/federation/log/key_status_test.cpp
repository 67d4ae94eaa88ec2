// What a key's status means for a log [KEY-7, KEY-9]: the home judges it once, when a
// submission arrives; what is logged is taken by every follower, for ever.
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;
using protocol::SliceStatus;

class KeyStatusTest : public ::testing::Test {
 protected:
    KeyStatusTest() : channel(shared_channel(a, b))
    {
        EXPECT_TRUE(a.append(a.event(
            channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"})));
        EXPECT_EQ(from_c({"member.join", "carol@c.example"}).status, ItemStatus::accepted);
        EXPECT_EQ(message_from_c().status, ItemStatus::accepted);
    }
    protocol::EventResult from_c(const Server::Wish& wish)
    {
        return hand_in(c, a, channel, {c.event(channel, wish)}).at(0);
    }
    protocol::EventResult message_from_c()
    {
        return from_c({"message.create", "carol@c.example", hello});
    }
    // What `by` holds of c.example's key from now on.
    void hold(Server& by, trust::KeyStatus status, Millis since) { hold(by, c, status, since); }
    static void hold(Server& by, const Server& whose, trust::KeyStatus status, Millis since)
    {
        auto pins = *by.ring->find(whose.identity.name);
        auto& key = pins.keys.at(0);
        key.status = status;
        key.until = since;
        if (status == trust::KeyStatus::revoked) key.revoked_at = since;
        by.ring->load(std::move(pins));
    }
    protocol::SliceResult deliver_rest()
    {
        return deliver(a, b, slice(a, channel, b.image(channel)->seq, all_entries));
    }
    void expect_the_same_log()
    {
        EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
        EXPECT_EQ(b.image(channel)->state, a.image(channel)->state);
    }

    Servers servers;
    Server &a = servers.a, &b = servers.b, &c = servers.c;
    ChannelId channel;
};

// [KEY-7]
TEST_F(KeyStatusTest, AFollowerTakesWhatWasLoggedUnderARevokedKeyAndTells)
{
    const auto last = a.image(channel)->seq;
    hold(b, trust::KeyStatus::revoked, 1);
    EXPECT_EQ(deliver_rest().status, SliceStatus::ok);
    expect_the_same_log();
    EXPECT_EQ(b.late, std::vector<std::string>{"c.example " + std::to_string(last - 1)});
    // What it holds is compared and skipped, and not told again.
    EXPECT_EQ(deliver(a, b, slice(a, channel, last - 2, all_entries)).status, SliceStatus::ok);
    EXPECT_EQ(b.late.size(), 1U);
}

TEST_F(KeyStatusTest, WhatWasLoggedBeforeTheRevocationIsNothingToTell)
{
    hold(b, trust::KeyStatus::revoked, servers.world.clock.now_ms() + 1000);
    EXPECT_EQ(deliver_rest().status, SliceStatus::ok);
    expect_the_same_log();
    EXPECT_TRUE(b.late.empty());
}

// [KEY-7]
TEST_F(KeyStatusTest, AFollowerTakesWhatWasLoggedUnderAKeyReplacedLongAgo)
{
    hold(b, trust::KeyStatus::retired, 1);
    EXPECT_EQ(deliver_rest().status, SliceStatus::ok);
    expect_the_same_log();
    EXPECT_TRUE(b.late.empty());
}

// [KEY-7] [KEY-9]
TEST_F(KeyStatusTest, AHomeTakesNothingNewUnderARevokedKey)
{
    const auto last = a.image(channel)->seq;
    hold(a, trust::KeyStatus::revoked, servers.world.clock.now_ms() - 1);
    const auto refused = message_from_c();
    EXPECT_EQ(refused.status, ItemStatus::rejected);
    EXPECT_EQ(refused.problem->code, Code::key_revoked);
    EXPECT_EQ(a.image(channel)->seq, last);
}

// [KEY-2] [KEY-9]
TEST_F(KeyStatusTest, AHomeTakesSealsUnderAReplacedKeyForSevenDays)
{
    const auto now = servers.world.clock.now_ms();
    hold(a, trust::KeyStatus::retired, now - trust::key_overlap_ms);
    EXPECT_EQ(message_from_c().status, ItemStatus::accepted);
    hold(a, trust::KeyStatus::retired, now - trust::key_overlap_ms - 1);
    EXPECT_EQ(message_from_c().status, ItemStatus::rejected);
}

// Our own old keys: what we sealed before a rotation comes back in the home's log.
TEST_F(KeyStatusTest, AServerKnowsWhatItSealedUnderItsOldKey)
{
    const auto sent =
        hand_in(b, a, channel, {b.event(channel, {"message.create", "bob@b.example", hello})});
    ASSERT_EQ(sent.at(0).status, ItemStatus::accepted);
    const auto now = servers.world.clock.now_ms();
    b.identity.old_keys.push_back({b.identity.key.public_key(), 0, now, 0});
    b.identity.key = protocol::SigningKey::generate(servers.world.random);
    EXPECT_EQ(deliver_rest().status, SliceStatus::ok);
    expect_the_same_log();
}

// [RETRY-7]
TEST_F(KeyStatusTest, WhatWasSealedBeforeARevocationIsKeptAndSealedAnew)
{
    settle_all(a, b);
    const auto posted = b.post("bob", channel, "sealed too early");
    ASSERT_TRUE(posted);
    hold(a, b, trust::KeyStatus::revoked, 1);
    const auto settled = exchange(b, a);
    ASSERT_TRUE(settled);
    EXPECT_TRUE(settled->held_submissions.contains(channel.str()));
    EXPECT_FALSE(settled->progress);
    ASSERT_TRUE(b.submission(posted->event_id));
    EXPECT_EQ(b.submission(posted->event_id)->problem, "");
    // As if its next key had come.
    hold(a, b, trust::KeyStatus::active, 0);
    settle_all(a, b);
    EXPECT_FALSE(b.submission(posted->event_id));
    EXPECT_EQ(a.entries(channel, 0).back().event_id, posted->event_id);
}

}  // namespace
}  // namespace entente::federation::log_rig
