// What servers make of themselves by what they send: falls by what is proven alone, each limit
// from both sides, what is earned, and the administrator's word over a restart.
#include "federation/conduct/conduct.hpp"

#include <nlohmann/json.hpp>

#include "federation/channels/channel_changes.hpp"
#include "protocol/jws.hpp"
#include "storage/audit_store.hpp"
#include "storage/evidence_store.hpp"
#include "storage/log_reader.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::day_ms;
using protocol::ItemStatus;
using trust::Offence;
using trust::Reason;
using trust::Source;
using trust::Tier;

class ConductTest : public ::testing::Test {
 protected:
    ConductTest() : channel(shared_channel(a, b)) {}

    EventAndContent message()
    {
        return b.event(channel, {"message.create", "bob@b.example", hello});
    }
    EventAndContent in_the_name_of_another()
    {
        return b.event(channel, {"message.create", "carol@c.example", hello});
    }
    // As `server` stands at `at` now.
    Tier tier(Server& at, const Server& server)
    {
        return at.standings->tier_of(server.identity.name, servers.world.clock.now_ms());
    }
    Reason reason(Server& at, const Server& server)
    {
        return at.standings->explain(server.identity.name, false, servers.world.clock.now_ms())
            .reason;
    }
    std::vector<trust::Fall> falls(Server& at)
    {
        // Behind what is being kept: jobs of one cause keep their order.
        EXPECT_TRUE(at.write([](storage::WriteTransaction&) -> Result<void> { return {}; }));
        auto rows = at.read(
            [](storage::Connection& db) { return storage::falls(db, std::nullopt, 0, 100); });
        std::vector<trust::Fall> found;
        for (auto& row : rows.value()) found.push_back(std::move(row.fall));
        return found;
    }
    void fell(int times)
    {
        for (int i = 0; i < times; ++i) hand_in(b, a, channel, {in_the_name_of_another()});
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
};

TEST_F(ConductTest, WhatIsEarnedAndLostIsAsConfigured)
{
    const auto now = servers.world.clock.now_ms();
    ASSERT_TRUE(a.write([&](storage::WriteTransaction& transaction) {
        return storage::put_standing(transaction.db(), b.identity.name, {now - day_ms, 5, 0, 0});
    }));
    a.restart();
    EXPECT_EQ(tier(a, b), Tier::guest);
    a.conduct_figures.known_days = 1;
    a.conduct_figures.known_events = 5;
    a.conduct_figures.daily_faults = 0;
    a.conduct_figures.first_fall_hours = 3;
    a.restart();
    EXPECT_EQ(tier(a, b), Tier::known);
    fell(1);
    EXPECT_EQ(tier(a, b), Tier::quarantined);
    const auto kept = falls(a);
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0].until - kept[0].at, day_ms / 8);
}

TEST_F(ConductTest, AServerMaySendTenFaultsADayAndFallsWithTheNext)
{
    fell(trust::faults_a_day);
    EXPECT_EQ(tier(a, b), Tier::guest);
    EXPECT_TRUE(falls(a).empty());
    // They are forgotten in a day.
    servers.world.clock.now += day_ms;
    fell(trust::faults_a_day);
    EXPECT_EQ(tier(a, b), Tier::guest);

    const auto at = servers.world.clock.now_ms();
    fell(1);
    EXPECT_EQ(tier(a, b), Tier::quarantined);
    EXPECT_EQ(reason(a, b), Reason::fallen);
    const auto kept = falls(a);
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0].server, b.identity.name);
    EXPECT_EQ(kept[0].offence, Offence::unentitled);
    EXPECT_EQ(kept[0].at, at);
    EXPECT_EQ(kept[0].until, at + day_ms);
    EXPECT_EQ(tier(a, c), Tier::guest) << "whose name was taken has done nothing";

    servers.world.clock.now += day_ms;
    EXPECT_EQ(tier(a, b), Tier::guest);
}

TEST_F(ConductTest, TheEvidenceIsWhatTheServerHasSigned)
{
    fell(trust::faults_a_day + 1);
    const auto kept = falls(a);
    ASSERT_EQ(kept.size(), 1U);
    const auto evidence = nlohmann::json::parse(kept[0].evidence);
    const auto octets = [&](const char* name) {
        return protocol::from_base64url(evidence.at(name).get<std::string>()).value();
    };
    EXPECT_EQ(evidence.at("key"), b.identity.key_ref().str());
    EXPECT_TRUE(b.identity.key.public_key().verifies(octets("signature"), octets("signed")));
    EXPECT_NE(octets("shown").find("carol@c.example"), std::string::npos);
}

