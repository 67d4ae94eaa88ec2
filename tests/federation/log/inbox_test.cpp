// The inbox as a whole: a result per item, of the right shape and in the right place, and
// what a budget leaves of a transaction [INBOX-1, INBOX-2, INBOX-3, INBOX-8].
#include <nlohmann/json.hpp>

#include "federation/channels/channel_changes.hpp"
#include "storage/account_store.hpp"
#include "tests/federation/log/log_rig.hpp"
#include "tests/federation/log/signature_counter.hpp"

namespace entente::federation::log_rig {
namespace {

using Json = nlohmann::json;
using protocol::ItemStatus;
using protocol::OutgoingTransaction;
using protocol::SliceStatus;

class InboxTest : public ::testing::Test {
 protected:
    InboxTest() : channel(shared_channel(a, b)) {}

    EventAndContent message(const std::string& text = "hello")
    {
        return b.event(channel, {"message.create", "bob@b.example", "{\"text\":\"" + text + "\"}"});
    }
    EventAndContent invite_from_b(const ChannelId& of, const std::string& user = "alice@a.example")
    {
        const auto inner =
            b.event(of, {"member.invite", "bob@b.example", R"({"user":")" + user + R"("})"});
        EventAndContent made;
        made.content = "{\"salt\":\"AAECAwQFBgcICQoLDA0ODw\",\"channel\":\"" + of.str() +
                       "\",\"name\":\"n\",\"kind\":\"group\",\"encryption\":\"none\",\"members\":1,"
                       "\"invite\":{\"event\":" +
                       protocol::json_string(inner.event) +
                       ",\"content\":" + protocol::json_string(inner.content) + "}}";
        protocol::EventDraft draft;
        draft.type = "invite";
        draft.to = user;
        draft.sender = "b.example";
        draft.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
        draft.at = servers.world.clock.now_ms();
        draft.content = made.content;
        made.event = protocol::write_event(draft);
        return made;
    }
    void limit(std::int64_t events, std::int64_t bytes)
    {
        a.tier = trust::Tier::guest;
        a.tiers.rows.at(static_cast<std::size_t>(trust::Tier::guest)) = {600, events, bytes};
        a.restart();
    }
    std::int64_t latest() { return a.image(channel)->seq; }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
};

// [INBOX-18]
TEST_F(InboxTest, AnOlderCopyOfWhatWasRefusedIsNotTakenLater)
{
    auto& c = servers.c;
    const auto join = [&] { return c.event(channel, {"member.join", "carol@c.example"}); };
    const auto first = join();
    EXPECT_EQ(hand_in(c, a, channel, {first}).at(0).problem->code, Code::not_found);
    ASSERT_TRUE(a.change("alice", channel, changes::invite(c.user("carol"))));

    // It was under way all the time; the author has been told of the refusal.
    const auto copy = hand_in(c, a, channel, {first}).at(0);
    EXPECT_EQ(copy.status, ItemStatus::rejected);
    EXPECT_EQ(copy.problem->code, Code::not_found);
    EXPECT_EQ(hand_in(c, a, channel, {join()}).at(0).status, ItemStatus::accepted);
}

// [INBOX-18]
TEST_F(InboxTest, AnOlderCopyOfARefusedInvitationIsNotTakenLater)
{
    OutgoingTransaction transaction;
    const std::string newcomer = "frank@a.example";
    transaction.direct = {invite_from_b(b.create("bob"), newcomer)};
    EXPECT_EQ(a.receive(b, transaction).direct.at(0).problem->code, Code::not_found);
    const auto made = a.write([](storage::WriteTransaction& open) {
        return storage::create_user(open.db(), "frank", "hash", storage::AccountRole::user, 0);
    });
    ASSERT_TRUE(made);
    const auto copy = a.receive(b, transaction).direct.at(0);
    EXPECT_EQ(copy.status, ItemStatus::rejected);
    EXPECT_EQ(copy.problem->code, Code::not_found);
    transaction.direct = {invite_from_b(b.create("bob"), newcomer)};
    EXPECT_EQ(a.receive(b, transaction).direct.at(0).status, ItemStatus::accepted);
}

// [INBOX-1]
TEST_F(InboxTest, TheAnswerHasTheMembersAndLengthsOfTheTransaction)
{
    const auto theirs = b.create("bob");
    auto transaction = submission(b, channel, {message(), message()});
    transaction.logs = slice(b, theirs, 0, all_entries).logs;
    transaction.roots.push_back(slice(b, theirs, 0, all_entries).roots.at(0));
    transaction.logs[0].checkpoint.proof.root = 1;
    transaction.direct = {invite_from_b(theirs), message()};
    transaction.signals = {R"({"type":"typing"})", R"({})", R"({"type":"presence"})"};
    const auto response = a.receive_octets(b, protocol::write_transaction(transaction));
    ASSERT_EQ(response.status, 200);
    const auto answer = Json::parse(response.body);
    ASSERT_EQ(answer.at("submissions").size(), 1U);
    EXPECT_EQ(answer.at("submissions").at(0).at("channel"), channel.str());
    ASSERT_EQ(answer.at("submissions").at(0).at("events").size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        const auto& event = answer.at("submissions").at(0).at("events").at(i);
        EXPECT_EQ(event.at("status"), "accepted");
        EXPECT_EQ(
            event.at("event"),
            protocol::to_base64url(protocol::event_id(transaction.submissions[0].events[i].event)));
        EXPECT_GT(event.at("seq"), 0);
    }
    ASSERT_EQ(answer.at("logs").size(), 1U);
    const auto& log = answer.at("logs").at(0);
    EXPECT_EQ(log.at("channel"), theirs.str());
    EXPECT_EQ(log.at("status"), "not-following");
    EXPECT_TRUE(log.contains("epoch") && log.contains("have") && log.contains("hash"));
    ASSERT_EQ(answer.at("direct").size(), 2U);
    EXPECT_EQ(answer.at("direct").at(0).at("status"), "accepted");
    EXPECT_EQ(answer.at("direct").at(1).at("status"), "rejected");
    EXPECT_TRUE(answer.at("direct").at(1).contains("problem"));
    EXPECT_EQ(answer.at("signals").size(), 3U);
}

// [INBOX-1]
TEST_F(InboxTest, WhatCantBeParsedIsRefusedInItsPlaceAndOneBadOfFiftyLeavesFortyNine)
{
    std::vector<EventAndContent> events;
    for (int i = 0; i < 50; ++i) events.push_back(message(std::to_string(i)));
    events[20].event = "{\"v\":1";
    const auto before = latest();
    const auto results = hand_in(b, a, channel, events);
    ASSERT_EQ(results.size(), 50U);
    for (std::size_t i = 0; i < 50; ++i) {
        EXPECT_EQ(results[i].status, i == 20 ? ItemStatus::rejected : ItemStatus::accepted) << i;
        if (i == 20) {
            EXPECT_TRUE(results[i].problem && results[i].problem->code == Code::malformed);
        }
    }
    EXPECT_EQ(latest(), before + 49);
    a.restart();
    EXPECT_EQ(latest(), before + 49);
}

// [INBOX-1]
TEST_F(InboxTest, ASubmissionThatCantBeReadFailsAloneWithAResultPerEvent)
{
    auto body = Json::parse(protocol::write_transaction(submission(b, channel, {message()})));
    body["submissions"].push_back(Json{{"channel", "nonsense"}, {"events", Json::array({1, 2})}});
    const auto answer = Json::parse(a.receive_octets(b, body.dump()).body);
    ASSERT_EQ(answer.at("submissions").size(), 2U);
    EXPECT_EQ(answer["submissions"][0]["events"][0]["status"], "accepted");
    ASSERT_EQ(answer["submissions"][1]["events"].size(), 2U);
    for (const auto& event : answer["submissions"][1]["events"]) {
        EXPECT_TRUE(event.at("event").is_null());
        EXPECT_EQ(event.at("status"), "rejected");
        EXPECT_TRUE(event.contains("problem"));
    }
}

// [INBOX-4]
TEST_F(InboxTest, ADirectEventIsTakenOnceAndEquivocationIsRefused)
{
    const auto theirs = b.create("bob");
    OutgoingTransaction transaction;
    transaction.direct.push_back(invite_from_b(theirs));
    EXPECT_EQ(a.receive(b, transaction).direct.at(0).status, ItemStatus::accepted);
    a.restart();
    EXPECT_EQ(a.receive(b, transaction).direct.at(0).status, ItemStatus::duplicate);
    EXPECT_EQ(a.invited.size(), 1U);

    servers.world.clock.now += direct_memory_ms + 1;
    const auto late = a.receive(b, transaction).direct.at(0);
    EXPECT_EQ(late.status, ItemStatus::rejected);
}

// [EVT-5] [INBOX-18] Time alone would make it good, behind what its author has written since.
TEST_F(InboxTest, WhatWasRefusedForBeingFromTheFutureStaysSoForADay)
{
    const auto give = [&](Millis ahead) {
        Server::Wish wish{"message.create", "bob@b.example", hello};
        wish.at_offset = ahead;
        return hand_in(b, a, channel, {b.event(channel, wish)}).at(0).status;
    };
    const auto now_s = servers.world.clock.now_s();
    EXPECT_EQ(give(3'660'001), ItemStatus::rejected);
    EXPECT_EQ(a.refused.last_expiry - now_s, 24 * 3600 + 361);
    const EventAndContent bad = b.event(channel, {"message.create", "bob@b.example", "{}"});
    EXPECT_EQ(hand_in(b, a, channel, {bad}).at(0).status, ItemStatus::rejected);
    EXPECT_EQ(a.refused.last_expiry - now_s, 361);
}

// [INBOX-8]
TEST_F(InboxTest, TheFirstItemIsTakenWhateverItCosts)
{
    limit(1, 10);
    const auto before = latest();
    const auto results = hand_in(b, a, channel, {message(), message(), message()});
    EXPECT_EQ(results[0].status, ItemStatus::accepted);
    for (const std::size_t i : {1U, 2U}) {
        EXPECT_EQ(results[i].status, ItemStatus::deferred);
        EXPECT_GE(results[i].retry_after, 1);
    }
    EXPECT_EQ(latest(), before + 1);
    // So there is always progress.
    EXPECT_EQ(hand_in(b, a, channel, {message(), message()})[0].status, ItemStatus::accepted);
    EXPECT_EQ(latest(), before + 2);
}

// [INBOX-3] [INBOX-8]
TEST_F(InboxTest, OverTheBudgetTheRestIsDeferredInOrder)
{
    limit(3, 1'000'000);
    std::vector<EventAndContent> events;
    for (int i = 0; i < 5; ++i) events.push_back(message(std::to_string(i)));
    const auto results = hand_in(b, a, channel, events);
    for (std::size_t i = 0; i < 5; ++i)
        EXPECT_EQ(results[i].status, i < 3 ? ItemStatus::accepted : ItemStatus::deferred) << i;
    servers.world.clock.now += 120'000;
    const auto rest = hand_in(b, a, channel, {events[3], events[4]});
    EXPECT_EQ(rest[0].seq + 1, rest[1].seq);
    EXPECT_EQ(rest[0].seq, results[2].seq + 1);
}

// An event whose root is paid behind one that had to wait: the order of one sender holds through
// all of a transaction's submissions [INBOX-3].
TEST_F(InboxTest, WhatComesBehindADeferredEventOfItsSenderIsDeferredInLaterSubmissionsToo)
{
    limit(600, 5'000);
    auto transaction = submission(b, channel, {message()});
    const auto second = submission(b, channel, {message("a root more")});
    transaction.submissions.push_back(second.submissions[0]);
    transaction.submissions.back().seal.proof.root = 1;
    transaction.roots.push_back(second.roots[0]);
    // Under the root that is paid.
    const auto third = message("s");
    protocol::RootBuilder leaves;
    transaction.submissions.push_back(transaction.submissions[0]);
    transaction.submissions[2].events = {third};
    transaction.submissions[2].seal.events = {protocol::event_id(third.event)};
    for (const auto at : {0U, 2U}) {
        auto& seal = transaction.submissions[at].seal;
        seal.proof.index = leaves.add(protocol::seal_leaf(channel, seal.events));
    }
    const auto root = leaves.sign(b.identity.key, b.identity.name, servers.world.clock.now_ms());
    transaction.roots[0] = root.jws;
    for (const auto at : {0U, 2U}) {
        auto& proof = transaction.submissions[at].seal.proof;
        proof.path = root.paths[proof.index];
    }
    const auto result = a.receive(b, transaction);
    EXPECT_EQ(result.submissions[0].events[0].status, ItemStatus::accepted);
    EXPECT_EQ(result.submissions[1].events[0].status, ItemStatus::deferred);
    EXPECT_EQ(result.submissions[2].events[0].status, ItemStatus::deferred);
}

// [INBOX-8] Its octets are paid for: to put it off for them would have it come again.
TEST_F(InboxTest, WhatEventsHaveNoRoomForIsNoMoreThanThat)
{
    const auto theirs = shared_channel(b, a);
    ASSERT_TRUE(b.post("alice", theirs, std::string(2'000, 'x')));
    limit(2, 10'000);
    auto transaction =
        submission(b, channel, {message(std::string(9'000, 'x')), message(), message(), message()});
    auto log = slice(b, theirs, a.image(theirs)->seq, all_entries);
    transaction.logs = log.logs;
    transaction.logs[0].checkpoint.proof.root = 1;
    transaction.roots.push_back(log.roots.at(0));
    const auto result = a.receive(b, transaction);
    using enum ItemStatus;
    const ItemStatus expected[] = {accepted, accepted, deferred, deferred};
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_EQ(result.submissions[0].events[i].status, expected[i]) << i;
    // Two roots are there to be paid, and were.
    EXPECT_EQ(result.logs[0].status, SliceStatus::ok);
}

// [INBOX-8]
TEST_F(InboxTest, ASliceWhoseRootIsBeyondTheBudgetIsDeferredWhole)
{
    const auto theirs = shared_channel(b, a);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(b.post("alice", theirs, std::string(500, 'x')));
    limit(1, 3'000);
    auto transaction = submission(b, channel, {message()});
    auto log = slice(b, theirs, a.image(theirs)->seq, all_entries);
    transaction.logs = log.logs;
    transaction.logs[0].checkpoint.proof.root = 1;
    transaction.roots.push_back(log.roots.at(0));
    const auto before = a.image(theirs)->seq;
    const auto result = a.receive(b, transaction);
    EXPECT_EQ(result.submissions[0].events[0].status, ItemStatus::accepted);
    EXPECT_EQ(result.logs[0].status, SliceStatus::deferred);
    EXPECT_GE(result.logs[0].retry_after, 1);
    EXPECT_EQ(a.image(theirs)->seq, before);
    // Alone it is the first item.
    EXPECT_EQ(deliver(b, a, log).status, SliceStatus::ok);
}

// [INBOX-8] Whoever sends them has signatures verified for nothing otherwise.
TEST_F(InboxTest, RootsOfWhatIsBeyondTheBudgetArentVerified)
{
    auto transaction = submission(b, channel, {message()});
    const auto add_submissions = [&](int count) {
        for (int i = 0; i < count; ++i) {
            auto more = submission(b, channel, {message(std::to_string(i))});
            more.submissions[0].seal.proof.root = transaction.roots.size();
            transaction.submissions.push_back(more.submissions[0]);
            transaction.roots.push_back(more.roots[0]);
        }
    };
    add_submissions(20);
    const auto theirs = shared_channel(b, a);
    ASSERT_TRUE(b.post("alice", theirs, "m"));
    auto log = slice(b, theirs, a.image(theirs)->seq, all_entries);
    log.logs[0].checkpoint.proof.root = transaction.roots.size();
    transaction.logs = log.logs;
    transaction.roots.push_back(log.roots.at(0));

    // Roots are charged in octets, each as much as it costs.
    limit(600, 10'000);
    auto before = signatures_verified();
    auto result = a.receive(b, transaction);
    EXPECT_EQ(signatures_verified() - before, 2U);
    for (std::size_t i = 0; i < 21; ++i) {
        const auto& said = result.submissions[i].events[0];
        EXPECT_EQ(said.status, i < 2 ? ItemStatus::accepted : ItemStatus::deferred) << i;
        EXPECT_EQ(said.event, protocol::event_id(transaction.submissions[i].events[0].event));
    }
    EXPECT_EQ(result.logs[0].status, SliceStatus::deferred);
    EXPECT_EQ(result.logs[0].channel, theirs.str());

    limit(3, 1'000'000);
    before = signatures_verified();
    result = a.receive(b, transaction);
    EXPECT_EQ(signatures_verified() - before, 4U);  // slices aren't charged in events
    EXPECT_EQ(result.logs[0].status, SliceStatus::ok);
}

// One root for many items is paid for once.
TEST_F(InboxTest, ARootIsChargedOnce)
{
    OutgoingTransaction transaction;
    protocol::RootBuilder leaves;
    for (int i = 0; i < 10; ++i) {
        protocol::Submission one;
        one.channel = channel;
        one.events.push_back(message(std::to_string(i)));
        one.seal.events.push_back(protocol::event_id(one.events[0].event));
        one.seal.proof.index = leaves.add(protocol::seal_leaf(channel, one.seal.events));
        transaction.submissions.push_back(std::move(one));
    }
    const auto root = leaves.sign(b.identity.key, b.identity.name, servers.world.clock.now_ms());
    transaction.roots = {root.jws};
    for (auto& one : transaction.submissions)
        one.seal.proof.path = root.paths[one.seal.proof.index];
    limit(600, 12'000);
    const auto result = a.receive(b, transaction);
    for (const auto& one : result.submissions)
        EXPECT_EQ(one.events[0].status, ItemStatus::accepted);
}

// [MEM-3]
TEST_F(InboxTest, ASnapshotComesOncePerChannelInAnAnswer)
{
    Server& c = servers.c;
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"})));
    const auto join = c.event(channel, {"member.join", "carol@c.example"});
    auto transaction = submission(c, channel, {join});
    const auto again = submission(c, channel, {join});
    transaction.submissions.push_back(again.submissions[0]);
    transaction.submissions[1].seal.proof.root = 1;
    transaction.roots.push_back(again.roots[0]);
    const auto result = a.receive(c, transaction);
    EXPECT_TRUE(result.submissions[0].events[0].snapshot);
    EXPECT_EQ(result.submissions[1].events[0].status, ItemStatus::duplicate);
    EXPECT_FALSE(result.submissions[1].events[0].snapshot);
    EXPECT_EQ(result.roots.size(), 1U);
}

}  // namespace
}  // namespace entente::federation::log_rig
