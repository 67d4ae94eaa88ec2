// What a peer's answer does to cursors, submissions and joins, and what no answer may do.
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::EventResult;
using protocol::ItemStatus;
using protocol::SliceResult;
using protocol::SliceStatus;
using protocol::TransactionResult;

// A link that stands between a batch and its settlement.
class SettlementTest : public ::testing::Test {
 protected:
    SettlementTest() : channel(shared_channel(a, b)) {}

    BatchDraft batch(Server& from, Server& to, const BatchLimits& limits = {},
                     const Held& held = {})
    {
        auto draft = from.read([&](storage::Connection& db) {
            return read_batch(db, from.identity.name, to.identity.name, limits, held);
        });
        return std::move(draft.value());
    }
    Result<Settled> settle(Server& from, Server& to, const BatchDraft& draft,
                           TransactionResult result)
    {
        return from.world.run(from.settlement->settle(to.identity.name, draft, std::move(result)));
    }
    TransactionResult answer(Server& from, Server& to, const BatchDraft& draft)
    {
        return to.receive(from, sign_batch(draft, from.identity, servers.world.clock.now_ms()));
    }
    // The answer that a log's slice would get, made by hand.
    TransactionResult log_answer(SliceStatus status, std::int64_t seq, const std::string& hash)
    {
        TransactionResult result;
        SliceResult slice;
        slice.channel = channel.str();
        slice.status = status;
        slice.have = {seq, hash};
        result.logs.push_back(slice);
        return result;
    }
    Hash post_from_b()
    {
        auto posted = b.post("bob", channel, "hello");
        EXPECT_TRUE(posted);
        return posted->event_id;
    }
    std::string hash_at(std::int64_t seq)
    {
        return a
            .write([&](storage::WriteTransaction& transaction) -> Result<std::string> {
                auto live = a.store->find(transaction.db(), channel);
                if (!live) return fail(live);
                return a.store->hash_at(transaction.db(), **live, seq);
            })
            .value();
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
};

// --- submissions ---------------------------------------------------------------------

// [RETRY-2]
TEST_F(SettlementTest, AnAcceptedSubmissionIsNumberedAndGoesWhenItComesBackInTheLog)
{
    const auto id = post_from_b();
    EXPECT_EQ(b.submission(id)->seq, 0);
    ASSERT_TRUE(exchange(b, a));
    EXPECT_EQ(b.submission(id)->seq, a.image(channel)->seq);
    ASSERT_FALSE(b.heard.changed.empty());
    EXPECT_EQ(b.heard.changed.back().state, DeliveryState::accepted);
    EXPECT_TRUE(batch(b, a).empty());
    ASSERT_TRUE(exchange(a, b));
    EXPECT_FALSE(b.submission(id));
    EXPECT_EQ(a.heard.delivered["b.example"], a.image(channel)->seq);
}

TEST_F(SettlementTest, AnAnswerThatIsLostIsMadeGoodByADuplicate)
{
    const auto id = post_from_b();
    const auto draft = batch(b, a);
    const auto first = answer(b, a, draft);
    const auto second = answer(b, a, draft);
    EXPECT_EQ(second.submissions[0].events[0].status, ItemStatus::duplicate);
    ASSERT_TRUE(settle(b, a, draft, second));
    EXPECT_EQ(b.submission(id)->seq, first.submissions[0].events[0].seq);
}

// [RETRY-2]
TEST_F(SettlementTest, ARejectedSubmissionIsToldToItsAuthorAndNotSentAgain)
{
    const auto id = post_from_b();
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.kick", "alice@a.example", R"({"user":"bob@b.example"})"})));
    ASSERT_TRUE(exchange(b, a));
    EXPECT_EQ(b.heard.changed.back().state, DeliveryState::rejected);
    EXPECT_EQ(b.submission(id)->problem, "not-found");
    EXPECT_TRUE(batch(b, a).empty());
}

// [INBOX-3]
TEST_F(SettlementTest, ADeferredSubmissionIsHeldAndKept)
{
    const auto id = post_from_b();
    const auto draft = batch(b, a);
    TransactionResult result;
    result.submissions.push_back({channel.str(), {EventResult{}}});
    auto& event = result.submissions[0].events[0];
    event.event = id;
    event.status = ItemStatus::deferred;
    event.retry_after = 9;
    auto settled = settle(b, a, draft, result);
    ASSERT_TRUE(settled);
    EXPECT_EQ(settled->held_submissions.at(channel.str()), 9);
    EXPECT_FALSE(settled->progress);
    Held held;
    held.submissions.insert(channel.str());
    EXPECT_TRUE(batch(b, a, {}, held).empty());
    EXPECT_EQ(batch(b, a).submissions.size(), 1U);
}

// Else a peer's nonsense would be asked for again at once, for ever.
TEST_F(SettlementTest, AnAcceptanceWithoutAPlaceInTheLogIsHeldLikeADeferral)
{
    const auto id = post_from_b();
    const auto draft = batch(b, a);
    for (const auto status : {ItemStatus::accepted, ItemStatus::duplicate, ItemStatus::ignored,
                              ItemStatus::need_snapshot}) {
        TransactionResult result;
        result.submissions.push_back({channel.str(), {EventResult{}}});
        result.submissions[0].events[0].event = id;
        result.submissions[0].events[0].status = status;
        auto settled = settle(b, a, draft, result);
        ASSERT_TRUE(settled);
        EXPECT_FALSE(settled->progress);
        EXPECT_EQ(settled->held_submissions.count(channel.str()), 1U);
        EXPECT_EQ(b.submission(id)->seq, 0);
    }
}

TEST_F(SettlementTest, HeldChannelsDontKeepOthersBack)
{
    const auto other = shared_channel(a, b);
    for (int i = 0; i < 6; ++i) (void)post_from_b();
    ASSERT_TRUE(b.post("bob", other, "not behind the others"));
    Held held;
    held.submissions.insert(channel.str());
    const auto draft = batch(b, a, BatchLimits{1'000'000, 4}, held);
    ASSERT_EQ(draft.submissions.size(), 1U);
    EXPECT_EQ(draft.submissions[0].channel, other);
}

TEST_F(SettlementTest, ABatchKeepsToItsItems)
{
    ASSERT_TRUE(b.write([&](storage::WriteTransaction& transaction) -> Result<void> {
        auto id = b.store->server_id(transaction.db(), a.identity.name);
        if (!id) return fail(id);
        return storage::put_direct(transaction.db(), *id, "{}", "{}", 0);
    }));
    for (int i = 0; i < 6; ++i) (void)post_from_b();
    for (std::size_t items = 1; items < 6; ++items) {
        const auto draft = batch(b, a, BatchLimits{1'000'000, items});
        std::size_t count = draft.direct.size();
        for (const auto& part : draft.submissions) count += part.rows.size();
        EXPECT_LE(count, items);
        EXPECT_GE(count, 1U);
    }
}

// --- answers that don't fit ------------------------------------------------------------

// [RETRY-5]
TEST_F(SettlementTest, AnAnswerOfAnotherShapeIsRefusedWithoutEffect)
{
    const auto id = post_from_b();
    const auto draft = batch(b, a);
    const auto good = answer(b, a, draft);
    std::vector<TransactionResult> bad(5, good);
    bad[0].submissions.clear();
    bad[1].submissions[0].events.clear();
    bad[2].submissions[0].events[0].event = Hash{};
    bad[3].submissions[0].channel = "0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example";
    bad[4].logs.emplace_back();
    for (auto& result : bad) {
        auto settled = settle(b, a, draft, result);
        ASSERT_FALSE(settled);
        EXPECT_EQ(settled.error().code, Code::malformed);
    }
    auto nameless = good;
    nameless.submissions[0].events[0].event.reset();
    EXPECT_FALSE(settle(b, a, draft, nameless));
    EXPECT_EQ(b.submission(id)->seq, 0);
    EXPECT_TRUE(settle(b, a, draft, good));
}

// [RETRY-5]
TEST_F(SettlementTest, AResultForAnotherLogOrDirectEventIsRefused)
{
    ASSERT_TRUE(a.post("alice", channel, "more"));
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"})));
    const auto logs = batch(a, b);
    auto result = answer(a, b, logs);
    result.logs[0].channel = "0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example";
    EXPECT_FALSE(settle(a, b, logs, result));
    const auto direct = batch(a, c);
    ASSERT_EQ(direct.direct.size(), 1U);
    auto direct_result = answer(a, c, direct);
    direct_result.direct[0].event = Hash{};
    EXPECT_FALSE(settle(a, c, direct, direct_result));
    EXPECT_EQ(a.outgoing_direct(c).size(), 1U);
}

// --- joins ------------------------------------------------------------------------------

// [MEM-3] [QRY-2]
TEST_F(SettlementTest, AJoinUnderSinceJoinBeginsTheLogAtItsOwnSeq)
{
    const auto open = a.create("alice", "since-join", true);
    ASSERT_TRUE(a.post("alice", open, "unseen"));
    auto joined = c.world.run(c.channels->join(c.actor("carol"), open));
    ASSERT_TRUE(joined);
    ASSERT_TRUE(exchange(c, a));
    const auto begun = c.image(open);
    ASSERT_TRUE(begun);
    EXPECT_EQ(begun->floor, a.image(open)->seq);
    EXPECT_EQ(begun->hash, a.image(open)->hash);
    EXPECT_EQ(begun->state, a.image(open)->state);
    // All that a repeat of it can be answered by: behind the floor it never comes by the log.
    EXPECT_EQ(c.submission(joined->event_id)->seq, begun->floor);
    ASSERT_TRUE(c.post("carol", open, "here"));
    settle_all(c, a);
    c.restart();
    EXPECT_EQ(c.image(open)->hash, a.image(open)->hash);
}

// [QRY-2]
TEST_F(SettlementTest, AJoinUnderHistoryAllBeginsAtNothingAlsoWhenARestartComesBetween)
{
    const auto open = a.create("alice", "all", true);
    ASSERT_TRUE(a.post("alice", open, "seen"));
    auto joined = c.world.run(c.channels->join(c.actor("carol"), open));
    ASSERT_TRUE(joined);
    ASSERT_TRUE(exchange(c, a));
    ASSERT_TRUE(c.image(open));
    EXPECT_EQ(c.image(open)->seq, 0);
    c.restart();
    settle_all(a, c);
    EXPECT_EQ(c.image(open)->hash, a.image(open)->hash);
    EXPECT_EQ(c.image(open)->state, a.image(open)->state);
    EXPECT_EQ(c.entries(open, 0).size(), 3U);
    EXPECT_FALSE(c.submission(joined->event_id));
}

// [LOG-2]
TEST_F(SettlementTest, AJoinWithoutItsSnapshotStaysOutstandingUntilOneIsFetched)
{
    const auto open = a.create("alice", "since-join", true);
    auto joined = c.world.run(c.channels->join(c.actor("carol"), open));
    const auto draft = batch(c, a);
    auto result = answer(c, a, draft);
    const auto snapshot = result.submissions[0].events[0].snapshot.value();
    const auto roots = result.roots;
    result.submissions[0].events[0].snapshot.reset();
    auto settled = settle(c, a, draft, result);
    ASSERT_TRUE(settled);
    ASSERT_EQ(settled->wants_snapshot.size(), 1U);
    EXPECT_EQ(settled->wants_snapshot.begin()->first, open.str());
    EXPECT_FALSE(settled->progress);
    EXPECT_FALSE(c.image(open));
    EXPECT_EQ(c.submission(joined->event_id)->seq, 0);

    ASSERT_TRUE(c.world.run(c.settlement->begin(a.identity.name, {roots, snapshot}, std::nullopt)));
    ASSERT_TRUE(exchange(c, a));
    EXPECT_EQ(c.image(open)->state, a.image(open)->state);
    EXPECT_EQ(c.submission(joined->event_id)->seq, c.image(open)->floor);
}

// [MEM-3]
TEST_F(SettlementTest, ASnapshotThatIsNotProvenBeginsNothing)
{
    const auto open = a.create("alice", "since-join", true);
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), open)));
    const auto draft = batch(c, a);
    const auto good = answer(c, a, draft);
    const auto spoil = [&](auto change) {
        auto result = good;
        change(*result.submissions[0].events[0].snapshot, result);
        // Others' parts of the answer count; the log begins with what is asked for instead.
        auto settled = settle(c, a, draft, result);
        ASSERT_TRUE(settled);
        EXPECT_TRUE(settled->wants_snapshot.contains(open.str()));
        EXPECT_FALSE(c.image(open));
    };
    spoil([](protocol::Snapshot& snapshot, TransactionResult&) {
        snapshot.state.replace(snapshot.state.find("garden"), 6, "burrow");
    });
    spoil([](protocol::Snapshot& snapshot, TransactionResult&) { snapshot.seq += 1; });
    spoil([](protocol::Snapshot& snapshot, TransactionResult&) { snapshot.at += 1; });
    spoil([&](protocol::Snapshot& snapshot, TransactionResult&) { snapshot.channel = channel; });
    spoil([](protocol::Snapshot&, TransactionResult& result) {
        *result.submissions[0].events[0].floor += 1;
    });
    spoil([](protocol::Snapshot&, TransactionResult& result) {
        result.submissions[0].events[0].seq += 1;
    });
    ASSERT_TRUE(settle(c, a, draft, good));
    EXPECT_TRUE(c.image(open));
}

