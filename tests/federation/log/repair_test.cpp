// A home whose data was put back: what its followers still hold comes back, what was
// promised meanwhile is kept, and who lies or keeps silent changes nothing of it [LOG-5].
#include "federation/channels/channel_changes.hpp"
#include "storage/join_request_store.hpp"
#include "tests/federation/log/repair_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;
using protocol::SliceStatus;

// [LOG-5]
TEST_F(RepairOfAHome, WhatAFollowerHoldsComesBackUnchanged)
{
    go_on();
    const auto before = *b.image(channel);
    const auto entries = a.entries(channel, 0);
    put_back();
    ASSERT_LT(a.image(channel)->seq, before.seq);
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    look();
    EXPECT_FALSE(is_held());
    EXPECT_EQ(a.image(channel)->seq, before.seq);
    EXPECT_EQ(a.image(channel)->hash, before.hash);
    EXPECT_EQ(a.image(channel)->state, before.state);
    const auto again = a.entries(channel, 0);
    ASSERT_EQ(again.size(), entries.size());
    for (std::size_t i = 0; i < again.size(); ++i) EXPECT_EQ(again[i].entry, entries[i].entry);
    // And it goes on behind them, with the followers that it had.
    ASSERT_TRUE(a.post("alice", channel, "more"));
    settle_all(a, b);
    EXPECT_EQ(b.image(channel)->seq, before.seq + 1);
    EXPECT_FALSE(b.image(channel)->frozen);
    a.restart();
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
}

// [LOG-5]
TEST_F(RepairOfAHome, MeanwhileSubmissionsAreDeferredAndOwnEventsWait)
{
    go_on();
    const auto before = *b.image(channel);
    put_back();
    const auto actor = a.actor("alice");
    auto posted = a.world.run(a.channels->post(actor, channel, hello));
    ASSERT_TRUE(posted);
    EXPECT_EQ(posted->state, DeliveryState::pending);
    auto second = a.post("alice", channel, "second");
    ASSERT_TRUE(second);
    // The same again is the same wish.
    auto again = a.world.run(a.channels->post(actor, channel, hello));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->event_id, posted->event_id);
    const auto event = b.event(channel, {"message.create", "bob@b.example", hello});
    const auto deferred = hand_in(b, a, channel, {event}).at(0);
    EXPECT_EQ(deferred.status, ItemStatus::deferred);
    EXPECT_EQ(deferred.retry_after, held_retry_seconds);
    auto stands = a.world.run(a.channels->delivery(a.user("alice"), posted->event_id));
    ASSERT_TRUE(stands);
    EXPECT_EQ(stands->state, DeliveryState::pending);
    // A kill now loses none of it.
    a.restart();
    start();
    EXPECT_TRUE(is_held());
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    look();
    EXPECT_FALSE(is_held());
    EXPECT_EQ(a.image(channel)->seq, before.seq + 2);
    ASSERT_EQ(a.heard.changed.size(), 2U);
    EXPECT_EQ(a.heard.changed[0].event_id, posted->event_id);
    EXPECT_EQ(a.heard.changed[0].seq, before.seq + 1);
    EXPECT_EQ(a.heard.changed[1].event_id, second->event_id);
    EXPECT_EQ(a.heard.changed[1].seq, before.seq + 2);
    stands = a.world.run(a.channels->delivery(a.user("alice"), posted->event_id));
    ASSERT_TRUE(stands);
    EXPECT_EQ(stands->state, DeliveryState::accepted);
    EXPECT_EQ(hand_in(b, a, channel, {event}).at(0).status, ItemStatus::accepted);
}

TEST_F(RepairOfAHome, WhatIsRepeatedMeanwhileIsFoundInWhatComesBack)
{
    const auto actor = a.actor("alice");
    auto first = a.world.run(a.channels->post(actor, channel, hello));
    ASSERT_TRUE(first);
    settle_all(a, b);
    put_back();
    auto repeated = a.world.run(a.channels->post(actor, channel, hello));
    ASSERT_TRUE(repeated);
    EXPECT_EQ(repeated->state, DeliveryState::pending);
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    look();
    ASSERT_EQ(a.heard.changed.size(), 1U);
    EXPECT_EQ(a.heard.changed[0].event_id, repeated->event_id);
    EXPECT_EQ(a.heard.changed[0].state, DeliveryState::accepted);
    EXPECT_EQ(a.heard.changed[0].seq, first->seq);
    EXPECT_EQ(a.image(channel)->seq, first->seq);
}

