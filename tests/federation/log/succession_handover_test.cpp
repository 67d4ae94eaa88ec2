// What is under way while a channel moves: submissions, followers that lag, servers that are
// restarted or put back, newcomers [SUC-2, SUC-6, SUC-7, SUC-8].
#include "federation/channels/channel_changes.hpp"
#include "tests/federation/log/succession_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;
using protocol::SliceStatus;
using Texts = std::vector<std::string>;

class Handover : public SuccessionTest {
 protected:
    [[nodiscard]] std::size_t unsent(Server& at, Server& home)
    {
        return at
            .read([&](storage::Connection& db) {
                return storage::unsent_submissions(db, home.identity.name, 0, 100);
            })
            .value()
            .size();
    }
    [[nodiscard]] static bool was_woken(const Server& server, const std::string& peer)
    {
        return std::ranges::find(server.woken, peer) != server.woken.end();
    }
};

// [SUC-2]
TEST_F(Handover, WhatWaitedForTheOldHomeIsHandedToTheNewOne)
{
    ASSERT_TRUE(c.post("carol", channel, "one"));
    ASSERT_TRUE(c.post("carol", channel, "two"));
    move_to(b);
    settle_all(a, b);
    EXPECT_EQ(unsent(c, a), 2U);
    c.woken.clear();
    // The old home tells c.example of the move before it takes anything from it.
    ASSERT_EQ(deliver(a, c, slice(a, channel, row(c).seq, all_entries)).status, SliceStatus::ok);
    EXPECT_EQ(unsent(c, a), 0U);
    EXPECT_EQ(unsent(c, b), 2U);
    EXPECT_TRUE(was_woken(c, "b.example"));
    rest();
    EXPECT_EQ(texts(a), (Texts{"one", "two"}));
    EXPECT_EQ(unsent(c, b), 0U);
    expect_all_alike("b.example");
}

// [SUC-7] [INBOX-18] Who is to be the home may hear of it last.
TEST_F(Handover, WhatTheNewHomeRefusesBeforeItKnowsOfTheMoveIsTakenInItsOrderBehindIt)
{
    ASSERT_TRUE(c.post("carol", channel, "one"));
    ASSERT_TRUE(c.post("carol", channel, "two"));
    move_to(b);
    ASSERT_EQ(deliver(a, c, slice(a, channel, row(c).seq, all_entries)).status, SliceStatus::ok);
    ASSERT_TRUE(exchange(c, b));
    EXPECT_EQ(unsent(c, b), 2U);
    ASSERT_EQ(home_at(b), "a.example");
    ASSERT_TRUE(c.post("carol", channel, "three"));
    rest();
    EXPECT_EQ(texts(a), (Texts{"one", "two", "three"}));
    expect_all_alike("b.example");
}

class HandoverSinceJoin : public SuccessionTest {
 protected:
    HandoverSinceJoin() : SuccessionTest("since-join") {}
};

// [SUC-7] Its log begins anew with a join whose answer was lost, and the move stands behind that.
TEST_F(HandoverSinceJoin, TheNewHomeIsToldOfWhatItHadHandedIn)
{
    ASSERT_TRUE(
        a.append(a.event(channel, {"channel.update", "alice@a.example", R"({"public":true})"})));
    rest();
    ASSERT_TRUE(b.world.run(b.channels->leave(b.actor("bob"), channel)));
    ASSERT_TRUE(b.world.run(b.channels->join(b.actor("bob"), channel)));
    const auto unheard = send_unheard(b, a);
    for (const auto& result : unheard.submissions.at(0).events)
        ASSERT_EQ(result.status, ItemStatus::accepted);
    ASSERT_TRUE(a.append(move_event(a, "alice@a.example", b)));
    ASSERT_TRUE(b.post("bob", channel, "one"));
    rest();
    EXPECT_EQ(home_at(b), "b.example");
    ASSERT_TRUE(c.post("carol", channel, "two"));
    rest();
    EXPECT_EQ(texts(a), (Texts{"one", "two"}));
    EXPECT_EQ(texts(b), texts(a));
    expect_all_alike("b.example");
}