TEST_F(ConductTest, MalformedItemsOfAnyKindAreFaults)
{
    const auto broken = [&](auto spoil) {
        protocol::OutgoingTransaction transaction = submission(b, channel, {message()});
        spoil(transaction);
        a.receive(b, transaction);
    };
    for (int i = 0; i < 4; ++i) {
        broken([](auto& transaction) { transaction.submissions[0].events[0].content = "{}"; });
        broken([](auto& transaction) { transaction.submissions[0].events[0].event = "{}"; });
        broken([&](auto& transaction) {
            transaction.roots.clear();
            transaction.submissions.clear();
            transaction.direct = {{"no event", "{}"}};
        });
    }
    ASSERT_EQ(falls(a).size(), 1U);
    EXPECT_EQ(falls(a)[0].offence, Offence::malformed);
    EXPECT_EQ(tier(a, b), Tier::quarantined);
}

// A server that was put back doesn't know every txn any more, and its clients try again.
TEST_F(ConductTest, EventsUnderTxnsThatWereTakenFellAfterTen)
{
    const auto first = message();
    const auto txn = protocol::parse_channel_event(first.event, b.identity.names)->txn;
    const auto expect_another_refused = [&] {
        const auto other =
            b.event(channel, {"message.create", "bob@b.example", R"({"text":"other"})", txn});
        EXPECT_EQ(hand_in(b, a, channel, {other}).at(0).problem->code, Code::equivocation);
    };
    ASSERT_EQ(hand_in(b, a, channel, {first}).at(0).status, ItemStatus::accepted);
    EXPECT_EQ(hand_in(b, a, channel, {first}).at(0).status, ItemStatus::duplicate);
    for (int i = 0; i < trust::faults_a_day; ++i) expect_another_refused();
    EXPECT_EQ(tier(a, b), Tier::guest);
    expect_another_refused();
    EXPECT_EQ(tier(a, b), Tier::quarantined);
    ASSERT_EQ(falls(a).size(), 1U);
    EXPECT_EQ(falls(a)[0].offence, Offence::equivocation);
    // The second is in the request that was signed; the first came in another.
    const auto evidence = nlohmann::json::parse(falls(a)[0].evidence);
    EXPECT_EQ(protocol::from_base64url(evidence.at("first").get<std::string>()).value(),
              first.event);
}

// [LOG-4]
TEST_F(ConductTest, AForkFellsTheHomeThatSignedIt)
{
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(a.post("alice", channel, "one"));
        settle_all(a, b);
    }
    EXPECT_EQ(tier(b, a), Tier::guest);
    const auto end = b.image(channel)->seq;
    ASSERT_EQ(deliver(a, b, rewritten(a, channel, end - 2)).status, protocol::SliceStatus::fork);
    EXPECT_EQ(tier(b, a), Tier::quarantined);
    ASSERT_EQ(falls(b).size(), 1U);
    EXPECT_EQ(falls(b)[0].offence, Offence::fork);
    EXPECT_EQ(falls(b)[0].server, a.identity.name);
    // Under which the channel's own evidence is kept.
    const auto evidence = nlohmann::json::parse(falls(b)[0].evidence);
    const auto kept = b.read([&](storage::Connection& db) {
                           auto row = storage::read_channel(db, channel);
                           return storage::evidence_of(db, row->id);
                       }).value();
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(evidence.at("channel"), channel.str());
    EXPECT_EQ(evidence.at("seq"), kept[0].seq);
}

// What isn't proven to be a server's own counts against nobody.
TEST_F(ConductTest, NobodyCanRuinAnothersStandingWithForgedRequests)
{
    a.forger = c.identity.key;
    fell(10 * trust::faults_a_day);
    const auto first = message();
    const auto txn = protocol::parse_channel_event(first.event, b.identity.names)->txn;
    hand_in(b, a, channel, {first});
    hand_in(b, a, channel,
            {b.event(channel, {"message.create", "bob@b.example", R"({"text":"other"})", txn})});
    a.forger.reset();
    EXPECT_EQ(tier(a, b), Tier::guest);
    EXPECT_EQ(tier(a, c), Tier::guest);

    // Another history of b's, signed by c: as c's own root, and with b's name on it.
    const auto by = [&](const ServerName& name, const protocol::SigningKey& key) {
        return protocol::make_jws(key, name, "entente-root", "{}");
    };
    a.conduct->forked(*a.ring, b.identity.name, by(c.identity.name, c.identity.key), channel, 1);
    a.conduct->forked(*a.ring, b.identity.name, by(b.identity.name, c.identity.key), channel, 1);
    a.conduct->forked(*a.ring, b.identity.name, "no root", channel, 1);
    EXPECT_EQ(tier(a, b), Tier::guest);
    EXPECT_TRUE(falls(a).empty());
    a.conduct->forked(*a.ring, b.identity.name, by(b.identity.name, b.identity.key), channel, 1);
    EXPECT_EQ(tier(a, b), Tier::quarantined);
}

