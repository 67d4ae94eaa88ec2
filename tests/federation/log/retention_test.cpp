// Contents whose time is over go, at each server by itself; the chain stays (section 8).
#include "federation/channels/channel_changes.hpp"
#include "federation/log/erasing.hpp"
#include "storage/account_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

constexpr Millis day = Millis{24} * 3600 * 1000;

class RetentionTest : public ::testing::Test {
 protected:
    // alice@a's channel, in which bob@b is.
    ChannelId open(const std::string& retention, const std::string& history = "all")
    {
        channel = shared_channel(a, b, history);
        change_to(retention);
        return channel;
    }
    void change_to(const std::string& retention)
    {
        changes::ChannelPatch patch;
        patch.retention = retention;
        auto changed = a.change("alice", channel, changes::update(patch));
        ASSERT_TRUE(changed) << changed.error().detail;
        settle_all(a, b);
    }
    std::int64_t post(const std::string& text = "hello")
    {
        auto posted = a.post("alice", channel, text);
        EXPECT_TRUE(posted) << posted.error().detail;
        settle_all(a, b);
        return posted->seq;
    }
    protocol::Entry entry(Server& server, std::int64_t seq)
    {
        return server.entries(channel, seq - 1).front().entry;
    }
    bool is_expired(Server& server, std::int64_t seq)
    {
        const auto found = entry(server, seq);
        EXPECT_NE(found.expired, found.content.has_value());
        return found.expired;
    }
    void end_retentions()
    {
        a.end_retentions();
        b.end_retentions();
    }
    // A device of an account of that server.
    Uuid device(Server& server, const std::string& localpart)
    {
        const auto id = protocol::make_uuid7(server.world.clock.now_ms(), server.world.random);
        auto made = server.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            auto account = storage::find_user(transaction.db(), localpart);
            if (!account) return fail(account);
            storage::NewSession session;
            session.id = id;
            session.user = account->id;
            session.device = {id, std::string(32, 'k'), "phone"};
            std::copy(id.octets.begin(), id.octets.end(), session.refresh_hash.begin());
            session.now = server.world.clock.now_ms();
            session.expires_at = session.now + day;
            return storage::create_session(transaction.db(), session);
        });
        EXPECT_TRUE(made) << made.error().detail;
        return id;
    }
    void acknowledge(Server& server, const std::string& who, const Uuid& from, std::int64_t seq)
    {
        server.channels->acknowledge(server.user(who), from, channel, seq);
        end_retentions();
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ManualClock& clock = servers.world.clock;
    ChannelId channel;
};

TEST_F(RetentionTest, UnderDaysNContentsGoWhenTheyAreMoreThanNDaysPast)
{
    open("days:2");
    const auto first = post("first");
    const auto reaction = a.change(
        "alice", channel, changes::react(a.entries(channel, first - 1).front().event_id, "+1"));
    settle_all(a, b);
    clock.now += day;
    const auto second = post("second");
    clock.now += day;
    end_retentions();
    for (auto* server : {&a, &b}) EXPECT_FALSE(is_expired(*server, first));
    clock.now += 1;
    end_retentions();
    for (auto* server : {&a, &b}) {
        EXPECT_TRUE(is_expired(*server, first));
        EXPECT_TRUE(is_expired(*server, reaction->seq));
        EXPECT_FALSE(is_expired(*server, second));
        EXPECT_TRUE(entry(*server, 1).content);  // channel.create
        EXPECT_TRUE(entry(*server, 3).content);  // member.join
    }
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
    clock.now += day;
    a.restart();
    end_retentions();
    for (auto* server : {&a, &b}) EXPECT_TRUE(is_expired(*server, second));
}

TEST_F(RetentionTest, TheValueAsOfNowCountsForWhatWasSaidBefore)
{
    open("keep");
    const auto old = post("old");
    clock.now += 10 * day;
    const auto fresh = post("fresh");
    end_retentions();
    EXPECT_FALSE(is_expired(a, old));
    change_to("days:20");
    end_retentions();
    EXPECT_FALSE(is_expired(a, old));
    change_to("days:5");
    end_retentions();
    for (auto* server : {&a, &b}) {
        EXPECT_TRUE(is_expired(*server, old));
        EXPECT_FALSE(is_expired(*server, fresh));
    }
    change_to("keep");
    clock.now += 100 * day;
    end_retentions();
    EXPECT_FALSE(is_expired(a, fresh));
}

TEST_F(RetentionTest, ANewcomerTakesTheExpiredChainAndFoldsTheSame)
{
    open("days:1");
    const auto said = post("gone");
    clock.now += 2 * day;
    end_retentions();
    ASSERT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, c.user("carol"))));
    settle_all(a, c);
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
    settle_all(a, c);
    ASSERT_TRUE(c.image(channel));
    EXPECT_EQ(c.image(channel)->floor, 0);
    EXPECT_EQ(c.image(channel)->hash, a.image(channel)->hash);
    EXPECT_EQ(c.image(channel)->state, a.image(channel)->state);
    EXPECT_TRUE(is_expired(c, said));
}

// [MEM-15]
TEST_F(RetentionTest, ADeletionTakesThePlaceOfAnExpiry)
{
    open("days:1");
    const auto said = post("gone");
    clock.now += 2 * day;
    end_retentions();
    const auto id = a.entries(channel, said - 1).front().event_id;
    const auto deleted = a.change("alice", channel, changes::erase(id, ""));
    ASSERT_TRUE(deleted) << deleted.error().detail;
    EXPECT_EQ(entry(a, said).deleted_by, deleted->seq);
    EXPECT_FALSE(entry(a, said).expired);
}

