// What a follower takes and what it refuses, each refusal without any effect.
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::OutgoingTransaction;
using protocol::SliceResult;
using protocol::SliceStatus;

class Follower : public ::testing::Test {
 protected:
    Follower() : channel(shared_channel(a, b))
    {
        invite_carol();
        before = *b.image(channel);
    }

    void invite_carol()
    {
        auto invited = a.append(a.event(
            channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"}));
        EXPECT_TRUE(invited);
        EXPECT_EQ(hand_in(c, a, channel, {c.event(channel, {"member.join", "carol@c.example"})})
                      .at(0)
                      .status,
                  protocol::ItemStatus::accepted);
        // Entries of the home's, of the follower's own and of a third server's users.
        for (int i = 0; i < 2; ++i) {
            EXPECT_TRUE(a.post("alice", channel, "from the home"));
            EXPECT_EQ(hand_in(b, a, channel,
                              {b.event(channel, {"message.create", "bob@b.example", hello})})
                          .at(0)
                          .status,
                      protocol::ItemStatus::accepted);
            EXPECT_EQ(hand_in(c, a, channel,
                              {c.event(channel, {"message.create", "carol@c.example", hello})})
                          .at(0)
                          .status,
                      protocol::ItemStatus::accepted);
        }
    }

    OutgoingTransaction rest() { return slice(a, channel, b.image(channel)->seq, all_entries); }
    void expect_untouched()
    {
        const auto now = *b.image(channel);
        EXPECT_EQ(now.seq, before.seq);
        EXPECT_EQ(now.hash, before.hash);
        EXPECT_EQ(now.state, before.state);
        EXPECT_FALSE(now.frozen);
        // Nothing of it stands in the way of what is right.
        EXPECT_EQ(deliver(a, b, rest()).status, SliceStatus::ok);
        EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
    }
    void expect_refused(const OutgoingTransaction& transaction, Code code)
    {
        const auto answer = deliver(a, b, transaction);
        EXPECT_EQ(answer.status, SliceStatus::refused);
        ASSERT_TRUE(answer.problem);
        EXPECT_EQ(answer.problem->code, code);
        expect_untouched();
    }
    // An entry of the home's making, right in all but what the test is about.
    OutgoingTransaction with_event(const EventAndContent& event)
    {
        auto made = slice(a, channel, b.image(channel)->seq, 1);
        auto& only = made.logs[0].entries.at(0);
        only.event = event.event;
        only.content = event.content;
        made.logs[0].seals.clear();
        made.roots.resize(1);
        rechain(made.logs[0]);
        sign_anew(a, made);
        return made;
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
    LogImage before;
};

// [LOG-1] [LOG-2]
TEST_F(Follower, ASliceBeyondWhatItHoldsIsAGap)
{
    const auto answer = deliver(a, b, slice(a, channel, before.seq + 2, all_entries));
    EXPECT_EQ(answer.status, SliceStatus::gap);
    EXPECT_EQ(answer.have.seq, before.seq);
    EXPECT_EQ(answer.have.hash, before.hash);
    expect_untouched();
}

// [LOG-2]
TEST_F(Follower, OverlapIsComparedAndSkipped)
{
    ASSERT_EQ(deliver(a, b, slice(a, channel, before.seq, 3)).status, SliceStatus::ok);
    const auto answer = deliver(a, b, slice(a, channel, before.seq, 5));
    EXPECT_EQ(answer.status, SliceStatus::ok);
    EXPECT_EQ(answer.have.seq, before.seq + 5);
    EXPECT_EQ(answer.have.hash, b.image(channel)->hash);
    EXPECT_EQ(deliver(a, b, slice(a, channel, before.seq, 5)).have.seq, before.seq + 5);
}

// [LOG-4] [LOG-21]
TEST_F(Follower, ARewrittenEntryIsAForkThatFreezesTheChannelForGood)
{
    ASSERT_EQ(deliver(a, b, rest()).status, SliceStatus::ok);
    const auto held = *b.image(channel);
    auto other = slice(a, channel, before.seq, all_entries);
    other.logs[0].entries.back().at += 1;
    rechain(other.logs[0]);
    sign_anew(a, other);
    const auto answer = deliver(a, b, other);
    EXPECT_EQ(answer.status, SliceStatus::fork);
    EXPECT_EQ(answer.have.hash, held.hash);
    EXPECT_EQ(b.forked, std::vector<std::string>{channel.str()});
    b.restart();
    EXPECT_TRUE(b.image(channel)->frozen);
    ASSERT_TRUE(a.post("alice", channel, "more"));
    EXPECT_EQ(deliver(a, b, rest()).status, SliceStatus::fork);
    // A heartbeat, and what it holds already.
    const auto end = a.image(channel)->seq;
    EXPECT_EQ(deliver(a, b, slice(a, channel, end, all_entries)).status, SliceStatus::fork);
    EXPECT_EQ(deliver(a, b, slice(a, channel, before.seq, 2)).status, SliceStatus::fork);
    EXPECT_EQ(b.image(channel)->seq, held.seq);
}

// [LOG-4]
TEST_F(Follower, ACheckpointBeyondWhoseChainPassesElsewhereIsAFork)
{
    ASSERT_EQ(deliver(a, b, slice(a, channel, before.seq, 2)).status, SliceStatus::ok);
    auto other = slice(a, channel, before.seq + 1, all_entries);
    for (auto& entry : other.logs[0].entries) entry.at += 1;
    rechain(other.logs[0]);
    sign_anew(a, other);
    EXPECT_EQ(deliver(a, b, other).status, SliceStatus::fork);
    EXPECT_EQ(b.image(channel)->seq, before.seq + 2);
    EXPECT_TRUE(b.image(channel)->frozen);
}

// [LOG-4]
TEST_F(Follower, AnUnsignedRewriteFreezesNothing)
{
    ASSERT_EQ(deliver(a, b, rest()).status, SliceStatus::ok);
    before = *b.image(channel);
    auto other = slice(a, channel, before.seq - 3, all_entries);
    other.logs[0].entries.back().at += 1;
    rechain(other.logs[0]);
    const auto answer = deliver(a, b, other);
    EXPECT_EQ(answer.status, SliceStatus::refused);
    expect_untouched();
}

// [LOG-2] [LOG-5]
TEST_F(Follower, AHomeThatHasLostEntriesIsToldAheadAndWhereBothAgree)
{
    ASSERT_EQ(deliver(a, b, rest()).status, SliceStatus::ok);
    auto old = slice(a, channel, before.seq, 2);
    old.logs[0].latest = before.seq + 2;
    const auto answer = deliver(a, b, old);
    EXPECT_EQ(answer.status, SliceStatus::ahead);
    ASSERT_TRUE(answer.agrees);
    EXPECT_EQ(answer.agrees->seq, before.seq + 2);
    EXPECT_EQ(answer.agrees->hash, old.logs[0].checkpoint.hash);
    EXPECT_EQ(answer.have.seq, a.image(channel)->seq);
}

// [LOG-3]
TEST_F(Follower, OnlyTheHomeMaySendItsSlices)
{
    auto made = rest();
    const auto from_c = b.receive(c, made).logs.at(0);
    EXPECT_EQ(from_c.status, SliceStatus::refused);
    ASSERT_TRUE(from_c.problem);
    EXPECT_EQ(from_c.problem->code, Code::not_home);
    sign_anew(c, made);
    EXPECT_EQ(b.receive(c, made).logs.at(0).problem->code, Code::not_home);
    expect_untouched();
}

// [LOG-2]
TEST_F(Follower, AChannelThatNobodyHereFollowsIsNotFollowed)
{
    const auto answer = deliver(a, c, slice(a, channel, 0, all_entries));
    EXPECT_EQ(answer.status, SliceStatus::not_following);
    EXPECT_FALSE(c.image(channel));
}

// [LOG-2]
TEST_F(Follower, WhileAJoinIsOutstandingItNeedsTheSnapshotAndTellsTheHomeOnly)
{
    const auto open = a.create("alice", "since-join", true);
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), open)));
    EXPECT_EQ(deliver(a, c, slice(a, open, 0, all_entries)).status, SliceStatus::need_snapshot);
    EXPECT_EQ(c.receive(b, slice(a, open, 0, all_entries)).logs.at(0).status,
              SliceStatus::not_following);
    EXPECT_FALSE(c.image(open));
}