TEST_F(ConductTest, WhatTimeOrStateMakesWrongIsNoFault)
{
    for (int i = 0; i < 3 * trust::faults_a_day; ++i) {
        // No member, no such channel, another one's message.
        hand_in(c, a, channel, {c.event(channel, {"message.create", "carol@c.example", hello})});
        const auto result =
            hand_in(b, a, channel, {b.event(channel, {"message.create", "eve@b.example", hello})});
        EXPECT_EQ(result.at(0).problem->code, Code::not_member);
        // Long on its way.
        protocol::EventDraft draft;
        draft.type = "invite";
        draft.to = "alice@a.example";
        draft.sender = "b.example";
        draft.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
        draft.at = servers.world.clock.now_ms() - direct_memory_ms - 1;
        draft.content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw"})";
        protocol::OutgoingTransaction transaction;
        transaction.direct = {{protocol::write_event(draft), draft.content}};
        EXPECT_EQ(a.receive(b, transaction).direct.at(0).problem->code, Code::malformed);
    }
    EXPECT_TRUE(falls(a).empty());
    EXPECT_EQ(tier(a, b), Tier::guest);
    EXPECT_EQ(tier(a, c), Tier::guest);
}

TEST_F(ConductTest, AHundredAcceptedEventsAndSevenDaysMakeAGuestKnown)
{
    const auto send = [&](int events) {
        std::vector<EventAndContent> made;
        for (int i = 0; i < events; ++i) made.push_back(message());
        hand_in(b, a, channel, std::move(made));
    };
    // Its join is among them.
    send(97);
    servers.world.clock.now += storage::AcceptedCounts::longest_ms;
    send(1);
    servers.world.clock.now += 7 * day_ms;
    EXPECT_EQ(tier(a, b), Tier::guest) << "99 events";
    send(1);
    servers.world.clock.now += storage::AcceptedCounts::longest_ms;
    send(1);
    EXPECT_EQ(tier(a, b), Tier::known);
    EXPECT_EQ(reason(a, b), Reason::earned);
    a.restart();
    EXPECT_EQ(tier(a, b), Tier::known);
    EXPECT_EQ(tier(a, c), Tier::guest);

    fell(trust::faults_a_day + 1);
    EXPECT_EQ(tier(a, b), Tier::quarantined);
    servers.world.clock.now += day_ms;
    EXPECT_EQ(tier(a, b), Tier::guest) << "a fall bars from known";
    ASSERT_TRUE(servers.world.run(a.conduct->pardon(operators_mandate(), b.identity.name)).value());
    EXPECT_EQ(tier(a, b), Tier::known);
}

TEST_F(ConductTest, AFallIsToldAndKeptOverARestart)
{
    fell(trust::faults_a_day + 1);
    ASSERT_EQ(falls(a).size(), 1U);
    ASSERT_EQ(a.conduct_log.lines.size(), 1U);
    EXPECT_EQ(a.conduct_log.lines[0].fields.at("server"), "b.example");
    EXPECT_EQ(a.conduct_log.lines[0].fields.at("offence"), "unentitled");
    a.restart();
    EXPECT_EQ(tier(a, b), Tier::quarantined);
    EXPECT_TRUE(servers.world.run(a.conduct->pardon(operators_mandate(), b.identity.name)).value());
    EXPECT_FALSE(
        servers.world.run(a.conduct->pardon(operators_mandate(), b.identity.name)).value());
    EXPECT_EQ(tier(a, b), Tier::guest);
    a.restart();
    EXPECT_EQ(tier(a, b), Tier::guest);
}

// [KEY-4]
TEST_F(ConductTest, AKeyConflictFellsUntilItEndsAndNothingElseIsPardonedByThat)
{
    auto pins = *a.ring->find(b.identity.name);
    pins.conflict = true;
    const auto proof = trust::Proof::of_conflict(pins, "{}").value();
    const auto end = [&] {
        a.conduct->conflict_ended(b.identity.name);
        return falls(a).size();
    };
    a.conduct->noticed(Offence::key_conflict, proof);
    ASSERT_EQ(falls(a).size(), 1U);
    EXPECT_EQ(tier(a, b), Tier::quarantined);
    EXPECT_EQ(end(), 0U);
    EXPECT_EQ(tier(a, b), Tier::guest);

    fell(trust::faults_a_day + 1);
    EXPECT_EQ(end(), 1U);
    EXPECT_EQ(tier(a, b), Tier::quarantined);
}