class JoinsThatWait : public RepairOfAHome {
 protected:
    JoinsThatWait()
    {
        changes::ChannelPatch patch;
        patch.is_public = true;
        EXPECT_TRUE(a.change("alice", channel, changes::update(patch)));
        settle_all(a, b);
        back_up();
        put_back();
    }
    DeliveryState join(const std::string& who)
    {
        const auto joined = a.world.run(a.channels->join(a.actor(who), channel));
        return joined ? joined->state : DeliveryState::rejected;
    }
    void come_back()
    {
        ASSERT_TRUE(ask(a, b, channel));
        finish_fetching(a);
        look();
        EXPECT_FALSE(is_held());
    }
};

TEST_F(JoinsThatWait, OneThatAPolicyHoldsIsShownToModeratorsWhenItsTurnComes)
{
    a.enforce(R"({"id":"ask","actions":["member.join"],"when":{"eq":["subject.invited",false]},)"
              R"("effects":[{"hold":"moderator"}]})");
    EXPECT_EQ(join("eve"), DeliveryState::pending);
    come_back();
    ASSERT_EQ(a.heard.changed.size(), 1U);
    EXPECT_EQ(a.heard.changed[0].state, DeliveryState::rejected);
    EXPECT_FALSE(a.post("eve", channel, "in"));
    const auto asked = a.read([&](storage::Connection& db) {
        return storage::join_requests(db, storage::read_channel(db, channel)->id);
    });
    ASSERT_EQ(asked->size(), 1U);
    EXPECT_EQ(asked->at(0).user, "eve@a.example");
    ASSERT_TRUE(a.change("alice", channel, changes::invite(a.user("eve"))));
    EXPECT_EQ(join("eve"), DeliveryState::accepted);
}

TEST_F(JoinsThatWait, OneBeyondALimitIsRefusedAndKeepsNobodyWaiting)
{
    a.enforce(R"({"id":"few","actions":["member.join"],)"
              R"("effects":[{"limit":{"count":1,"seconds":60,"of":"all"}}]})");
    EXPECT_EQ(join("eve"), DeliveryState::pending);
    EXPECT_EQ(join("dave"), DeliveryState::pending);
    come_back();
    ASSERT_EQ(a.heard.changed.size(), 2U);
    EXPECT_EQ(a.heard.changed[0].state, DeliveryState::accepted);
    EXPECT_EQ(a.heard.changed[1].state, DeliveryState::rejected);
}

TEST_F(RepairOfAHome, WhatIsNotAllowedWhenItsTurnComesIsRefused)
{
    ASSERT_TRUE(b.post("bob", channel, "still here"));
    settle_all(a, b);
    put_back();
    auto invited = a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("bob")));
    ASSERT_TRUE(invited);
    EXPECT_EQ(invited->state, DeliveryState::pending);
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    look();
    ASSERT_EQ(a.heard.changed.size(), 1U);
    EXPECT_EQ(a.heard.changed[0].state, DeliveryState::rejected);
    auto stands = a.world.run(a.channels->delivery(a.user("alice"), invited->event_id));
    ASSERT_TRUE(stands);
    EXPECT_EQ(stands->state, DeliveryState::rejected);
}

TEST_F(RepairOfAHome, AFollowerThatJoinedSinceIsKnownAgain)
{
    let_carol_in();
    ASSERT_TRUE(a.post("alice", channel, "for three"));
    settle_all(a, c);
    settle_all(a, b);
    const auto before = *b.image(channel);
    put_back();
    ASSERT_FALSE(a.cursor(channel, c));
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    look();
    EXPECT_EQ(a.image(channel)->state, before.state);
    ASSERT_TRUE(a.cursor(channel, c));
    ASSERT_TRUE(a.post("alice", channel, "again"));
    settle_all(a, c);
    EXPECT_EQ(c.image(channel)->hash, a.image(channel)->hash);
}