// [SUC-2] The home had it, the answer was lost: the new home finds it in the log.
TEST_F(Handover, WhatTheOldHomeHadTakenIsTakenOnce)
{
    ASSERT_TRUE(c.post("carol", channel, "one"));
    const auto draft = c.read([&](storage::Connection& db) {
        return read_batch(db, c.identity.name, a.identity.name, BatchLimits{}, {});
    });
    const auto sent = sign_batch(draft.value(), c.identity, servers.world.clock.now_ms());
    const auto first = a.receive(c, sent).submissions.at(0).events.at(0);
    ASSERT_EQ(first.status, ItemStatus::accepted);
    move_to(b);
    settle_all(a, b);
    const auto again = b.receive(c, sent).submissions.at(0).events.at(0);
    EXPECT_EQ(again.status, ItemStatus::duplicate);
    EXPECT_EQ(again.seq, first.seq);
    rest();
    EXPECT_EQ(texts(c), Texts{"one"});
    EXPECT_EQ(unsent(c, b), 0U);
}

// [SUC-2] A refusal that was on its way while the submission was handed on is nobody's any more.
TEST_F(Handover, ALateRefusalByTheOldHomeRefusesNothing)
{
    ASSERT_TRUE(c.post("carol", channel, "one"));
    auto draft = c.read([&](storage::Connection& db) {
        return read_batch(db, c.identity.name, a.identity.name, BatchLimits{}, {});
    });
    protocol::TransactionResult late;
    late.submissions.push_back({channel.str(), {}});
    protocol::EventResult refusal;
    refusal.event = draft.value().submissions.at(0).rows.at(0).event_id;
    refusal.problem = Error{Code::not_member, "", "", 0};
    late.submissions.front().events.push_back(refusal);
    move_to(b);
    settle_all(a, b);
    ASSERT_EQ(deliver(a, c, slice(a, channel, row(c).seq, all_entries)).status, SliceStatus::ok);
    ASSERT_TRUE(c.world.run(c.settlement->settle(a.identity.name, *draft, late)));
    rest();
    EXPECT_EQ(texts(a), Texts{"one"});
}

// [SUC-2]
TEST_F(Handover, TheNewHomesOwnGoInAsItTakesTheChannel)
{
    const auto one = b.post("bob", channel, "one");
    ASSERT_TRUE(b.post("bob", channel, "two"));
    EXPECT_EQ(one->state, DeliveryState::pending);
    move_to(b);
    b.heard.changed.clear();
    ASSERT_EQ(deliver(a, b, slice(a, channel, row(b).seq, all_entries)).status, SliceStatus::ok);
    EXPECT_EQ(unsent(b, a) + unsent(b, b), 0U);
    EXPECT_EQ(texts(b), (Texts{"one", "two"}));
    ASSERT_EQ(b.heard.changed.size(), 2U);
    EXPECT_EQ(b.heard.changed.front().event_id, one->event_id);
    EXPECT_EQ(b.heard.changed.front().state, DeliveryState::accepted);
    EXPECT_EQ(b.heard.changed.front().seq, row(a).seq + 1);
    rest();
    expect_all_alike("b.example");
}