// --- logs --------------------------------------------------------------------------------

// [LOG-2]
TEST_F(SettlementTest, ACursorMovesOnlyOnAHashThatAgrees)
{
    ASSERT_TRUE(a.post("alice", channel, "one"));
    ASSERT_TRUE(a.post("alice", channel, "two"));
    const auto latest = a.image(channel)->seq;
    const auto before = a.cursor(channel, b)->seq;
    const auto draft = batch(a, b);
    for (const auto& have : {protocol::Position{latest, hash_at(latest - 1)},
                             protocol::Position{latest + 1, hash_at(latest)}}) {
        auto settled = settle(a, b, draft, log_answer(SliceStatus::ok, have.seq, have.hash));
        ASSERT_TRUE(settled);
        EXPECT_FALSE(settled->progress);
        EXPECT_EQ(settled->held_logs.count(channel.str()), 1U);
        EXPECT_EQ(settled->logs_left.size(), 1U);
        EXPECT_EQ(a.cursor(channel, b)->seq, before);
    }
    auto settled =
        settle(a, b, draft, log_answer(SliceStatus::ok, latest - 1, hash_at(latest - 1)));
    ASSERT_TRUE(settled);
    EXPECT_TRUE(settled->progress);
    EXPECT_EQ(settled->logs_left.size(), 1U);
    EXPECT_EQ(a.cursor(channel, b)->seq, latest - 1);
    settled = settle(a, b, batch(a, b), log_answer(SliceStatus::ok, latest, hash_at(latest)));
    ASSERT_TRUE(settled);
    EXPECT_TRUE(settled->logs_left.empty());
}

