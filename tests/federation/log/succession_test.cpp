// A channel moves to another home by plan: who may ask, who consents, and that the log goes on
// there for everybody with nothing lost, doubled or out of order [SUC-1, SUC-2].
#include "federation/channels/channel_changes.hpp"
#include "tests/federation/log/succession_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;
using protocol::SliceStatus;
using Texts = std::vector<std::string>;

class PlannedMove : public SuccessionTest {};
class MoveOfALateFollowers : public SuccessionTest {
 protected:
    MoveOfALateFollowers() : SuccessionTest("since-join") {}
};

// [SUC-1]
TEST_F(PlannedMove, AnOwnerNamesSuccessorsInTheirOrder)
{
    const std::vector<std::string> named{"c.example", "b.example"};
    ASSERT_TRUE(a.change("alice", channel, changes::set_successors(named)));
    ASSERT_TRUE(b.change("bob", channel, changes::set_successors({"b.example"})));
    rest();
    ASSERT_EQ(b.heard.changed.size(), 2U);  // his join before
    EXPECT_EQ(b.heard.changed.back().state, DeliveryState::rejected);
    for (auto* server : {&a, &b, &c})
        EXPECT_NE(server->image(channel)->state.find(R"("successors":["c.example","b.example"])"),
                  std::string::npos);
    EXPECT_EQ(c.world.run(c.channels->get(c.user("carol"), channel))->successors, named);
}

// [SUC-2]
TEST_F(PlannedMove, TheNewHomeGoesOnInTheNextEpochAndAllFollowIt)
{
    ASSERT_TRUE(a.post("alice", channel, "one"));
    rest();
    ASSERT_TRUE(wish(b));
    EXPECT_EQ(standing().state, DeliveryState::pending);
    EXPECT_EQ(home_at(a), "a.example");
    rest();
    EXPECT_EQ(standing().state, DeliveryState::accepted);
    const auto moved = row(a);
    EXPECT_EQ(standing().seq, moved.seq);
    EXPECT_EQ(moved.epoch, 2);
    expect_all_alike("b.example");

    const auto posted = b.post("bob", channel, "two");
    ASSERT_TRUE(posted);
    EXPECT_EQ(posted->state, DeliveryState::accepted);
    EXPECT_EQ(posted->seq, moved.seq + 1);
    EXPECT_EQ(a.post("alice", channel, "three")->state, DeliveryState::pending);
    EXPECT_EQ(c.post("carol", channel, "four")->state, DeliveryState::pending);
    rest();
    expect_all_alike("b.example");
    EXPECT_EQ(texts(c), (Texts{"one", "two", "three", "four"}));
    // The first entry of an epoch is chained to the last of the one before.
    const auto first = c.entries(channel, moved.seq).front();
    EXPECT_EQ(c.read([&](storage::Connection& db) -> Result<std::string> {
                   auto found = storage::read_channel(db, channel);
                   if (!found) return fail(found);
                   auto page = storage::read_log(db, *found, moved.seq, {1, 1});
                   if (!page) return fail(page);
                   EXPECT_EQ(page->epoch, 2);
                   return page->end.hash;
               }).value(),
              protocol::entry_hash(channel, 2, moved.seq + 1, first.entry.at, moved.hash,
                                   first.event_id));
}

// [SUC-2]
TEST_F(PlannedMove, ItMovesOnAndBackAgain)
{
    move_to(b);
    rest();
    ASSERT_TRUE(a.append(a.event(channel, {"member.role", "alice@a.example",
                                           R"({"user":"bob@b.example","role":"owner"})"}))
                    .error()
                    .code == Code::superseded);
    ASSERT_TRUE(a.change("alice", channel, changes::set_role(b.user("bob"), "owner")));
    rest();
    for (auto* to : {&c, &a}) {
        auto& from = to == &c ? b : c;
        const auto consent = protocol::make_consent(to->identity.key, to->identity.name, channel,
                                                    row(from).epoch + 1);
        const auto moving = b.event(channel, {"channel.move", "bob@b.example",
                                              R"({"home":")" + to->identity.name.str() +
                                                  R"(","consent":")" + consent + "\"}"});
        if (to == &c)
            ASSERT_TRUE(b.append(moving));
        else
            ASSERT_EQ(hand_in(b, c, channel, {moving}).at(0).status, ItemStatus::accepted);
        rest();
        expect_all_alike(to->identity.name.str());
    }
    EXPECT_EQ(row(b).epoch, 4);
    ASSERT_TRUE(a.post("alice", channel, "at home"));
    ASSERT_TRUE(b.post("bob", channel, "also"));
    rest();
    EXPECT_EQ(texts(c), (Texts{"at home", "also"}));
    expect_all_alike("a.example");
}