// [LOG-2]
TEST_F(Follower, AKeyThatCantBeHadIsAskedFor)
{
    b.pins.pop_back();  // c's
    b.restart();
    const auto answer = deliver(a, b, rest());
    EXPECT_EQ(answer.status, SliceStatus::need_keys);
    EXPECT_EQ(answer.kids, std::vector<std::string>{c.identity.key_ref().str()});
    EXPECT_EQ(answer.have.seq, before.seq);
    b.pin(c);
    expect_untouched();
}

// [LOG-1]
TEST_F(Follower, AlteredContentIsRefused)
{
    auto made = rest();
    made.logs[0].entries.back().content->back() = ' ';
    expect_refused(made, Code::malformed);
}

// [LOG-1] [LOG-13]
TEST_F(Follower, ASliceThatIsNotWholeIsRefused)
{
    auto made = rest();
    made.logs[0].entries.pop_back();
    expect_refused(made, Code::malformed);
}

// [EVT-1] [LOG-1]
TEST_F(Follower, AMissingSealIsRefused)
{
    auto made = rest();
    made.logs[0].seals.pop_back();
    made.roots.pop_back();
    expect_refused(made, Code::signature_invalid);
}

// [EVT-1] [LOG-1]
TEST_F(Follower, ASealByAnotherServerProvesNothing)
{
    // c seals what bob@b is said to have written.
    const auto forged = c.event(channel, {"message.create", "bob@b.example", hello});
    auto sealed = submission(c, channel, {forged});
    auto made = with_event(forged);
    made.logs[0].seals.push_back(sealed.submissions[0].seal);
    made.logs[0].seals[0].proof.root = 1;
    made.roots.push_back(sealed.roots[0]);
    expect_refused(made, Code::signature_invalid);
}