TEST_F(ConductTest, TheAdministratorsWordIsKeptOverARestartAndTakenBack)
{
    auto& world = servers.world;
    const auto& name = b.identity.name;
    ASSERT_TRUE(world.run(
        a.conduct->put(operators_mandate(), Source::list, {name, Tier::blocked, "spam", 1})));
    EXPECT_EQ(tier(a, b), Tier::blocked);
    ASSERT_TRUE(world.run(
        a.conduct->put(operators_mandate(), Source::administrator, {name, Tier::trusted, "", 1})));
    a.restart();
    EXPECT_EQ(tier(a, b), Tier::trusted);
    fell(trust::faults_a_day + 1);
    EXPECT_EQ(falls(a).size(), 1U) << "it is told all the same";
    EXPECT_EQ(tier(a, b), Tier::trusted);
    EXPECT_TRUE(
        world.run(a.conduct->drop(operators_mandate(), Source::administrator, name)).value());
    EXPECT_FALSE(
        world.run(a.conduct->drop(operators_mandate(), Source::administrator, name)).value());
    EXPECT_EQ(tier(a, b), Tier::blocked);
    a.restart();
    EXPECT_EQ(tier(a, b), Tier::blocked);
}

TEST_F(ConductTest, TheAdministratorsWordIsInTheAuditLogOnceAndAListsIsnt)
{
    auto& world = servers.world;
    const auto& name = b.identity.name;
    ASSERT_TRUE(world.run(
        a.conduct->put(operators_mandate(), Source::list, {name, Tier::blocked, "spam", 1})));
    ASSERT_TRUE(world.run(a.conduct->put(operators_mandate(), Source::administrator,
                                         {name, Tier::guest, "\"so\"", 1})));
    fell(trust::faults_a_day + 1);
    ASSERT_TRUE(world.run(a.conduct->pardon(operators_mandate(), name)).value());
    EXPECT_FALSE(world.run(a.conduct->pardon(operators_mandate(), name)).value());
    ASSERT_TRUE(
        world.run(a.conduct->drop(operators_mandate(), Source::administrator, name)).value());
    EXPECT_FALSE(
        world.run(a.conduct->drop(operators_mandate(), Source::administrator, name)).value());
    const auto log = a.read([](storage::Connection& db) {
                          return storage::audit_between(db, 0, 100, 100);
                      }).value();
    ASSERT_EQ(log.size(), 3U);
    const std::vector<std::string> acts{log[0].act, log[1].act, log[2].act};
    EXPECT_EQ(acts, (std::vector<std::string>{"trust.set", "trust.pardon", "trust.unset"}));
    EXPECT_EQ(log[0].object, name.str());
    EXPECT_EQ(log[0].actor, storage::audit_operator);
    EXPECT_EQ(log[0].details, R"({"tier":"guest","comment":"\"so\""})");
}

class ImportTest : public ConductTest {
 protected:
    static std::vector<storage::TierEntry> some(const std::string& prefix, std::size_t count,
                                                Tier tier = Tier::blocked)
    {
        std::vector<storage::TierEntry> made;
        for (std::size_t i = 0; i < count; ++i)
            made.push_back(
                {ServerName::trusted(prefix + std::to_string(i) + ".example"), tier, "", 1});
        return made;
    }
    Result<std::size_t> import(const std::string& list, std::vector<storage::TierEntry> entries,
                               bool replaces = false)
    {
        return servers.world.run(
            a.conduct->import(operators_mandate(), {list, std::move(entries), replaces}));
    }
    // Entries of "held" that nobody has imported.
    void hold(std::size_t count)
    {
        const auto sql =
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < " +
            std::to_string(count) +
            ") INSERT INTO tier_entry (source, server, origin, tier, comment, at) "
            "SELECT 1, 'held' || i || '.example', 'held', 0, '', 1 FROM n";
        ASSERT_TRUE(a.write(
            [&](storage::WriteTransaction& transaction) { return transaction.db().execute(sql); }));
        a.restart();
    }
    std::optional<Tier> listed(const std::string& name)
    {
        return a.standings->entry(Source::list, ServerName::trusted(name));
    }
};