// [SUC-7]
TEST_F(Handover, TheOldHomePointsToTheNewOneOnceThatHasTaken)
{
    const auto late = c.event(channel, {"message.create", "carol@c.example", R"({"text":"l"})"});
    move_to(b);
    const auto before = hand_in(c, a, channel, {late}).at(0);
    EXPECT_EQ(before.status, ItemStatus::deferred);
    EXPECT_EQ(before.retry_after, 1);
    // Where it stays away it isn't asked for each second.
    servers.world.clock.now += 80'000;
    EXPECT_EQ(hand_in(c, a, channel, {late}).at(0).retry_after, 10);
    servers.world.clock.now += 3'600'000;
    EXPECT_EQ(hand_in(c, a, channel, {late}).at(0).retry_after, 60);
    settle_all(a, b);
    const auto after = hand_in(c, a, channel, {late}).at(0);
    EXPECT_EQ(after.status, ItemStatus::rejected);
    ASSERT_TRUE(after.problem);
    EXPECT_EQ(after.problem->code, Code::superseded);
    EXPECT_EQ(after.problem->hint, "b.example");
    // Nobody else learns where it is, and who never was its home has nothing to tell.
    Server stranger(servers.world, "m.example");
    a.pin(stranger);
    const auto foreign =
        stranger.event(channel, {"message.create", "eve@m.example", R"({"text":"l"})"});
    EXPECT_EQ(hand_in(stranger, a, channel, {foreign}).at(0).problem->code, Code::not_found);
    const auto to_c = b.event(channel, {"message.create", "bob@b.example", R"({"text":"l"})"});
    EXPECT_EQ(hand_in(b, c, channel, {to_c}).at(0).problem->code, Code::not_home);
}

// [SUC-6] One that had let go of the new home, and of which only the old one's acks have told
// since.
TEST_F(Handover, TheNewHomeComesToWhomItKnowsByTheOldOnesWord)
{
    auto noted = b.write([&](storage::WriteTransaction& transaction) -> Result<void> {
        auto& db = transaction.db();
        auto live = b.store->find(db, channel);
        if (!live) return fail(live);
        auto id = b.store->server_id(db, c.identity.name);
        if (!id) return fail(id);
        b.store->forget_follower(**live, c.identity.name);
        auto dropped = storage::drop_cursor(db, (*live)->id, *id);
        return dropped ? storage::note_cursor(db, (*live)->id, *id, (*live)->seq) : dropped;
    });
    ASSERT_TRUE(noted) << noted.error().detail;
    move_to(b);
    b.woken.clear();
    settle_all(a, b);
    EXPECT_TRUE(was_woken(b, "c.example"));
    rest();
    expect_all_alike("b.example");
}

// [SUC-7] `superseded` is final for nothing.
TEST_F(Handover, AFollowerThatIsPointedOnWaitsForItsLog)
{
    ASSERT_TRUE(c.post("carol", channel, "one"));
    move_to(b);
    settle_all(a, b);
    auto settled = exchange(c, a);
    ASSERT_TRUE(settled);
    EXPECT_TRUE(settled->held_submissions.contains(channel.str()));
    EXPECT_EQ(unsent(c, a), 1U);
    rest();
    EXPECT_EQ(texts(b), Texts{"one"});
}

// [SUC-6]
TEST_F(Handover, TheNewHomeBringsALaggingFollowerThroughTheMove)
{
    ASSERT_TRUE(a.post("alice", channel, "one"));
    move_to(b);
    settle_all(a, b);
    ASSERT_TRUE(b.post("bob", channel, "two"));
    const auto stood = row(c);
    // From here on the old home is gone.
    const auto draft = b.read([&](storage::Connection& db) {
        return read_batch(db, b.identity.name, c.identity.name, BatchLimits{}, {});
    });
    ASSERT_EQ(draft.value().logs.size(), 1U);
    const auto sent = sign_batch(*draft, b.identity, servers.world.clock.now_ms());
    EXPECT_EQ(sent.logs.front().epoch, 1);
    const auto root = protocol::parse_signed_root(
        sent.roots.at(sent.logs.front().checkpoint.proof.root), protocol::NameRules{});
    EXPECT_EQ(root->jws.key.server, a.identity.name);
    ASSERT_TRUE(exchange(b, c));  // a gap: it says where it stands
    EXPECT_EQ(b.cursor(channel, c)->seq, stood.seq);
    settle_all(b, c);
    EXPECT_GT(row(c).seq, stood.seq);
    EXPECT_EQ(home_at(c), "b.example");
    EXPECT_EQ(c.image(channel)->hash, b.image(channel)->hash);
    EXPECT_EQ(texts(c), (Texts{"one", "two"}));
}