// [LOG-1]
TEST_F(Follower, ASealThatDoesNotLeadToItsRootIsRefused)
{
    auto made = rest();
    made.logs[0].seals.back().proof.path.push_back(Hash{});
    expect_refused(made, Code::signature_invalid);
}

// [LOG-1]
TEST_F(Follower, ASealForAnotherChannelProvesNothing)
{
    const auto other = protocol::make_channel_id(a.identity.name, servers.world.clock.now_ms(),
                                                 servers.world.random);
    const auto event = c.event(channel, {"message.create", "carol@c.example", hello});
    auto sealed = submission(c, other, {event});
    auto made = with_event(event);
    made.logs[0].seals.push_back(sealed.submissions[0].seal);
    made.logs[0].seals[0].proof.root = 1;
    made.roots.push_back(sealed.roots[0]);
    expect_refused(made, Code::signature_invalid);
}

// [LOG-1] [LOG-13]
TEST_F(Follower, ACheckpointForAnotherHashOrSeqIsRefused)
{
    auto made = rest();
    made.logs[0].checkpoint.hash = before.hash;
    sign_anew(a, made);
    expect_refused(made, Code::malformed);
}

// [LOG-1]
TEST_F(Follower, ACheckpointSignedByAnotherServerIsRefused)
{
    auto made = rest();
    sign_anew(c, made);
    expect_refused(made, Code::signature_invalid);
}

