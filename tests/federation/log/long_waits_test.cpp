// Who is told of logs that stand still and of events that nobody takes, when, and how often.
#include "federation/log/long_waits.hpp"

#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::LogLevel;
using protocol::OutgoingTransaction;
using protocol::SliceStatus;

// bob@b is a member of a channel that is homed at a.
class LongWaitsTest : public ::testing::Test {
 protected:
    LongWaitsTest() : channel(shared_channel(a, b)) { b.heard = {}; }

    void pass(Millis time) { servers.world.clock.now += time; }
    void tell()
    {
        auto told = servers.world.run(b.waits->tell());
        ASSERT_TRUE(told) << told.error().detail;
    }
    ChannelSummary summary()
    {
        return servers.world.run(b.channels->get(b.user("bob"), channel)).value();
    }

    // --- logs ------------------------------------------------------------------------
    OutgoingTransaction rest() { return slice(a, channel, b.image(channel)->seq, all_entries); }
    // The next entry, its content another than its author's.
    SliceStatus deliver_spoilt()
    {
        if (a.image(channel)->seq == b.image(channel)->seq) {
            EXPECT_TRUE(a.post("alice", channel, "hello"));
        }
        auto spoilt = rest();
        spoilt.logs[0].entries.at(0).content = R"({"salt":"AAAAAAAAAAAAAAAAAAAAAA","text":"no"})";
        return deliver(a, b, spoilt).status;
    }
    void stall_for_a_day()
    {
        ASSERT_EQ(deliver_spoilt(), SliceStatus::refused);
        pass(refused_notice_ms);
        tell();
        ASSERT_EQ(b.heard.stalls.size(), 1U);
        ASSERT_TRUE(b.heard.stalls.back().second);
    }