// [SUC-2]
TEST_F(PlannedMove, AnOwnerElsewhereMovesItWithTheSameConsent)
{
    ASSERT_TRUE(a.change("alice", channel, changes::set_role(b.user("bob"), "owner")));
    rest();
    const auto forged = move_event(b, "bob@b.example", c, true);
    EXPECT_EQ(hand_in(b, a, channel, {forged}).at(0).problem->code, Code::forbidden);
    EXPECT_EQ(home_at(a), "a.example");
    const auto moving = move_event(b, "bob@b.example", c);
    const auto behind = b.event(channel, {"message.create", "bob@b.example", R"({"text":"x"})"});
    const auto results = hand_in(b, a, channel, {moving, behind});
    EXPECT_EQ(results.at(0).status, ItemStatus::accepted);
    // That entry is the last of its epoch.
    EXPECT_EQ(results.at(1).status, ItemStatus::deferred);
    EXPECT_EQ(row(a).seq, results.at(0).seq);
    rest();
    expect_all_alike("c.example");
}

// [SUC-2]
TEST_F(PlannedMove, AMoveWithoutTheNewHomesSignatureHasNoEffectAtFollowers)
{
    const auto moving = move_event(a, "alice@a.example", b, true);
    ASSERT_TRUE(a.append(moving));  // as a home would that doesn't look
    settle_all(a, c);
    const auto last = c.entries(channel, row(a).seq - 1);
    ASSERT_EQ(last.size(), 1U);
    EXPECT_NE(last.front().entry.marks & protocol::bit(protocol::Mark::no_effect), 0);
    EXPECT_EQ(home_at(c), "a.example");
    EXPECT_EQ(row(c).epoch, 1);
}

// [SUC-2] A follower that can't tell whose key it is waits for it.
TEST_F(PlannedMove, AConsentUnderAnUnknownKeyWaitsForTheKey)
{
    std::erase_if(c.pins, [](const auto& pin) { return pin.server.str() == "b.example"; });
    c.restart();
    move_to(b);
    const auto result = deliver(a, c, slice(a, channel, row(c).seq, all_entries));
    EXPECT_EQ(result.status, SliceStatus::need_keys);
    EXPECT_EQ(result.kids, std::vector<std::string>{b.identity.key_ref().str()});
    EXPECT_EQ(home_at(c), "a.example");
    auto with_keys = slice(a, channel, row(c).seq, all_entries);
    with_keys.logs.front().keys.push_back({b.identity.name, b.identity.key.public_key().x(), {}});
    EXPECT_EQ(deliver(a, c, with_keys).status, SliceStatus::ok);
    EXPECT_EQ(home_at(c), "b.example");
}

// [SUC-2]
TEST_F(MoveOfALateFollowers, WhoLacksWhatAFollowerMayNeedDoesNotConsent)
{
    ASSERT_TRUE(wish(c));  // joined later than b.example
    ASSERT_TRUE(exchange(a, c));
    EXPECT_EQ(standing().state, DeliveryState::rejected);
    EXPECT_EQ(standing().problem->code, Code::forbidden);
    EXPECT_EQ(home_at(a), "a.example");
    move_to(b);
    rest();
    expect_all_alike("b.example");
}

// [SUC-2]
TEST_F(PlannedMove, OnlyTheHomeIsGivenConsentAndOnlyForThePresentEpoch)
{
    const auto ask = [&](Server& from, std::int64_t epoch, const ChannelId& of) {
        auto question = a.event(
            of, {"move.ask", from.identity.name.str(),
                 R"({"channel":")" + of.str() + R"(","epoch":)" + std::to_string(epoch) + "}"});
        protocol::EventDraft draft;
        draft.type = "move.ask";
        draft.to = "b.example";
        draft.sender = from.identity.name.str();
        draft.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
        draft.at = servers.world.clock.now_ms();
        draft.content = question.content;
        protocol::OutgoingTransaction transaction;
        transaction.direct.push_back({protocol::write_event(draft), question.content});
        return b.receive(from, transaction).direct.at(0);
    };
    for (const auto& refused :
         {ask(c, 1, channel), ask(a, 2,
                                  ChannelId::trusted("019aa3b5-ec00-7001-8001-000000000001@"
                                                     "a.example"))}) {
        EXPECT_EQ(refused.status, ItemStatus::rejected);
        EXPECT_EQ(refused.problem->code, Code::forbidden);
        EXPECT_EQ(refused.consent, "");
    }
    // An epoch that isn't there yet may be on its way.
    EXPECT_EQ(ask(a, 2, channel).status, ItemStatus::deferred);
    const auto given = ask(a, 1, channel);
    EXPECT_EQ(given.status, ItemStatus::accepted);
    const auto consent = protocol::parse_consent(given.consent, {});
    ASSERT_TRUE(consent);
    EXPECT_EQ(consent->channel, channel);
    EXPECT_EQ(consent->epoch, 2);
    EXPECT_TRUE(protocol::verifies(consent->jws, b.identity.key.public_key()));
}