// [LOG-1]
TEST_F(Follower, ACheckpointWhoseProofLeadsElsewhereIsRefused)
{
    auto made = rest();
    made.logs[0].checkpoint.proof.path.push_back(Hash{});
    expect_refused(made, Code::signature_invalid);
}

// [LOG-1]
TEST_F(Follower, AnEventOfAnotherChannelIsRefused)
{
    const auto other = a.create("alice");
    expect_refused(with_event(a.event(other, {"message.create", "alice@a.example", hello})),
                   Code::malformed);
}

// [LOG-1]
TEST_F(Follower, AnEventWithoutASenderIsRefused)
{
    EventAndContent event;
    event.content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw"})";
    event.event = "{\"v\":1,\"type\":\"message.create\",\"channel\":\"" + channel.str() + "\"}";
    expect_refused(with_event(event), Code::malformed);
}

// [LOG-13]
TEST_F(Follower, ADecreasingAtIsRefusedWithinASliceAndAcrossTwo)
{
    auto made = rest();
    made.logs[0].entries.front().at += 5;
    rechain(made.logs[0]);
    sign_anew(a, made);
    const auto within = deliver(a, b, made);
    EXPECT_EQ(within.status, SliceStatus::refused);

    auto single = slice(a, channel, before.seq, 1);
    single.logs[0].entries.front().at = 1;
    rechain(single.logs[0]);
    sign_anew(a, single);
    expect_refused(single, Code::malformed);
}

// [LOG-13]
TEST_F(Follower, LatestBelowTheLastEntryIsRefused)
{
    auto made = rest();
    made.logs[0].latest = before.seq;
    expect_refused(made, Code::malformed);
}

// [SUC-6] The log has to come to the end of its epoch first.
TEST_F(Follower, ALaterEpochIsAGap)
{
    auto made = rest();
    made.logs[0].epoch = 2;
    rechain(made.logs[0]);
    sign_anew(a, made);
    const auto answer = deliver(a, b, made);
    EXPECT_EQ(answer.status, SliceStatus::gap);
    EXPECT_EQ(answer.epoch, 1);
    expect_untouched();
}

// --- what is taken and marked ----------------------------------------------------------

// [LOG-1] [EVT-4]
TEST_F(Follower, AnEventThatBreaksAFormRuleIsTakenWithoutEffect)
{
    auto invite =
        a.event(channel, {"member.ban", "alice@a.example", R"({"user":"bob@b.example"})"});
    const auto at = invite.event.find("\"v\":1");
    ASSERT_NE(at, std::string::npos);
    invite.event.replace(at, 5, "\"v\":1.5");
    const auto answer = deliver(a, b, with_event(invite));
    EXPECT_EQ(answer.status, SliceStatus::ok);
    EXPECT_EQ(answer.have.seq, before.seq + 1);
    EXPECT_EQ(b.image(channel)->state, before.state);
    EXPECT_EQ(b.entries(channel, before.seq).at(0).entry.event, invite.event);
}

// [MEM-2]
TEST_F(Follower, WhatTheHomeShouldNotHaveTakenIsHeldWithoutEffect)
{
    const auto forbidden =
        a.event(channel, {"channel.update", "eve@a.example", R"({"name":"mine"})"});
    EXPECT_EQ(deliver(a, b, with_event(forbidden)).status, SliceStatus::ok);
    EXPECT_EQ(b.image(channel)->state, before.state);
    EXPECT_EQ(b.image(channel)->seq, before.seq + 1);
}

// [LOG-7]
TEST_F(Follower, AnUnknownTypeIsCountedWithoutEffect)
{
    EXPECT_EQ(
        deliver(a, b, with_event(a.event(channel, {"future.thing", "alice@a.example"}))).status,
        SliceStatus::ok);
    EXPECT_EQ(b.image(channel)->state, before.state);
}

// --- heartbeats and acks -----------------------------------------------------------------