    // --- submissions -----------------------------------------------------------------
    Hash post_from_b()
    {
        auto posted = b.post("bob", channel, "hello");
        EXPECT_TRUE(posted);
        return posted->event_id;
    }
    void post_many_from_b(std::size_t count)
    {
        std::vector<Channels::Post> posts;
        for (std::size_t i = 0; i < count; ++i)
            posts.push_back({b.actor("bob"), channel, R"({"text":"hello"})"});
        for (const auto& posted : servers.world.run(b.channels->post_all(std::move(posts))))
            ASSERT_TRUE(posted);
    }
    Delivery delivery(const Hash& id)
    {
        return servers.world.run(b.channels->delivery(b.user("bob"), id)).value();
    }
    std::vector<Delivery> overdue(const std::string& localpart = "bob")
    {
        return servers.world.run(b.channels->overdue(b.user(localpart))).value();
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
};

// --- [LOG-1] -------------------------------------------------------------------------

// [LOG-1]
TEST_F(LongWaitsTest, ADayOfRefusalsIsToldWithTheNextRefusedSliceAndOnce)
{
    const auto since = servers.world.clock.now_ms();
    ASSERT_EQ(deliver_spoilt(), SliceStatus::refused);
    pass(refused_notice_ms - 1);
    ASSERT_EQ(deliver_spoilt(), SliceStatus::refused);
    tell();
    EXPECT_TRUE(b.heard.stalls.empty());
    EXPECT_FALSE(summary().stalled);

    pass(1);
    ASSERT_EQ(deliver_spoilt(), SliceStatus::refused);
    ASSERT_EQ(b.heard.stalls.size(), 1U);
    EXPECT_EQ(b.heard.stalls[0].first, channel);
    ASSERT_TRUE(b.heard.stalls[0].second);
    EXPECT_EQ(b.heard.stalls[0].second->since, since);
    EXPECT_EQ(b.heard.stalls[0].second->problem.code, Code::malformed);
    ASSERT_EQ(b.waits_log.lines.size(), 1U);
    const auto& line = b.waits_log.lines[0];
    EXPECT_EQ(line.level, LogLevel::error);
    EXPECT_EQ(line.component, "channel_log");
    const std::map<std::string, std::string> expected{{"channel", channel.str()},
                                                      {"home", "a.example"},
                                                      {"problem", "malformed"},
                                                      {"since_ms", std::to_string(since)}};
    EXPECT_EQ(line.fields, expected);
    ASSERT_TRUE(summary().stalled);
    EXPECT_EQ(summary().stalled->since, since);

    for (int i = 0; i < 3; ++i) {
        pass(refused_notice_ms);
        ASSERT_EQ(deliver_spoilt(), SliceStatus::refused);
        tell();
        b.restart();
    }
    EXPECT_EQ(b.heard.stalls.size(), 1U);
    EXPECT_EQ(b.waits_log.lines.size(), 1U);
    EXPECT_TRUE(summary().stalled);
}

TEST_F(LongWaitsTest, AStallIsToldAlsoWhereTheHomeNoLongerTries)
{
    ASSERT_EQ(deliver_spoilt(), SliceStatus::refused);
    pass(refused_notice_ms - 1);
    tell();
    EXPECT_TRUE(b.heard.stalls.empty());
    // How long it has been is not forgotten.
    b.restart();
    pass(1);
    tell();
    EXPECT_EQ(b.heard.stalls.size(), 1U);
    tell();
    b.restart();
    tell();
    EXPECT_EQ(b.heard.stalls.size(), 1U);
    EXPECT_EQ(b.waits_log.lines.size(), 1U);
}

TEST_F(LongWaitsTest, TheLastRefusalsProblemIsShown)
{
    stall_for_a_day();
    auto unproven = rest();
    unproven.logs[0].checkpoint.proof.path.push_back(Hash{});
    ASSERT_EQ(deliver(a, b, unproven).status, SliceStatus::refused);
    EXPECT_EQ(summary().stalled->problem.code, Code::signature_invalid);
    EXPECT_EQ(b.heard.stalls.size(), 1U);
}

// [LOG-1]
TEST_F(LongWaitsTest, ALogThatGoesOnIsToldAndCountsAnew)
{
    stall_for_a_day();
    ASSERT_EQ(deliver(a, b, rest()).status, SliceStatus::ok);
    ASSERT_EQ(b.heard.stalls.size(), 2U);
    EXPECT_FALSE(b.heard.stalls[1].second);
    EXPECT_FALSE(summary().stalled);
    b.restart();
    EXPECT_FALSE(summary().stalled);

    ASSERT_EQ(deliver_spoilt(), SliceStatus::refused);
    pass(refused_notice_ms - 1);
    tell();
    EXPECT_EQ(b.heard.stalls.size(), 2U);
    pass(1);
    tell();
    EXPECT_EQ(b.heard.stalls.size(), 3U);
}

TEST_F(LongWaitsTest, WhatGoesOnWithinTheDayIsNotSpokenOf)
{
    ASSERT_EQ(deliver_spoilt(), SliceStatus::refused);
    pass(refused_notice_ms - 1);
    ASSERT_EQ(deliver(a, b, rest()).status, SliceStatus::ok);
    pass(refused_notice_ms);
    tell();
    EXPECT_TRUE(b.heard.stalls.empty());
    EXPECT_TRUE(b.waits_log.lines.empty());
}

// [LOG-1]
TEST_F(LongWaitsTest, WhatIsHeldAlreadyIsNoProgress)
{
    const auto held = b.image(channel)->seq;
    auto heartbeat = rest();
    ASSERT_TRUE(heartbeat.logs[0].entries.empty());
    heartbeat.logs[0].latest += 1;
    ASSERT_EQ(deliver_spoilt(), SliceStatus::refused);
    // An old slice, and a heartbeat that knows of more.
    ASSERT_EQ(deliver(a, b, slice(a, channel, held - 1, 1)).status, SliceStatus::ok);
    ASSERT_EQ(deliver(a, b, heartbeat).status, SliceStatus::ok);
    pass(refused_notice_ms);
    tell();
    EXPECT_EQ(b.heard.stalls.size(), 1U);
}

// [LOG-1]
TEST_F(LongWaitsTest, AHeartbeatThatAgreesEndsIt)
{
    const auto good = rest();
    auto bad = good;
    bad.logs[0].checkpoint.proof.path.push_back(Hash{});
    ASSERT_TRUE(good.logs[0].entries.empty());
    ASSERT_EQ(deliver(a, b, bad).status, SliceStatus::refused);
    ASSERT_EQ(deliver(a, b, good).status, SliceStatus::ok);
    pass(refused_notice_ms);
    tell();
    EXPECT_TRUE(b.heard.stalls.empty());
}

TEST_F(LongWaitsTest, ASliceThatCannotBeReadCountsForTheChannelThatItNames)
{
    const auto unreadable = R"({"logs":[{"channel":")" + channel.str() + R"("}]})";
    ASSERT_NE(b.receive_octets(a, unreadable).body.find("refused"), std::string::npos);
    pass(refused_notice_ms);
    tell();
    EXPECT_EQ(b.heard.stalls.size(), 1U);
}

TEST_F(LongWaitsTest, OnlyTheHomesSlicesCount)
{
    ASSERT_TRUE(a.post("alice", channel, "hello"));
    auto spoilt = rest();
    sign_anew(c, spoilt);
    ASSERT_EQ(deliver(c, b, spoilt).problem->code, Code::not_home);
    const auto unreadable = R"({"logs":[{"channel":")" + channel.str() + R"("}]})";
    ASSERT_NE(b.receive_octets(c, unreadable).body.find("refused"), std::string::npos);
    pass(refused_notice_ms);
    tell();
    EXPECT_TRUE(b.heard.stalls.empty());
}

// [LOG-1]
TEST_F(LongWaitsTest, WhatIsOnlyPutOffDoesNotCount)
{
    ASSERT_TRUE(a.post("alice", channel, "hello"));
    auto unknown = rest();
    // A key that can't be had just now.
    const auto known = a.identity.key;
    a.identity.key = protocol::SigningKey::generate(servers.world.random);
    sign_anew(a, unknown);
    a.identity.key = known;
    ASSERT_EQ(deliver(a, b, unknown).status, SliceStatus::deferred);
    pass(refused_notice_ms);
    tell();
    EXPECT_TRUE(b.heard.stalls.empty());
}

TEST_F(LongWaitsTest, AForkTakesTheStallsPlace)
{
    stall_for_a_day();
    auto other = slice(a, channel, b.image(channel)->seq - 1, all_entries);
    other.logs[0].entries.at(0).at -= 1;
    rechain(other.logs[0]);
    sign_anew(a, other);
    ASSERT_EQ(deliver(a, b, other).status, SliceStatus::fork);
    ASSERT_EQ(b.heard.stalls.size(), 2U);
    EXPECT_FALSE(b.heard.stalls[1].second);
    EXPECT_FALSE(summary().stalled);
    EXPECT_TRUE(summary().frozen);
}

// --- [RETRY-1] -----------------------------------------------------------------------

// [RETRY-1] [RETRY-2]
TEST_F(LongWaitsTest, AnEventThatWaitsForAWeekIsToldToItsAuthorOnce)
{
    const auto id = post_from_b();
    pass(unsent_notice_ms - 1);
    tell();
    EXPECT_TRUE(b.heard.changed.empty());
    EXPECT_FALSE(delivery(id).overdue);
    EXPECT_TRUE(overdue().empty());

    b.restart();
    pass(1);
    EXPECT_TRUE(delivery(id).overdue);
    tell();
    ASSERT_EQ(b.heard.changed.size(), 1U);
    EXPECT_EQ(b.heard.changed[0].event_id, id);
    EXPECT_EQ(b.heard.changed[0].state, DeliveryState::pending);
    EXPECT_TRUE(b.heard.changed[0].overdue);
    ASSERT_EQ(b.waits_log.lines.size(), 1U);
    EXPECT_EQ(b.waits_log.lines[0].level, LogLevel::info);
    const std::map<std::string, std::string> expected{{"peer", "a.example"}, {"events", "1"}};
    EXPECT_EQ(b.waits_log.lines[0].fields, expected);

    tell();
    b.restart();
    pass(unsent_notice_ms);
    tell();
    EXPECT_EQ(b.heard.changed.size(), 1U);
    // It is still tried.
    ASSERT_TRUE(exchange(b, a));
    EXPECT_EQ(b.heard.changed.back().state, DeliveryState::accepted);
    EXPECT_FALSE(b.heard.changed.back().overdue);
}

TEST_F(LongWaitsTest, OnlyWhatIsPendingIsOverdue)
{
    const auto accepted = post_from_b();
    ASSERT_TRUE(exchange(b, a));
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.kick", "alice@a.example", R"({"user":"bob@b.example"})"})));
    const auto rejected = post_from_b();
    ASSERT_TRUE(exchange(b, a));
    ASSERT_GT(b.submission(accepted)->seq, 0);
    ASSERT_FALSE(b.submission(rejected)->problem.empty());
    b.heard.changed.clear();
    pass(unsent_notice_ms);
    tell();
    EXPECT_TRUE(b.heard.changed.empty());
    EXPECT_FALSE(delivery(accepted).overdue);
    EXPECT_FALSE(delivery(rejected).overdue);
    EXPECT_TRUE(overdue().empty());
}

// [RETRY-1]
TEST_F(LongWaitsTest, AnAuthorWhoComesLaterFindsTheOldestThatAreOverdue)
{
    const auto first = post_from_b();
    pass(1);
    post_many_from_b(max_overdue_at_once);
    pass(unsent_notice_ms);
    tell();
    const auto found = overdue();
    ASSERT_EQ(found.size(), max_overdue_at_once);
    EXPECT_EQ(found[0].event_id, first);
    EXPECT_EQ(found[0].channel, channel);
    EXPECT_EQ(found[0].state, DeliveryState::pending);
    EXPECT_TRUE(found[0].overdue);
    EXPECT_TRUE(overdue("carol").empty());
}

TEST_F(LongWaitsTest, ARoundIsBoundedAndTheRestComesWithTheNext)
{
    post_many_from_b(max_overdue_per_round + 1);
    pass(unsent_notice_ms);
    tell();
    EXPECT_EQ(b.heard.changed.size(), max_overdue_per_round);
    ASSERT_EQ(b.waits_log.lines.size(), 1U);
    EXPECT_EQ(b.waits_log.lines[0].fields.at("events"), std::to_string(max_overdue_per_round));
    tell();
    EXPECT_EQ(b.heard.changed.size(), max_overdue_per_round + 1);
    tell();
    EXPECT_EQ(b.heard.changed.size(), max_overdue_per_round + 1);
}

}  // namespace
}  // namespace entente::federation::log_rig