TEST_F(ImportTest, AnImportAddsOrReplacesWhatThatListHasSaid)
{
    ASSERT_TRUE(import("one", some("x", 2)));
    ASSERT_TRUE(import("one", some("x", 1, Tier::quarantined)));
    ASSERT_TRUE(import("two", some("y", 2)));
    EXPECT_EQ(listed("x0.example"), Tier::quarantined);
    EXPECT_EQ(listed("x1.example"), Tier::blocked);
    EXPECT_EQ(import("one", some("z", 1), true).value(), 2U);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(listed("x0.example"), std::nullopt);
        EXPECT_EQ(listed("x1.example"), std::nullopt);
        EXPECT_EQ(listed("y1.example"), Tier::blocked) << "another list's";
        EXPECT_EQ(listed("z0.example"), Tier::blocked);
        a.restart();
    }
}

TEST_F(ImportTest, WhomTwoListsNameTheStricterOneDecidesAndBothMustLetGo)
{
    ASSERT_TRUE(import("mild", some("x", 1, Tier::quarantined)));
    ASSERT_TRUE(import("strict", some("x", 1)));
    ASSERT_TRUE(import("mild", some("x", 1, Tier::quarantined)));
    EXPECT_EQ(listed("x0.example"), Tier::blocked);
    a.restart();
    EXPECT_EQ(listed("x0.example"), Tier::blocked);
    EXPECT_EQ(import("strict", {}, true).value(), 1U);
    EXPECT_EQ(listed("x0.example"), Tier::quarantined);
    EXPECT_EQ(import("mild", {}, true).value(), 1U);
    EXPECT_EQ(listed("x0.example"), std::nullopt);
}

TEST_F(ImportTest, AFullTableTakesOtherNamesInTheOldOnesPlaceAndNoneBeyond)
{
    constexpr std::size_t replaced = 1'200;
    hold(trust::max_entries - replaced);
    ASSERT_TRUE(import("small", some("old", replaced)));
    const auto refused = import("small", some("new", 1));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::too_large);
    EXPECT_EQ(import("small", some("new", replaced + 1), true).error().code, Code::too_large);
    EXPECT_EQ(listed("new0.example"), std::nullopt);
    EXPECT_EQ(listed("old0.example"), Tier::blocked);

    EXPECT_EQ(import("small", some("new", replaced), true).value(), replaced);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(a.standings->entries_of(Source::list).size(), trust::max_entries);
        EXPECT_EQ(listed("old0.example"), std::nullopt);
        EXPECT_EQ(listed("new1199.example"), Tier::blocked);
        a.restart();
    }
}

TEST_F(ImportTest, MoreEntriesThanThereIsRoomForAreToldAndKeepNobodyFromStarting)
{
    hold(trust::max_entries + 1);
    EXPECT_EQ(a.standings->entries_of(Source::list).size(), trust::max_entries);
    ASSERT_FALSE(a.conduct_log.lines.empty());
    EXPECT_EQ(a.conduct_log.lines.back().fields.at("entries"), "1");
}

TEST_F(ImportTest, TheAuditLogHasAnImportsBeginningAndEndAndNoneThatWasRefused)
{
    const auto log = [&] {
        return a
            .read([](storage::Connection& db) { return storage::audit_between(db, 0, 100, 100); })
            .value();
    };
    hold(trust::max_entries - 1);
    ASSERT_FALSE(import("one", some("x", 2)));
    EXPECT_TRUE(log().empty());
    ASSERT_TRUE(import("one", some("x", 1)));
    ASSERT_TRUE(import("one", some("y", 1), true));
    const auto kept = log();
    ASSERT_EQ(kept.size(), 4U);
    EXPECT_EQ(kept[2].act, "trust.import");
    EXPECT_EQ(kept[2].object, "one");
    EXPECT_EQ(kept[2].details, R"({"replace":true})");
    EXPECT_EQ(kept[3].act, "trust.imported");
    EXPECT_EQ(kept[3].details, R"({"entries":1,"dropped":1})");
}

// A list of 100,000 must not wake 100,000 links.
TEST_F(ImportTest, OnlyWhoIsBlockedOrFreedByItIsTold)
{
    std::vector<ServerName> told;
    a.on_moved = [&](const std::vector<ServerName>& moved) {
        told.insert(told.end(), moved.begin(), moved.end());
    };
    ASSERT_TRUE(import("one", some("mild", 2, Tier::quarantined)));
    EXPECT_TRUE(told.empty());
    ASSERT_TRUE(import("one", some("mild", 1), true));
    EXPECT_EQ(told, std::vector{ServerName::trusted("mild0.example")});
    ASSERT_TRUE(import("one", {}, true));
    EXPECT_EQ(told.size(), 2U);
}

}  // namespace
}  // namespace entente::federation::log_rig