// [LOG-2]
TEST_F(Follower, AHeartbeatIsAnsweredWithWhatIsHeld)
{
    const auto beyond = slice(a, channel, a.image(channel)->seq, all_entries);
    ASSERT_TRUE(beyond.logs[0].entries.empty());
    EXPECT_EQ(deliver(a, b, beyond).status, SliceStatus::gap);
    ASSERT_EQ(deliver(a, b, rest()).status, SliceStatus::ok);
    const auto answer = deliver(a, b, beyond);
    EXPECT_EQ(answer.status, SliceStatus::ok);
    EXPECT_EQ(answer.have.seq, a.image(channel)->seq);
}

TEST_F(Follower, AcksAreNotedForServersWithAMemberAndNoFurtherThanTheLog)
{
    auto made = rest();
    const auto latest = made.logs[0].latest;
    made.logs[0].acks = {{"c.example", latest + 1000}, {"nobody.example", 3}};
    ASSERT_EQ(deliver(a, b, made).status, SliceStatus::ok);
    ASSERT_TRUE(b.cursor(channel, c));
    EXPECT_EQ(b.cursor(channel, c)->seq, latest);
    auto cursors = b.read([&](storage::Connection& db) -> Result<std::size_t> {
        auto row = storage::read_channel(db, channel);
        if (!row) return fail(row);
        auto found = storage::cursors_of(db, row->id);
        if (!found) return fail(found);
        return found->size();
    });
    EXPECT_EQ(cursors.value(), 1U);
}

// --- coming back ------------------------------------------------------------------------

// [QRY-2]
TEST_F(Follower, AServerThatComesBackHasAHoleAndGoesOnBehindIt)
{
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.kick", "alice@a.example", R"({"user":"bob@b.example"})"})));
    settle_all(a, b);
    const auto old = *b.image(channel);
    ASSERT_TRUE(a.post("alice", channel, "unseen"));
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.invite", "alice@a.example", R"({"user":"bob@b.example"})"})));
    settle_all(a, b);
    ASSERT_TRUE(b.world.run(b.channels->join(b.actor("bob"), channel)));
    settle_all(a, b);
    ASSERT_TRUE(a.post("alice", channel, "seen"));
    settle_all(a, b);
    const auto now = *b.image(channel);
    EXPECT_GT(now.floor, old.seq);
    EXPECT_EQ(now.hash, a.image(channel)->hash);
    EXPECT_EQ(now.state, a.image(channel)->state);
    b.restart();
    ASSERT_EQ(b.entries(channel, 0).size(), 1U);
    // What was held before the absence is still there.
    auto kept = b.read([&](storage::Connection& db) -> Result<std::vector<storage::StoredEntry>> {
        auto row = storage::read_channel(db, channel);
        if (!row) return fail(row);
        return storage::read_before(db, *row, old.seq + 1, storage::PageLimits{});
    });
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->back().seq, old.seq);
}

// [LOG-4] [MEM-13]
TEST_F(Follower, AFrozenChannelIsNotThawedByANewJoin)
{
    ASSERT_EQ(deliver(a, b, rest()).status, SliceStatus::ok);
    auto other = slice(a, channel, before.seq, all_entries);
    other.logs[0].entries.back().at += 1;
    rechain(other.logs[0]);
    sign_anew(a, other);
    ASSERT_EQ(deliver(a, b, other).status, SliceStatus::fork);
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.kick", "alice@a.example", R"({"user":"bob@b.example"})"})));
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.invite", "alice@a.example", R"({"user":"bob@b.example"})"})));
    ASSERT_TRUE(exchange(a, b));
    const auto held = *b.image(channel);
    ASSERT_TRUE(b.world.run(b.channels->join(b.actor("bob"), channel)));
    ASSERT_TRUE(exchange(b, a));
    EXPECT_TRUE(b.image(channel)->frozen);
    EXPECT_EQ(b.image(channel)->seq, held.seq);
    EXPECT_EQ(b.image(channel)->hash, held.hash);
}

}  // namespace
}  // namespace entente::federation::log_rig
