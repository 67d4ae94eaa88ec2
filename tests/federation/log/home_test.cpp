// What a home takes into its log, and what it answers to those who hand in.
#include "storage/incoming_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::EventResult;
using protocol::ItemStatus;

Code code_of(const EventResult& result)
{
    return result.problem ? result.problem->code : Code::internal;
}

#define EXPECT_REFUSED(result, problem_code)                    \
    do {                                                        \
        const auto refused_result = (result);                   \
        EXPECT_EQ(refused_result.status, ItemStatus::rejected); \
        EXPECT_EQ(code_of(refused_result), (problem_code));     \
    } while (false)

class Home : public ::testing::Test {
 protected:
    Home() : channel(shared_channel(a, b)) {}

    EventResult give(Server& author, const Server::Wish& wish)
    {
        return give_event(author, author.event(channel, wish));
    }
    EventResult give_event(Server& author, EventAndContent event)
    {
        return hand_in(author, a, channel, {std::move(event)}).at(0);
    }
    std::int64_t latest() { return a.image(channel)->seq; }
    void invite(const std::string& who)
    {
        auto made = a.append(
            a.event(channel, {"member.invite", "alice@a.example", "{\"user\":\"" + who + "\"}"}));
        ASSERT_TRUE(made) << made.error().detail;
    }
    void kick(const std::string& who)
    {
        ASSERT_TRUE(a.append(
            a.event(channel, {"member.kick", "alice@a.example", "{\"user\":\"" + who + "\"}"})));
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
};

// [EVT-2] [INBOX-3]
TEST_F(Home, RetryGetsTheSameSeqAlsoAfterARestart)
{
    const auto event = b.event(channel, {"message.create", "bob@b.example", hello});
    const auto first = give_event(b, event);
    ASSERT_EQ(first.status, ItemStatus::accepted);
    EXPECT_EQ(first.seq, latest());
    ASSERT_EQ(give(b, {"message.create", "bob@b.example", hello}).status, ItemStatus::accepted);

    const auto again = give_event(b, event);
    EXPECT_EQ(again.status, ItemStatus::duplicate);
    EXPECT_EQ(again.seq, first.seq);
    const auto after = latest();
    a.restart();
    const auto later = give_event(b, event);
    EXPECT_EQ(later.status, ItemStatus::duplicate);
    EXPECT_EQ(later.seq, first.seq);
    EXPECT_EQ(latest(), after);
}

// [EVT-2]
TEST_F(Home, TheSameEventTwiceInOneSubmissionIsTakenOnce)
{
    const auto event = b.event(channel, {"message.create", "bob@b.example", hello});
    const auto results = hand_in(b, a, channel, {event, event});
    EXPECT_EQ(results.at(0).status, ItemStatus::accepted);
    EXPECT_EQ(results.at(1).status, ItemStatus::duplicate);
    EXPECT_EQ(results.at(0).seq, results.at(1).seq);
}

// [EVT-2]
TEST_F(Home, AnotherEventUnderTheSameTxnIsEquivocationAndTheFirstStands)
{
    const auto txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
    Server::Wish wish{"message.create", "bob@b.example", hello, txn};
    const auto first = b.event(channel, wish);
    const auto second = b.event(channel, wish);
    ASSERT_EQ(give_event(b, first).status, ItemStatus::accepted);
    const auto before = latest();
    EXPECT_REFUSED(give_event(b, second), Code::equivocation);
    EXPECT_EQ(latest(), before);
    EXPECT_EQ(give_event(b, first).status, ItemStatus::duplicate);
}

// [EVT-2]
TEST_F(Home, ARefusedEventLeavesNoTraceOfItsTxn)
{
    const auto txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
    Server::Wish bad{"message.create", "bob@b.example", "{}", txn};
    EXPECT_REFUSED(give(b, bad), Code::malformed);
    Server::Wish good{"message.create", "bob@b.example", hello, txn};
    EXPECT_EQ(give(b, good).status, ItemStatus::accepted);
}

// [EVT-5]
TEST_F(Home, AnEventAMinuteAheadIsTakenAndOneUpToAnHourBeyondIsDeferred)
{
    Server::Wish wish{"message.create", "bob@b.example", hello};
    wish.at_offset = 60'000;
    EXPECT_EQ(give(b, wish).status, ItemStatus::accepted);
    const auto before = latest();
    for (const auto& [ahead, seconds] :
         {std::pair{60'001, 1}, std::pair{62'001, 3}, std::pair{60'000 + 3'600'000, 60}}) {
        wish.at_offset = ahead;
        const auto deferred = give(b, wish);
        EXPECT_EQ(deferred.status, ItemStatus::deferred);
        EXPECT_EQ(deferred.retry_after, seconds);
    }
    EXPECT_EQ(latest(), before);
    wish.at_offset = 60'000 + 3'600'001;
    EXPECT_REFUSED(give(b, wish), Code::malformed);
}

// [EVT-5] [INBOX-3] Found by the simulation: what was refused for its time, and nobody heard of
// it, was taken when its time had come, behind what its author had written later.
TEST_F(Home, WhatFollowsAnEventFromTheNearFutureIsNotTakenBeforeIt)
{
    Server::Wish wish{"message.create", "bob@b.example", R"({"text":"early"})"};
    wish.at_offset = 900'000;
    const auto early = b.event(channel, wish);
    const auto next = b.event(channel, {"message.create", "bob@b.example", R"({"text":"next"})"});
    for (const auto& result : hand_in(b, a, channel, {early, next}))
        EXPECT_EQ(result.status, ItemStatus::deferred);
    servers.world.clock.now += 840'000;
    for (const auto& result : hand_in(b, a, channel, {early, next}))
        EXPECT_EQ(result.status, ItemStatus::accepted);
    EXPECT_EQ(a.texts(channel), (std::vector<std::string>{"early", "next"}));
}

// [EVT-5] Whatever the clock said when they were written, which is this server's own.
TEST_F(Home, OwnUsersEventsAreNeverTooEarly)
{
    Server::Wish wish{"message.create", "alice@a.example", hello};
    wish.at_offset = 900'000;
    EXPECT_TRUE(a.append(a.event(channel, wish)));
}

// [MEM-17]
TEST_F(Home, MembersInviteUpToABoundAndModeratorsBeyondIt)
{
    const auto user = [](std::size_t i) {
        return R"({"user":"u)" + std::to_string(i) + R"(@nowhere.example"})";
    };
    for (std::size_t i = 0; i + 1 < max_invited_by_members; ++i)
        ASSERT_TRUE(a.append(a.event(channel, {"member.invite", "alice@a.example", user(i)})));
    const auto last = max_invited_by_members;
    EXPECT_EQ(give(b, {"member.invite", "bob@b.example", user(last)}).status, ItemStatus::accepted);
    EXPECT_REFUSED(give(b, {"member.invite", "bob@b.example", user(last + 1)}), Code::forbidden);
    EXPECT_TRUE(a.append(a.event(channel, {"member.invite", "alice@a.example", user(last + 1)})));
    // Nothing else is.
    EXPECT_EQ(give(b, {"message.create", "bob@b.example", hello}).status, ItemStatus::accepted);
}

// [EVT-7]
TEST_F(Home, ASealOverAnHourOldOrAMinuteAheadIsDeferred)
{
    const auto give_sealed = [&](Millis ago) {
        auto event = b.event(channel, {"message.create", "bob@b.example", hello});
        return a.receive(b, submission(b, channel, {event}, ago)).submissions.at(0).events.at(0);
    };
    EXPECT_EQ(give_sealed(3'600'000).status, ItemStatus::accepted);
    EXPECT_EQ(give_sealed(-60'000).status, ItemStatus::accepted);
    const auto before = latest();
    for (const Millis ago : {Millis{3'600'001}, Millis{-60'001}}) {
        const auto deferred = give_sealed(ago);
        EXPECT_EQ(deferred.status, ItemStatus::deferred);
        EXPECT_EQ(deferred.retry_after, 1);
    }
    EXPECT_EQ(latest(), before);
}

TEST_F(Home, AtNeverDecreasesWhenTheClockIsSetBack)
{
    servers.world.clock.now += 10'000;
    ASSERT_EQ(give(b, {"message.create", "bob@b.example", hello}).status, ItemStatus::accepted);
    servers.world.clock.now -= 9'000;
    ASSERT_EQ(give(b, {"message.create", "bob@b.example", hello}).status, ItemStatus::accepted);
    const auto held = a.entries(channel, latest() - 2);
    ASSERT_EQ(held.size(), 2U);
    EXPECT_EQ(held[0].entry.at, held[1].entry.at);
}

// --- MEM-1 ---------------------------------------------------------------------------

// [MEM-1]
TEST_F(Home, ARepeatedJoinIsADuplicateOfTheOneThatStands)
{
    const auto join = a.cursor(channel, b)->floor;
    const auto again = give(b, {"member.join", "bob@b.example"});
    EXPECT_EQ(again.status, ItemStatus::duplicate);
    EXPECT_EQ(again.seq, join);
}

// [MEM-1]
TEST_F(Home, ARepeatedLeaveIsADuplicateOfTheFirst)
{
    const auto left = give(b, {"member.leave", "bob@b.example"});
    ASSERT_EQ(left.status, ItemStatus::accepted);
    a.restart();
    const auto known = b.event(channel, {"member.leave", "bob@b.example"});
    invite("dave@b.example");  // so that b may know of the channel
    const auto again = give_event(b, known);
    EXPECT_EQ(again.status, ItemStatus::duplicate);
    EXPECT_EQ(again.seq, left.seq);
}

// [MEM-1]
TEST_F(Home, ALeaveByWhoNeverWasAMemberIsNotMember)
{
    const auto before = latest();
    EXPECT_REFUSED(give(b, {"member.leave", "dave@b.example"}), Code::not_member);
    invite("eve@b.example");
    EXPECT_REFUSED(give(b, {"member.leave", "eve@b.example"}), Code::not_member);
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.ban", "alice@a.example", R"({"user":"dave@b.example"})"})));
    EXPECT_REFUSED(give(b, {"member.leave", "dave@b.example"}), Code::not_member);
    EXPECT_EQ(latest(), before + 2);
}

// [MEM-1]
TEST_F(Home, AfterAKickALeaveIsRefusedAndAJoinIsANewOne)
{
    invite("dave@b.example");
    const auto first = give(b, {"member.join", "dave@b.example"});
    ASSERT_EQ(first.status, ItemStatus::accepted);
    kick("dave@b.example");
    EXPECT_REFUSED(give(b, {"member.leave", "dave@b.example"}), Code::not_member);
    EXPECT_REFUSED(give(b, {"member.join", "dave@b.example"}), Code::forbidden);
    invite("dave@b.example");
    const auto second = give(b, {"member.join", "dave@b.example"});
    EXPECT_EQ(second.status, ItemStatus::accepted);
    EXPECT_GT(second.seq, first.seq);
}

// --- QRY-1: for whom the channel exists ------------------------------------------------

// [QRY-1]
TEST_F(Home, ForAStrangerTheChannelIsNotFoundWhateverItHandsIn)
{
    const auto nowhere = protocol::make_channel_id(a.identity.name, servers.world.clock.now_ms(),
                                                   servers.world.random);
    for (const auto& name : {channel, nowhere}) {
        const auto good = c.event(name, {"message.create", "carol@c.example", hello});
        auto broken = c.event(name, {"message.create", "carol@c.example", hello});
        broken.content += " ";
        auto foreign = c.event(name, {"message.create", "bob@b.example", hello});
        for (const auto& result : hand_in(c, a, name, {good, broken, foreign}))
            EXPECT_REFUSED(result, Code::not_found);
    }
    EXPECT_EQ(
        hand_in(b, a, channel, {b.event(channel, {"member.join", "bob@b.example"})}).at(0).status,
        ItemStatus::duplicate);
}

// [INBOX-3] [INBOX-11]
TEST_F(Home, OneMayNotSpeakForAnotherServersUsers)
{
    auto foreign = b.event(channel, {"message.create", "alice@a.example", hello});
    EXPECT_REFUSED(give_event(b, foreign), Code::forbidden);
}

// [INBOX-11]
TEST_F(Home, AnEventForAnotherChannelThanItsSubmissionsIsMalformedAlone)
{
    const auto open = a.create("alice", "since-join", true);
    const auto elsewhere = b.event(open, {"member.join", "bob@b.example"});
    const auto right = b.event(channel, {"message.create", "bob@b.example", hello});
    const auto results = hand_in(b, a, channel, {elsewhere, right});
    EXPECT_REFUSED(results.at(0), Code::malformed);
    EXPECT_EQ(results.at(1).status, ItemStatus::accepted);
}

// [EVT-1] [INBOX-3] [INBOX-11]
TEST_F(Home, ASealOverOtherEventsOrByAnotherServerIsRefused)
{
    const auto event = b.event(channel, {"message.create", "bob@b.example", hello});
    auto sealed_by_c = submission(c, channel, {event});
    EXPECT_REFUSED(a.receive(b, sealed_by_c).submissions.at(0).events.at(0),
                   Code::signature_invalid);
    auto exchanged = submission(b, channel, {event});
    exchanged.submissions[0].events[0] =
        b.event(channel, {"message.create", "bob@b.example", hello});
    EXPECT_REFUSED(a.receive(b, exchanged).submissions.at(0).events.at(0), Code::signature_invalid);
    auto moved = submission(b, channel, {event});
    moved.submissions[0].seal.proof.path.push_back(Hash{});
    EXPECT_REFUSED(a.receive(b, moved).submissions.at(0).events.at(0), Code::signature_invalid);
    EXPECT_EQ(give_event(b, event).status, ItemStatus::accepted);
}

// --- invitations -------------------------------------------------------------------------

// [INBOX-4]
TEST_F(Home, AnInvitationGoesOutOnceAndOnlyToServersThatDontReadTheLog)
{
    invite("dave@b.example");
    EXPECT_TRUE(a.outgoing_direct(b).empty());
    invite("carol@c.example");
    EXPECT_EQ(a.outgoing_direct(c).size(), 1U);
    settle_all(a, c);
    EXPECT_TRUE(a.outgoing_direct(c).empty());
    EXPECT_EQ(c.invited, std::vector<std::string>{"carol@c.example"});
    auto listed = c.world.run(c.channels->invitations(c.user("carol")));
    ASSERT_TRUE(listed);
    ASSERT_EQ(listed->size(), 1U);
    EXPECT_EQ(listed->front().from, "alice@a.example");
    EXPECT_EQ(listed->front().channel, channel);
    EXPECT_EQ(listed->front().home, a.identity.name);
}

// [INBOX-4] A home's word is about its own channels: else whoever overwrites a true invitation
// becomes the channel's home for the invited.
TEST_F(Home, AnInvitationToAnotherServersChannelIsRefused)
{
    invite("dave@c.example");
    settle_all(a, c);
    const auto member_invite =
        b.event(channel, {"member.invite", "bob@b.example", R"({"user":"dave@c.example"})"});
    protocol::EventDraft draft;
    draft.type = "invite";
    draft.to = "dave@c.example";
    draft.sender = "b.example";
    draft.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
    draft.at = servers.world.clock.now_ms();
    draft.content = "{\"salt\":\"AAECAwQFBgcICQoLDA0ODw\",\"channel\":\"" + channel.str() +
                    "\",\"name\":\"\",\"kind\":\"group\",\"encryption\":\"none\",\"members\":1,"
                    "\"invite\":{\"event\":" +
                    protocol::json_string(member_invite.event) +
                    ",\"content\":" + protocol::json_string(member_invite.content) + "}}";
    protocol::OutgoingTransaction transaction;
    transaction.direct.push_back({protocol::write_event(draft), draft.content});
    EXPECT_REFUSED(c.receive(b, transaction).direct.at(0), Code::forbidden);
    auto listed = c.world.run(c.channels->invitations(c.user("dave")));
    ASSERT_EQ(listed->size(), 1U);
    EXPECT_EQ(listed->front().home, a.identity.name);
}

// --- cursors and joins -----------------------------------------------------------------

// [LOG-3] [MEM-3]
TEST_F(Home, ACursorBeginsWithTheFirstAndEndsWithTheLastMemberOfAServer)
{
    const auto begun = a.cursor(channel, b);
    ASSERT_TRUE(begun);
    EXPECT_EQ(begun->until, 0);
    invite("dave@b.example");
    ASSERT_EQ(give(b, {"member.join", "dave@b.example"}).status, ItemStatus::accepted);
    EXPECT_EQ(a.cursor(channel, b)->floor, begun->floor);

    ASSERT_EQ(give(b, {"member.leave", "bob@b.example"}).status, ItemStatus::accepted);
    EXPECT_EQ(a.cursor(channel, b)->until, 0);
    kick("dave@b.example");
    EXPECT_EQ(a.cursor(channel, b)->until, latest());
    ASSERT_TRUE(a.post("alice", channel, "after they have left"));

    settle_all(a, b);
    EXPECT_FALSE(a.cursor(channel, b));
    EXPECT_EQ(b.image(channel)->seq, latest() - 1);
}

// [MEM-3]
TEST_F(Home, ASnapshotIsAsOfExactlyTheJoinAlsoWhenTheJoinIsRepeated)
{
    invite("carol@c.example");
    const auto join = c.event(channel, {"member.join", "carol@c.example"});
    const auto first = give_event(c, join);
    ASSERT_EQ(first.status, ItemStatus::accepted);
    ASSERT_TRUE(first.snapshot);
    ASSERT_TRUE(first.floor);
    EXPECT_EQ(*first.floor, first.seq);
    EXPECT_EQ(first.snapshot->seq, first.seq);
    EXPECT_EQ(first.snapshot->state, a.image(channel)->state);
    EXPECT_EQ(first.snapshot->hash, a.image(channel)->hash);

    ASSERT_TRUE(
        a.append(a.event(channel, {"channel.update", "alice@a.example", R"({"name":"other"})"})));
    invite("eve@c.example");
    a.restart();
    const auto again = give_event(c, join);
    ASSERT_EQ(again.status, ItemStatus::duplicate);
    ASSERT_TRUE(again.snapshot);
    EXPECT_EQ(again.snapshot->state, first.snapshot->state);
    EXPECT_EQ(again.snapshot->hash, first.snapshot->hash);
    EXPECT_EQ(again.snapshot->seq, first.snapshot->seq);
    EXPECT_EQ(again.snapshot->at, first.snapshot->at);
    EXPECT_EQ(again.floor, first.floor);
}

// [MEM-3] The repeat is asked for before the commit that holds the join: what isn't in the database
// yet belongs to the state all the same.
TEST_F(Home, AJoinRepeatedInItsOwnTransactionGetsTheSameState)
{
    invite("carol@c.example");
    invite("eve@c.example");
    const auto before = a.image(channel)->state;
    const auto join = c.event(channel, {"member.join", "carol@c.example"});
    auto other = c.event(channel, {"member.join", "eve@c.example"});
    std::vector<std::pair<EventAndContent, protocol::OutgoingTransaction>> asked;
    for (const auto& event : {join, other, join})
        asked.emplace_back(event, submission(c, channel, {event}));
    auto granted =
        a.write([&](storage::WriteTransaction& transaction) -> Result<std::vector<JoinGrant>> {
            std::vector<JoinGrant> grants;
            for (const auto& [event, made] : asked) {
                SubmissionTurn turn;
                VerifiedSubmission verified;
                verified.channel_text = channel.str();
                verified.channel = channel;
                verified.seal = made.submissions[0].seal;
                verified.root = made.roots[0];
                verified.root_at = servers.world.clock.now_ms();
                VerifiedEvent item;
                item.event = protocol::parse_channel_event(event.event, {}).value();
                item.content = event.content;
                item.id = item.event->id;
                verified.events.push_back(item);
                auto outcome = a.home->take(transaction, verified, c.identity.name, turn, 100, 1);
                if (outcome.grant) grants.push_back(std::move(*outcome.grant));
            }
            return grants;
        });
    ASSERT_TRUE(granted);
    ASSERT_EQ(granted->size(), 2U);
    EXPECT_EQ(granted->at(1).snapshot.hash, granted->at(0).snapshot.hash);
    EXPECT_EQ(granted->at(1).snapshot.state, granted->at(0).snapshot.state);
    EXPECT_NE(granted->at(1).snapshot.state, before);
}

// [MEM-3] The first of them was banned while its server heard nothing.
TEST_F(Home, AJoinFromWhichAServerFollowsAnewIsGrantedBesideTheRepeatOfAnEarlierOne)
{
    invite("carol@c.example");
    invite("eve@c.example");
    const auto first = c.event(channel, {"member.join", "carol@c.example"});
    const auto begun = hand_in(c, a, channel, {first})[0];
    ASSERT_TRUE(begun.snapshot);
    ASSERT_TRUE(a.change("alice", channel, changes::ban(c.user("carol"), "")));
    const auto second = c.event(channel, {"member.join", "eve@c.example"});
    const auto results = hand_in(c, a, channel, {first, second});
    EXPECT_EQ(results[0].seq, begun.seq);
    EXPECT_FALSE(results[0].snapshot);
    ASSERT_TRUE(results[1].snapshot);
    EXPECT_EQ(results[1].snapshot->seq, results[1].seq);
    EXPECT_EQ(results[1].floor, results[1].seq);
}

// [MEM-3] [QRY-2]
TEST_F(Home, UnderHistoryAllTheFloorIsNothing)
{
    const auto open = a.create("alice", "all", true);
    const auto joined =
        hand_in(c, a, open, {c.event(open, {"member.join", "carol@c.example"})}).at(0);
    ASSERT_EQ(joined.status, ItemStatus::accepted);
    EXPECT_EQ(joined.floor, 0);
    EXPECT_EQ(a.cursor(open, c)->seq, 0);
}

// [INBOX-4] The first may have been lost; but who invites doesn't send what he likes.
TEST_F(Home, WhoIsInvitedAlreadyIsInvitedAgainOnceAnHour)
{
    const auto sent = [&] { return a.outgoing_direct(c).size(); };
    invite("carol@c.example");
    EXPECT_EQ(sent(), 1U);
    invite("carol@c.example");
    EXPECT_EQ(sent(), 2U);
    invite("carol@c.example");
    EXPECT_EQ(sent(), 2U);
    servers.world.clock.now += invitation_repeat_ms - 1;
    invite("carol@c.example");
    EXPECT_EQ(sent(), 2U);
    servers.world.clock.now += 1;
    invite("carol@c.example");
    EXPECT_EQ(sent(), 3U);
}

// [MEM-3]
TEST_F(Home, ASecondMemberOfAServerGetsNoSnapshot)
{
    invite("dave@b.example");
    const auto joined = give(b, {"member.join", "dave@b.example"});
    EXPECT_EQ(joined.status, ItemStatus::accepted);
    EXPECT_FALSE(joined.snapshot);
    EXPECT_FALSE(joined.floor);
}

}  // namespace
}  // namespace entente::federation::log_rig