// [LOG-5]
TEST_F(RepairOfAHome, WhatTheHomeNeverSignedIsNotTakenHoweverItIsClaimed)
{
    put_back();
    const auto held = *a.image(channel);
    // The follower invents an entry and signs a checkpoint for it by its own key.
    auto made = slice(b, channel, held.seq - 1, all_entries);
    auto& forged = made.logs[0];
    forged.after = {held.seq, held.hash};
    forged.seals.clear();
    const auto event = a.event(channel, {"message.create", "alice@a.example", hello});
    forged.entries.resize(1);
    forged.entries[0].at = servers.world.clock.now;
    forged.entries[0].event = event.event;
    forged.entries[0].content = event.content;
    rechain(forged);
    made.roots.resize(1);
    sign_anew(b, made);
    const auto answer = protocol::write_log_answer({made.roots, forged});
    a.spoil = [answer](const std::string&, const Result<std::string>&) -> Result<std::string> {
        return answer;
    };
    say(b, claim());
    EXPECT_TRUE(a.repair->is_fetching());
    finish_fetching(a);
    look();
    EXPECT_EQ(a.image(channel)->hash, held.hash);
    EXPECT_FALSE(is_held());
    // It isn't looked into again at once; what it says then holds up nobody.
    say(b, claim());
    look();
    EXPECT_FALSE(is_held());
    servers.world.clock.now += disbelief_ms;
    say(b, claim());
    EXPECT_TRUE(is_held());
    finish_fetching(a);
}

// [LOG-5]
TEST_F(RepairOfAHome, AnotherHistoryIsToldAndNothingIsFetched)
{
    put_back();
    auto lie = claim();
    lie.agrees->hash = protocol::to_base64url(Hash{});
    say(b, lie);
    EXPECT_FALSE(a.repair->is_fetching());
    look();
    EXPECT_FALSE(is_held());
}

// [LOG-18]
TEST_F(RepairOfAHome, AWithheldContentIsNotTakenWhereTheStateDependsOnIt)
{
    go_on();
    const auto before = *b.image(channel);
    put_back();
    bool spoilt = true;
    a.spoil = [&](const std::string&, Result<std::string> answer) -> Result<std::string> {
        if (!answer || !spoilt) return answer;
        auto parsed = protocol::parse_log_answer(*answer, a.identity.names);
        for (auto& entry : parsed->slice.entries) entry.content.reset();
        return protocol::write_log_answer(*parsed);
    };
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    EXPECT_LT(a.image(channel)->seq, before.seq);
    // Later it is honest.
    spoilt = false;
    servers.world.clock.now += disbelief_ms;
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    look();
    EXPECT_EQ(a.image(channel)->hash, before.hash);
    EXPECT_EQ(a.image(channel)->state, before.state);
}

// [LOG-8] [LOG-17]
TEST_F(RepairOfAHome, WhatNobodyNoticedIsFoundByTheNextHeartbeat)
{
    go_on();
    const auto before = *b.image(channel);
    put_back(false);
    ASSERT_TRUE(ask(a, b, channel));
    EXPECT_TRUE(is_held());
    finish_fetching(a);
    // All followers are asked then, this one too: it holds no more.
    look();
    EXPECT_TRUE(is_held());
    ASSERT_TRUE(ask(a, b, channel));
    look();
    EXPECT_FALSE(is_held());
    EXPECT_EQ(a.image(channel)->hash, before.hash);
}

// [LOG-8] The other way round.
TEST_F(RepairOfAHome, AFollowerThatWasItselfPutBackIsFoundByAHeartbeat)
{
    b.close();
    copy_database(servers.world, "b.example", ".db", ".old");
    b.open();
    go_on();
    const auto before = *a.image(channel);
    b.close();
    copy_database(servers.world, "b.example", ".old", ".db");
    b.open();
    ASSERT_TRUE(b.write([&](storage::WriteTransaction& transaction) {
        return storage::set_fact(transaction.db(), sealed_since_fact,
                                 std::to_string(servers.world.clock.now + 1));
    }));
    // Nothing is owed, as far as the home knows.
    auto nothing = exchange(a, b);
    ASSERT_TRUE(nothing);
    ASSERT_LT(b.image(channel)->seq, before.seq);
    ASSERT_TRUE(ask(a, b, channel));
    settle_all(a, b);
    EXPECT_EQ(b.image(channel)->hash, before.hash);
    EXPECT_FALSE(b.image(channel)->frozen);
}