TEST_F(RetentionTest, ARelayForgetsOnceEveryDeviceAndFollowerHasIt)
{
    open("relay");
    const auto phone = device(a, "alice");
    const auto tablet = device(a, "alice");
    auto said = a.post("alice", channel, "psst")->seq;
    acknowledge(a, "alice", phone, said);
    EXPECT_FALSE(is_expired(a, said)) << "a device and bob's server lack it";
    acknowledge(a, "alice", tablet, said);
    EXPECT_FALSE(is_expired(a, said)) << "bob's server lacks it";
    settle_all(a, b);
    end_retentions();
    EXPECT_TRUE(is_expired(a, said));

    // Each server for itself: bob's has a device that hasn't come yet.
    const auto bobs = device(b, "bob");
    said = post("once more");
    end_retentions();
    EXPECT_FALSE(is_expired(b, said));
    acknowledge(b, "bob", bobs, said);
    EXPECT_TRUE(is_expired(b, said));
    EXPECT_FALSE(is_expired(a, said));
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
}

TEST_F(RetentionTest, ADeviceThatNeverComesIsWaitedForThirtyDays)
{
    open("relay");
    device(a, "alice");
    const auto said = post();
    clock.now += relay_at_most_ms;
    end_retentions();
    EXPECT_FALSE(is_expired(a, said));
    clock.now += 1;
    end_retentions();
    EXPECT_TRUE(is_expired(a, said));
}

TEST_F(RetentionTest, ADeviceAcknowledgesNeitherForOthersNorWhatIsNotThereYet)
{
    open("relay");
    const auto phone = device(a, "alice");
    auto said = post();
    acknowledge(a, "eve", phone, said);               // no member
    acknowledge(a, "alice", device(b, "bob"), said);  // no device of hers
    EXPECT_FALSE(is_expired(a, said));
    acknowledge(a, "alice", phone, 1'000'000);
    EXPECT_TRUE(is_expired(a, said));
    said = post();
    end_retentions();
    EXPECT_FALSE(is_expired(a, said));
    acknowledge(a, "alice", phone, 1);  // never back
    acknowledge(a, "alice", phone, said);
    EXPECT_TRUE(is_expired(a, said));
}

TEST_F(RetentionTest, AStepIsBoundedAndGoesOnWhereItStopped)
{
    open("days:1");
    for (std::size_t i = 0; i < runs_per_step + 5; ++i) ASSERT_TRUE(a.post("alice", channel, "x"));
    const auto last = a.image(channel)->seq;
    clock.now += 2 * day;
    auto more = a.world.run(a.retention->step());
    ASSERT_TRUE(more);
    EXPECT_TRUE(*more);
    EXPECT_FALSE(is_expired(a, last));
    a.end_retentions();
    EXPECT_TRUE(is_expired(a, last));
}

TEST_F(RetentionTest, AMessageOfManyEditsIsErasedInSteps)
{
    open("keep");
    const auto message = a.post("alice", channel, "v0");
    const auto edits = static_cast<std::int64_t>(edits_erased_at_once + owed_edits_per_step + 3);
    for (std::int64_t i = 0; i < edits; ++i)
        ASSERT_TRUE(
            a.change("alice", channel, changes::edit(message->event_id, R"({"text":"again"})")));
    const auto deleted = a.change("alice", channel, changes::erase(message->event_id, ""));
    ASSERT_TRUE(deleted);
    EXPECT_EQ(entry(a, message->seq).deleted_by, deleted->seq);
    EXPECT_EQ(entry(a, message->seq + 1).deleted_by, deleted->seq);
    const auto at_once = static_cast<std::int64_t>(edits_erased_at_once);
    EXPECT_EQ(entry(a, message->seq + at_once).deleted_by, deleted->seq);
    EXPECT_EQ(entry(a, message->seq + at_once + 1).deleted_by, 0);
    a.restart();
    a.end_retentions();
    for (std::int64_t i = 0; i <= edits; ++i)
        EXPECT_EQ(entry(a, message->seq + i).deleted_by, deleted->seq) << i;
}

TEST_F(RetentionTest, WhatDevicesSayIsGatheredUpToABound)
{
    const auto phone = protocol::make_uuid7(clock.now, servers.world.random);
    const auto note = [&](std::size_t who, std::size_t number) {
        const auto user = UserId::trusted("user" + std::to_string(who) + "@a.example");
        a.devices->note(user, phone, ChannelId::trusted(std::to_string(number)), 1);
    };
    constexpr auto of_user = DeviceCursors::max_gathered_of_user;
    constexpr auto of_all = DeviceCursors::max_gathered;
    for (std::size_t i = 0; i <= of_user; ++i) note(0, i);
    EXPECT_EQ(a.devices->gathered(), of_user);
    for (std::size_t i = of_user; i < of_all; ++i) note(i / of_user, i);
    EXPECT_EQ(a.devices->gathered(), of_all);
    note(of_all, 0);
    EXPECT_EQ(a.devices->gathered(), of_all);
    ASSERT_TRUE(a.world.run(a.devices->flush()));
    EXPECT_EQ(a.devices->gathered(), 0U);
    for (std::size_t i = 0; i <= of_user; ++i) note(0, i);
    EXPECT_EQ(a.devices->gathered(), of_user);
}

}  // namespace
}  // namespace entente::federation::log_rig