TEST_F(SettlementTest, AnAnswerThatBringsNothingForwardIsHeld)
{
    ASSERT_TRUE(a.post("alice", channel, "one"));
    const auto before = a.cursor(channel, b)->seq;
    const auto draft = batch(a, b);
    for (const auto status : {SliceStatus::ok, SliceStatus::gap}) {
        auto settled = settle(a, b, draft, log_answer(status, before, hash_at(before)));
        ASSERT_TRUE(settled);
        EXPECT_FALSE(settled->progress);
        EXPECT_EQ(settled->held_logs.count(channel.str()), 1U);
        EXPECT_EQ(a.cursor(channel, b)->seq, before);
    }
}

// [QRY-2] Else a newcomer would read what was written before it came, by saying that it
// holds nothing.
TEST_F(SettlementTest, ACursorNeverGoesBelowItsFloor)
{
    ASSERT_TRUE(a.post("alice", channel, "one"));
    const auto floor = a.cursor(channel, b)->floor;
    ASSERT_GT(floor, 1);
    const auto draft = batch(a, b);
    for (const auto status : {SliceStatus::ok, SliceStatus::gap}) {
        ASSERT_TRUE(settle(a, b, draft, log_answer(status, 0, "")));
        ASSERT_TRUE(settle(a, b, draft, log_answer(status, 1, hash_at(1))));
        EXPECT_GE(a.cursor(channel, b)->seq, floor);
        for (const auto& log : batch(a, b).logs) EXPECT_GE(log.page.after.seq, floor);
    }
}

