// What servers make of themselves by what they send: falls by what is proven alone, each limit
// from both sides, what is earned, and the administrator's word over a restart.
#include "federation/conduct.hpp"

#include <nlohmann/json.hpp>

#include "federation/channel_changes.hpp"
#include "protocol/jws.hpp"
#include "storage/audit_store.hpp"
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

TEST_F(ConductTest, TwoEventsUnderOneTxnFellAtOnce)
{
    const auto first = message();
    const auto txn = protocol::parse_channel_event(first.event, b.identity.names)->txn;
    const auto other =
        b.event(channel, {"message.create", "bob@b.example", R"({"text":"other"})", txn});
    ASSERT_EQ(hand_in(b, a, channel, {first}).at(0).status, ItemStatus::accepted);
    EXPECT_EQ(hand_in(b, a, channel, {first}).at(0).status, ItemStatus::duplicate);
    EXPECT_EQ(tier(a, b), Tier::guest);
    ASSERT_EQ(hand_in(b, a, channel, {other}).at(0).problem->code, Code::equivocation);
    EXPECT_EQ(tier(a, b), Tier::quarantined);
    ASSERT_EQ(falls(a).size(), 1U);
    EXPECT_EQ(falls(a)[0].offence, Offence::equivocation);
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
    a.conduct->forked(*a.ring, b.identity.name, by(c.identity.name, c.identity.key));
    a.conduct->forked(*a.ring, b.identity.name, by(b.identity.name, c.identity.key));
    a.conduct->forked(*a.ring, b.identity.name, "no root");
    EXPECT_EQ(tier(a, b), Tier::guest);
    EXPECT_TRUE(falls(a).empty());
    a.conduct->forked(*a.ring, b.identity.name, by(b.identity.name, b.identity.key));
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
    ASSERT_TRUE(servers.world.run(a.conduct->pardon(b.identity.name)).value());
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
    EXPECT_TRUE(servers.world.run(a.conduct->pardon(b.identity.name)).value());
    EXPECT_FALSE(servers.world.run(a.conduct->pardon(b.identity.name)).value());
    EXPECT_EQ(tier(a, b), Tier::guest);
    a.restart();
    EXPECT_EQ(tier(a, b), Tier::guest);
}

// [KEY-4]
TEST_F(ConductTest, AKeyConflictFellsUntilItEndsAndNothingElseIsPardonedByThat)
{
    auto pins = *a.ring->find(b.identity.name);
    pins.conflict = true;
    const auto proof = trust::Proof::of_conflict(pins).value();
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
    ASSERT_TRUE(world.run(a.conduct->put(Source::list, {name, Tier::blocked, "spam", 1})));
    EXPECT_EQ(tier(a, b), Tier::blocked);
    ASSERT_TRUE(world.run(a.conduct->put(Source::administrator, {name, Tier::trusted, "", 1})));
    a.restart();
    EXPECT_EQ(tier(a, b), Tier::trusted);
    fell(trust::faults_a_day + 1);
    EXPECT_EQ(falls(a).size(), 1U) << "it is told all the same";
    EXPECT_EQ(tier(a, b), Tier::trusted);
    EXPECT_TRUE(world.run(a.conduct->drop(Source::administrator, name)).value());
    EXPECT_FALSE(world.run(a.conduct->drop(Source::administrator, name)).value());
    EXPECT_EQ(tier(a, b), Tier::blocked);
    a.restart();
    EXPECT_EQ(tier(a, b), Tier::blocked);
}

TEST_F(ConductTest, TheAdministratorsWordIsInTheAuditLogOnceAndAListsIsnt)
{
    auto& world = servers.world;
    const auto& name = b.identity.name;
    ASSERT_TRUE(world.run(a.conduct->put(Source::list, {name, Tier::blocked, "spam", 1})));
    ASSERT_TRUE(world.run(a.conduct->put(Source::administrator, {name, Tier::guest, "\"so\"", 1})));
    fell(trust::faults_a_day + 1);
    ASSERT_TRUE(world.run(a.conduct->pardon(name)).value());
    EXPECT_FALSE(world.run(a.conduct->pardon(name)).value());
    ASSERT_TRUE(world.run(a.conduct->drop(Source::administrator, name)).value());
    EXPECT_FALSE(world.run(a.conduct->drop(Source::administrator, name)).value());
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

TEST_F(ConductTest, AnImportAddsOrReplacesAndOneThatHasNoRoomChangesNothing)
{
    auto& world = servers.world;
    const auto entry = [](const std::string& name, Tier tier) {
        return storage::TierEntry{ServerName::trusted(name), tier, "", 1};
    };
    const auto of = [&](const std::string& name) {
        return a.standings->entry(Source::list, ServerName::trusted(name));
    };
    ASSERT_TRUE(world.run(a.conduct->import(
        {entry("b.example", Tier::blocked), entry("x.example", Tier::blocked)}, false)));
    ASSERT_TRUE(world.run(a.conduct->import(
        {entry("b.example", Tier::quarantined), entry("y.example", Tier::blocked)}, false)));
    EXPECT_EQ(of("b.example"), Tier::quarantined);
    EXPECT_EQ(of("x.example"), Tier::blocked);
    ASSERT_TRUE(world.run(a.conduct->import({entry("y.example", Tier::quarantined)}, true)));
    a.restart();
    EXPECT_EQ(of("b.example"), std::nullopt);
    EXPECT_EQ(of("x.example"), std::nullopt);
    EXPECT_EQ(of("y.example"), Tier::quarantined);

    std::vector<storage::TierEntry> many;
    for (std::size_t i = 0; i < trust::max_entries; ++i)
        many.push_back(entry("s" + std::to_string(i) + ".example", Tier::blocked));
    const auto refused = world.run(a.conduct->import(std::move(many), false));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::too_large);
    EXPECT_EQ(of("s0.example"), std::nullopt);
    EXPECT_EQ(of("y.example"), Tier::quarantined);
}

}  // namespace
}  // namespace entente::federation::log_rig