// [SUC-2] The answer may be lost: the same question again gets the consent again, as of then.
TEST_F(PlannedMove, ARepeatedQuestionIsAnsweredAnew)
{
    ASSERT_TRUE(wish(b));
    const auto draft = a.read([&](storage::Connection& db) {
        return read_batch(db, a.identity.name, b.identity.name, BatchLimits{}, {});
    });
    const auto question = sign_batch(draft.value(), a.identity, servers.world.clock.now_ms());
    EXPECT_NE(b.receive(a, question).direct.at(0).consent, "");
    const auto again = b.receive(a, question).direct.at(0);
    EXPECT_EQ(again.status, ItemStatus::duplicate);
    EXPECT_NE(again.consent, "");
    ASSERT_TRUE(b.world.run(b.channels->leave(b.actor("bob"), channel)));
    ASSERT_TRUE(exchange(b, a));
    ASSERT_TRUE(deliver(a, b, slice(a, channel, row(b).seq, all_entries)).status ==
                SliceStatus::ok);
    const auto late = b.receive(a, question).direct.at(0);
    EXPECT_EQ(late.status, ItemStatus::rejected);
    EXPECT_EQ(late.consent, "");
}

// [SUC-5]
TEST_F(PlannedMove, OnlyAnOwnerOfTheHomeWishesIt)
{
    EXPECT_EQ(wish(b, "dave").error().code, Code::not_found);
    EXPECT_EQ(b.world.run(b.channels->move(b.actor("bob"), channel, c.identity.name)).error().code,
              Code::not_home);
    EXPECT_EQ(wish(a).error().code, Code::forbidden);
    EXPECT_EQ(
        a.world.run(a.channels->move(a.actor("alice"), channel, ServerName::trusted("d.example")))
            .error()
            .code,
        Code::forbidden);
    ASSERT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, a.user("dave"))));
    ASSERT_TRUE(a.world.run(a.channels->join(a.actor("dave"), channel)));
    EXPECT_EQ(wish(b, "dave").error().code, Code::forbidden);
    EXPECT_EQ(a.world.run(a.channels->moving(a.user("alice"), channel)).error().code,
              Code::not_found);
}

// [SUC-5]
TEST_F(PlannedMove, ARepeatedWishStandsAsItDoesAndAnotherTakesItsPlace)
{
    auto actor = a.actor("alice");
    const auto ask = [&](Server& to) {
        return a.world.run(a.channels->move(actor, channel, to.identity.name));
    };
    ASSERT_TRUE(ask(b));
    ASSERT_TRUE(ask(b));
    EXPECT_EQ(a.outgoing_direct(b).size(), 1U);
    ASSERT_FALSE(ask(c));
    EXPECT_EQ(ask(c).error().code, Code::conflict);
    ASSERT_TRUE(wish(c));
    EXPECT_TRUE(a.outgoing_direct(b).empty());
    actor = a.actor("alice");
    ASSERT_TRUE(ask(c));
    EXPECT_EQ(a.outgoing_direct(c).size(), 1U);
    rest();
    EXPECT_EQ(ask(c)->state, DeliveryState::accepted);
    expect_all_alike("c.example");
}

TEST_F(PlannedMove, UnderTheTxnOfAMessageIsAConflict)
{
    const auto actor = a.actor("alice");
    ASSERT_TRUE(a.world.run(a.channels->post(actor, channel, hello)));
    auto moving = a.world.run(a.channels->move(actor, channel, b.identity.name));
    ASSERT_FALSE(moving);
    EXPECT_EQ(moving.error().code, Code::conflict);
    EXPECT_TRUE(a.outgoing_direct(b).empty());
}

}  // namespace
}  // namespace entente::federation::log_rig