// [LOG-2]
TEST_F(SettlementTest, AFollowerThatHasLostEntriesIsServedFromWhereItStands)
{
    ASSERT_TRUE(a.post("alice", channel, "one"));
    ASSERT_TRUE(a.post("alice", channel, "two"));
    settle_all(a, b);
    ASSERT_TRUE(a.post("alice", channel, "three"));
    const auto floor = a.cursor(channel, b)->floor;
    const auto draft = batch(a, b);
    ASSERT_TRUE(settle(a, b, draft, log_answer(SliceStatus::gap, floor, hash_at(floor))));
    EXPECT_EQ(a.cursor(channel, b)->seq, floor);
    settle_all(a, b);
    EXPECT_EQ(a.cursor(channel, b)->seq, a.image(channel)->seq);
}

// [LOG-2]
TEST_F(SettlementTest, NotFollowingEndsTheFollowing)
{
    ASSERT_TRUE(a.post("alice", channel, "one"));
    const auto draft = batch(a, b);
    ASSERT_TRUE(settle(a, b, draft, log_answer(SliceStatus::not_following, 0, "")));
    EXPECT_FALSE(a.cursor(channel, b));
    EXPECT_TRUE(batch(a, b).empty());
}

// [MEM-12] A server whose database came back from before its join says so, and then joins again.
TEST_F(SettlementTest, AJoinAfterNotFollowingStartsTheFollowingAnew)
{
    const auto joined_at = a.cursor(channel, b)->floor;
    ASSERT_TRUE(a.post("alice", channel, "one"));
    const auto draft = batch(a, b);
    ASSERT_TRUE(settle(a, b, draft, log_answer(SliceStatus::not_following, 0, "")));
    ASSERT_FALSE(a.cursor(channel, b));

    const auto again = b.event(channel, {"member.join", b.user("bob").str()});
    a.woken.clear();
    const auto results = hand_in(b, a, channel, {again});
    EXPECT_EQ(a.woken, std::vector<std::string>{"b.example"});
    ASSERT_EQ(results.size(), 1U);
    EXPECT_EQ(results[0].status, ItemStatus::duplicate);
    EXPECT_EQ(results[0].seq, joined_at);
    EXPECT_EQ(results[0].floor, joined_at);
    ASSERT_TRUE(results[0].snapshot);
    EXPECT_EQ(results[0].snapshot->seq, joined_at);
    ASSERT_TRUE(a.cursor(channel, b));
    EXPECT_EQ(a.cursor(channel, b)->seq, joined_at);
    const auto owed = batch(a, b);
    ASSERT_EQ(owed.logs.size(), 1U);
    EXPECT_EQ(owed.logs[0].page.entries.size(), 1U);
}