// [SUC-6]
TEST_F(Handover, ANewHomeIsToldWhereAFollowerStandsAndAStrangerNothing)
{
    move_to(b);
    settle_all(a, b);
    ASSERT_TRUE(b.post("bob", channel, "two"));
    const auto too_early = deliver(b, c, slice(b, channel, row(a).seq, all_entries));
    EXPECT_EQ(too_early.status, SliceStatus::gap);
    EXPECT_EQ(too_early.have.seq, row(c).seq);
    // The same by who has no member there.
    Server stranger(servers.world, "m.example");
    c.pin(stranger);
    auto copied = slice(b, channel, row(a).seq, all_entries);
    sign_anew(stranger, copied);
    const auto refused = deliver(stranger, c, copied);
    EXPECT_EQ(refused.status, SliceStatus::refused);
    EXPECT_EQ(refused.problem->code, Code::not_home);
    EXPECT_EQ(refused.have.seq, 0);
}

// [SUC-6] Who isn't the home can't leave out what the state depends on.
TEST_F(Handover, AnotherThanTheHomeBringsContentsWhole)
{
    ASSERT_TRUE(
        a.append(a.event(channel, {"channel.update", "alice@a.example", R"({"name":"n"})"})));
    move_to(b);
    settle_all(a, b);
    const auto after = row(c).seq;
    auto part = b.read([&](storage::Connection& db) {
        return read_provable(db, b.identity.name, storage::read_channel(db, channel).value(), after,
                             {});
    });
    ASSERT_TRUE(part);
    BatchDraft draft;
    draft.logs.push_back(std::move(part.value()));
    auto sent = sign_batch(draft, b.identity, servers.world.clock.now_ms());
    auto& entry = sent.logs.front().entries.front();
    const auto content = entry.content;
    entry.content.reset();
    entry.deleted_by = row(a).seq;
    EXPECT_EQ(deliver(b, c, sent).status, SliceStatus::refused);
    entry.content = content;
    entry.deleted_by = 0;
    EXPECT_EQ(deliver(b, c, sent).status, SliceStatus::ok);
    EXPECT_EQ(home_at(c), "b.example");
}

// [SUC-2] Nothing may come behind the entry that ends an epoch, whoever signs it.
TEST_F(Handover, WhatFollowsOnAMoveInItsEpochIsRefusedAndNothingElse)
{
    // Past its own rules.
    const auto move = move_event(a, "alice@a.example", b);
    const auto message = a.event(channel, {"message.create", "alice@a.example", hello});
    const auto held = row(c).seq;
    auto done = a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
        for (const auto* made : {&move, &message}) {
            const auto event = protocol::parse_channel_event(made->event, a.identity.names);
            auto found = a.store->find(transaction.db(), channel);
            if (!event || !found) return fail(Code::internal, "the event or the channel");
            storage::ChannelLogStore::Addition addition;
            addition.entry = {servers.world.clock.now_ms(), made->event, made->content};
            addition.event_id = event->id;
            addition.origin = a.identity.name;
            addition.txn = event->txn;
            auto added = a.store->append(transaction.db(), **found, std::move(addition));
            if (!added) return added;
        }
        return {};
    });
    ASSERT_TRUE(done) << done.error().detail;
    const auto answer = deliver(a, c, slice(a, channel, held, all_entries));
    EXPECT_EQ(answer.status, protocol::SliceStatus::refused);
    EXPECT_EQ(answer.problem->code, Code::malformed);
    EXPECT_EQ(row(c).seq, held);
    // Up to the move it is good.
    EXPECT_EQ(deliver(a, c, slice(a, channel, held, 1)).status, protocol::SliceStatus::ok);
    EXPECT_EQ(home_at(c), "b.example");
}