TEST_F(RepairOfAHome, AQuestionDoesNotTellHowFarOthersAre)
{
    let_carol_in();
    const auto acks_in = [&](const Held& held) {
        auto draft = a.read([&](storage::Connection& db) {
            return read_batch(db, a.identity.name, b.identity.name, BatchLimits{}, held);
        });
        return sign_batch(draft.value(), a.identity, servers.world.clock.now).logs.at(0).acks;
    };
    Held asks;
    asks.questions.insert(channel.str());
    EXPECT_TRUE(acks_in(asks).empty());
    asks.heartbeats.insert(channel.str());
    EXPECT_TRUE(acks_in(asks).contains("c.example"));
}

TEST_F(RepairOfAHome, ALongLogComesBackInPieces)
{
    for (int i = 0; i < 1100; ++i) ASSERT_TRUE(a.post("alice", channel, "many"));
    settle_all(a, b);
    const auto before = *b.image(channel);
    put_back();
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    look();
    EXPECT_FALSE(is_held());
    EXPECT_EQ(a.image(channel)->hash, before.hash);
}

// [LOG-19]
TEST_F(RepairOfAHome, WhatItHadNumberedForAnotherServerIsHandedInAgain)
{
    const auto posted = lose_what_was_numbered();
    ASSERT_TRUE(a.write([&](storage::WriteTransaction& transaction) {
        return a.store->set_held(transaction.db(), **a.store->find(transaction.db(), channel),
                                 false);
    }));
    ASSERT_TRUE(a.post("alice", channel, "takes its number"));
    ASSERT_TRUE(exchange(a, b));
    EXPECT_EQ(b.submission(posted)->seq, 0);
    EXPECT_EQ(b.woken, std::vector<std::string>{"a.example"});
    settle_all(a, b);
    EXPECT_FALSE(b.submission(posted));
    EXPECT_EQ(b.entries(channel, 0).back().event_id, posted);
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
}

// [LOG-19] The heartbeat that asks what is held shows it, before the author writes again.
TEST_F(RepairOfAHome, WhatItHadNumberedBeyondItsEndComesBeforeWhatIsWrittenLater)
{
    const auto earlier = lose_what_was_numbered();
    ASSERT_TRUE(ask(a, b, channel));
    look();
    ASSERT_FALSE(is_held());
    EXPECT_EQ(b.woken, std::vector<std::string>{"a.example"});
    const auto later = b.post("bob", channel, "later");
    ASSERT_TRUE(later);
    settle_all(a, b);
    expect_in_order(earlier, later->event_id);
}

// [LOG-19] Who can't be asked still knows, by the answer, that the channel waits.
TEST_F(RepairOfAHome, WhatItHadNumberedIsHandedInFirstBehindAnAnswerThatTheChannelWaits)
{
    const auto earlier = lose_what_was_numbered();
    const auto later = b.post("bob", channel, "later");
    ASSERT_TRUE(later);
    ASSERT_TRUE(exchange(b, a));
    EXPECT_EQ(b.submission(earlier)->seq, 0);
    wait(first_wait_ms);
    ASSERT_FALSE(is_held());
    ASSERT_TRUE(exchange(b, a));
    settle_all(a, b);
    expect_in_order(earlier, later->event_id);
}

// Where nothing was lost it is answered `duplicate`, and stands once.
TEST_F(RepairOfAHome, WhatItStillHasIsHandedInAgainForNothing)
{
    const auto posted = b.post("bob", channel, "mine");
    ASSERT_TRUE(posted);
    const auto heartbeat = heartbeat_for(b);
    ASSERT_TRUE(exchange(b, a));
    b.receive(a, heartbeat);
    EXPECT_EQ(b.submission(posted->event_id)->seq, 0);
    settle_all(a, b);
    EXPECT_FALSE(b.submission(posted->event_id));
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
    const auto entries = b.entries(channel, 0);
    EXPECT_EQ(std::ranges::count(entries, posted->event_id,
                                 [](const auto& entry) { return entry.event_id; }),
              1);
}

}  // namespace
}  // namespace entente::federation::log_rig