// [LOG-2]
TEST_F(SettlementTest, OtherAnswersHoldTheLogAndMoveNothing)
{
    ASSERT_TRUE(a.post("alice", channel, "one"));
    const auto before = a.cursor(channel, b)->seq;
    const auto draft = batch(a, b);
    for (const auto status :
         {SliceStatus::need_keys, SliceStatus::need_snapshot, SliceStatus::fork, SliceStatus::ahead,
          SliceStatus::superseded, SliceStatus::deferred, SliceStatus::refused}) {
        auto answer = log_answer(status, a.image(channel)->seq, a.image(channel)->hash);
        if (status == SliceStatus::need_keys)
            answer.logs[0].kids = {servers.c.identity.key_ref().str()};
        auto settled = settle(a, b, draft, answer);
        ASSERT_TRUE(settled);
        EXPECT_FALSE(settled->progress);
        // Keys are shown at once; the link waits where it has none.
        const auto told = status == SliceStatus::need_keys
                              ? settled->keys_wanted.count(channel.str())
                              : settled->held_logs.count(channel.str());
        EXPECT_EQ(told, 1U);
        if (status == SliceStatus::fork) {
            EXPECT_EQ(settled->held_logs[channel.str()], fork_pause_seconds);
        }
        EXPECT_EQ(settled->awaiting_snapshot.contains(channel.str()),
                  status == SliceStatus::need_snapshot);
        EXPECT_EQ(a.cursor(channel, b)->seq, before);
    }
}

// The answer to what was sent before a leave arrives after a new join has begun to count.
TEST_F(SettlementTest, ALateAnswerDoesNotEndAFollowingThatHasBegunAnew)
{
    ASSERT_EQ(
        hand_in(b, a, channel, {b.event(channel, {"member.leave", "bob@b.example"})}).at(0).status,
        ItemStatus::accepted);
    const auto draft = batch(a, b);
    auto late = answer(a, b, draft);
    ASSERT_EQ(late.logs[0].status, SliceStatus::ok);
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.invite", "alice@a.example", R"({"user":"bob@b.example"})"})));
    ASSERT_EQ(
        hand_in(b, a, channel, {b.event(channel, {"member.join", "bob@b.example"})}).at(0).status,
        ItemStatus::accepted);
    const auto begun = a.cursor(channel, b);
    ASSERT_TRUE(settle(a, b, draft, late));
    const auto now = a.cursor(channel, b);
    ASSERT_TRUE(now);
    EXPECT_EQ(now->seq, begun->seq);
    EXPECT_EQ(now->until, 0);
}

TEST_F(SettlementTest, OthersThatFollowAreToldWhenAFollowerHasMore)
{
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"})));
    settle_all(a, c);
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
    settle_all(a, c);
    auto settled = exchange(a, b);
    ASSERT_TRUE(settled);
    ASSERT_EQ(settled->advanced.size(), 1U);
    EXPECT_EQ(settled->advanced[0].others, std::vector<ServerName>{c.identity.name});
    Held due;
    due.heartbeats.insert(channel.str());
    ASSERT_TRUE(exchange(a, c, due));
    EXPECT_EQ(c.heard.delivered["b.example"], a.image(channel)->seq);
}

}  // namespace
}  // namespace entente::federation::log_rig