TEST_F(Handover, AnOldHomeThatGoesOnIsTakenForNone)
{
    move_to(b);
    rest();
    ASSERT_TRUE(b.post("bob", channel, "two"));
    rest();
    auto old = slice(a, channel, row(a).seq - 1, all_entries);
    ASSERT_EQ(old.logs.front().entries.size(), 1U);
    auto& slice = old.logs.front();
    slice.epoch = 1;
    rechain(slice);
    sign_anew(a, old);
    const auto result = deliver(a, c, old);
    EXPECT_EQ(result.status, SliceStatus::superseded);
    EXPECT_EQ(result.problem->hint, "b.example");
    EXPECT_TRUE(c.forked.empty());
}

// [SUC-2] Every server is restarted between any two steps, and forgets what it didn't write.
TEST_F(Handover, EachStepSurvivesARestart)
{
    ASSERT_TRUE(b.post("bob", channel, "one"));
    ASSERT_TRUE(c.post("carol", channel, "two"));
    ASSERT_TRUE(wish(b));
    const std::vector<std::pair<Server*, Server*>> steps{{&a, &b}, {&c, &a}, {&a, &b}, {&a, &c},
                                                         {&b, &c}, {&c, &b}, {&b, &c}, {&b, &a}};
    for (int round = 0; round < 2; ++round) {
        for (const auto& [from, to] : steps) {
            ASSERT_TRUE(exchange(*from, *to));
            for (auto* server : {&a, &b, &c}) server->restart();
        }
    }
    EXPECT_EQ(standing().state, DeliveryState::accepted);
    rest();
    expect_all_alike("b.example");
    auto all = texts(a);
    std::ranges::sort(all);
    EXPECT_EQ(all, (Texts{"one", "two"}));
}

// [SUC-2] What a former home still owes is found after a restart.
TEST_F(Handover, AnOldHomeBringsItsFollowersUpToTheMoveAndNoFurther)
{
    move_to(b);
    a.restart();
    const auto owed =
        a.read([&](storage::Connection& db) { return storage::owed_servers(db, a.identity.name); });
    EXPECT_EQ(owed.value().size(), 2U);
    settle_all(a, b);
    ASSERT_TRUE(b.post("bob", channel, "two"));
    settle_all(b, a);
    settle_all(a, c);
    EXPECT_EQ(row(c).seq, row(a).seq - 1);
    EXPECT_TRUE(
        a.read([&](storage::Connection& db) { return storage::owed_servers(db, a.identity.name); })
            .value()
            .empty());
}

// [SUC-7] Its data is from before the move: it is told, gets the rest back, and follows.
TEST_F(Handover, AnOldHomeThatHasLostTheMoveGetsItBack)
{
    a.close();
    copy_database(servers.world, "a.example", ".db", ".old");
    a.open();
    ASSERT_TRUE(a.post("alice", channel, "one"));
    move_to(b);
    rest();
    ASSERT_TRUE(b.post("bob", channel, "two"));
    rest();
    a.close();
    copy_database(servers.world, "a.example", ".old", ".db");
    a.open();
    EXPECT_EQ(home_at(a), "a.example");
    a.reachable = {{"b.example", &b}, {"c.example", &c}};
    auto asked = ask(a, c, channel);
    ASSERT_TRUE(asked);
    ASSERT_EQ(asked->words.size(), 1U);
    EXPECT_GT(asked->words.front().ahead, 0);
    finish_fetching(a);
    EXPECT_EQ(home_at(a), "b.example");
    ASSERT_TRUE(a.world.run(a.repair->look()));
    ASSERT_TRUE(a.post("alice", channel, "three"));
    settle_all(a, b);
    rest();
    expect_all_alike("b.example");
    EXPECT_EQ(texts(a), (Texts{"one", "two", "three"}));
}

}  // namespace
}  // namespace entente::federation::log_rig
