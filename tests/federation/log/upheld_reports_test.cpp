// What upheld reports do to a server's standing: only what its own signature proves, three
// reporters of three messages in a week, and one alone never.
#include "federation/conduct/upheld_reports.hpp"

#include <memory>

#include <nlohmann/json.hpp>

#include "protocol/entry_proof.hpp"
#include "protocol/octets.hpp"
#include "storage/report_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::day_ms;
using trust::Offence;
using trust::Tier;

// What counts upheld reports on a server, until that is restarted.
struct Way {
    explicit Way(Server& at)
        : prover({at.identity, *at.ring, *at.commits, at.world.clock}),
          passing({at.identity, *at.store, *at.index, prover, *at.commits, at.world.clock,
                   at.world.random, [](const ServerName&) {}}),
          upheld({at.identity, *at.ring, passing, *at.conduct})
    {
    }
    LogProver prover;
    LocalReportPassing passing;
    LocalUpheldReports upheld;
};

class Upheld : public ::testing::Test {
 protected:
    Upheld() : channel(shared_channel(a, b)) {}

    // A message of bob's that a.example has too.
    Hash say(const std::string& text)
    {
        const auto posted = b.post("bob", channel, text);
        EXPECT_TRUE(posted);
        settle_all(a, b);
        return posted->event_id;
    }
    Report report_of(const Hash& event) { return {b.user("bob"), channel, event, "rude"}; }
    // A result that spawning can hold: a proof has no default.
    using Shared = std::shared_ptr<Result<trust::Proof>>;
    static asio::awaitable<Shared> shared(asio::awaitable<Result<trust::Proof>> task)
    {
        auto proof = co_await std::move(task);
        co_return std::make_shared<Result<trust::Proof>>(std::move(proof));
    }
    Result<trust::Proof> evidence(const Report& report)
    {
        Way way(a);
        return *servers.world.run(shared(way.upheld.evidence(report)));
    }
    // A report by `reporter` about a message, closed as upheld now.
    void uphold(const std::string& reporter, const Hash& event)
    {
        const auto proof = evidence(report_of(event));
        ASSERT_TRUE(proof) << proof.error().detail;
        Way way(a);
        const auto now = servers.world.clock.now_ms();
        auto done = a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            storage::ReportRow row;
            row.origin = a.identity.name.str();
            row.sender = reporter;
            row.event = protocol::to_base64url(event);
            auto& db = transaction.db();
            if (auto put = storage::put_report(db, row, row.origin); !put) return put;
            const auto id = storage::reports_after(db, 0, 100)->back().id;
            auto closed = storage::close_report(db, id, "upheld", "mod", now);
            return closed ? way.upheld.count(transaction, *proof, id, now) : closed;
        });
        ASSERT_TRUE(done) << done.error().detail;
    }
    Tier tier() { return a.standings->tier_of(b.identity.name, servers.world.clock.now_ms()); }
    std::vector<storage::FallRow> falls()
    {
        return a
            .read([](storage::Connection& db) { return storage::falls(db, std::nullopt, 0, 100); })
            .value();
    }
    void wait(protocol::Millis time) { servers.world.clock.now += time; }
    // b has been here for long.
    void earn()
    {
        ASSERT_TRUE(a.write([&](storage::WriteTransaction& transaction) {
            return storage::put_standing(transaction.db(), b.identity.name,
                                         {servers.world.clock.now_ms() - 30 * day_ms, 1'000, 0, 0});
        }));
        a.restart();
        ASSERT_EQ(tier(), Tier::known);
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
};

TEST_F(Upheld, ThreeReportersOfThreeMessagesAreAFallWithItsEvidence)
{
    uphold("alice", say("one"));
    uphold("dave", say("two"));
    EXPECT_EQ(tier(), Tier::guest);
    EXPECT_TRUE(falls().empty());
    const auto last = say("three, and rude");
    uphold("erin", last);
    EXPECT_EQ(tier(), Tier::quarantined);
    ASSERT_EQ(falls().size(), 1U);
    const auto fall = falls()[0].fall;
    EXPECT_EQ(fall.offence, Offence::upheld_report);
    EXPECT_EQ(fall.server, b.identity.name);
    EXPECT_EQ(fall.until, servers.world.clock.now_ms() + day_ms);
    ASSERT_EQ(a.conduct_log.lines.size(), 1U);
    EXPECT_EQ(a.conduct_log.lines[0].fields.at("offence"), "upheld-report");

    // Whoever has the key that is pinned for b can judge it.
    const auto shown = nlohmann::json::parse(fall.evidence).at("shown").get<std::string>();
    const auto proof =
        protocol::parse_entry_proof(protocol::from_base64url(shown).value(), a.identity.names);
    ASSERT_TRUE(proof);
    const auto proven =
        protocol::verify_entry_proof(*proof, {b.identity.key_ref()}, a.identity.names);
    ASSERT_TRUE(proven);
    EXPECT_TRUE(proven->author && proven->author->is_given);
    EXPECT_EQ(proven->followed.event.id, last);
    EXPECT_NE(proof->content->find("three, and rude"), std::string::npos);

    // They are spent: after the fall it takes three others.
    wait(day_ms);
    EXPECT_EQ(tier(), Tier::guest);
    uphold("frank", say("four"));
    EXPECT_EQ(tier(), Tier::guest);
    a.restart();
    EXPECT_EQ(falls().size(), 1U);
}

TEST_F(Upheld, OneReporterAloneOfManyMessages)
{
    for (int i = 0; i < 10; ++i) uphold("alice", say("message " + std::to_string(i)));
    EXPECT_EQ(tier(), Tier::guest);
    EXPECT_TRUE(falls().empty());
}

TEST_F(Upheld, ManyReportersOfOneMessage)
{
    const auto event = say("the same");
    for (const auto* reporter : {"alice", "dave", "erin", "frank"}) uphold(reporter, event);
    EXPECT_EQ(tier(), Tier::guest);
    EXPECT_TRUE(falls().empty());
}

TEST_F(Upheld, WhatIsOlderThanAWeekDoesntFell)
{
    uphold("alice", say("one"));
    uphold("dave", say("two"));
    wait(trust::upheld_window_ms);
    uphold("erin", say("three"));
    EXPECT_TRUE(falls().empty()) << "the first is a week old";
    wait(trust::upheld_window_ms - 1);
    uphold("frank", say("four"));
    EXPECT_TRUE(falls().empty());
    uphold("grace", say("five"));
    EXPECT_EQ(falls().size(), 1U) << "the third is younger";
}

TEST_F(Upheld, OneBarsFromKnownForThirtyDaysOverARestart)
{
    const auto event = say("one");
    earn();
    uphold("alice", event);
    EXPECT_EQ(tier(), Tier::guest);
    a.restart();
    EXPECT_EQ(tier(), Tier::guest);
    wait(trust::upheld_bars_ms - 1);
    EXPECT_EQ(tier(), Tier::guest);
    wait(1);
    EXPECT_EQ(tier(), Tier::known);
}

TEST_F(Upheld, APardonTakesItBack)
{
    const auto event = say("one");
    earn();
    uphold("alice", event);
    EXPECT_EQ(tier(), Tier::guest);
    EXPECT_TRUE(servers.world.run(a.conduct->pardon(operators_mandate(), b.identity.name)).value());
    EXPECT_EQ(tier(), Tier::known);
    a.restart();
    EXPECT_EQ(tier(), Tier::known);
}

TEST_F(Upheld, OnlyWhatTheServersOwnKeyHasSignedIsEvidence)
{
    const auto event = say("mine");
    ASSERT_TRUE(evidence(report_of(event)));
    auto of_alice = report_of(event);
    of_alice.user = b.user("carol");
    EXPECT_EQ(evidence(of_alice).error().code, Code::conflict) << "somebody else wrote it";
    EXPECT_EQ(evidence(report_of(protocol::sha256("x"))).error().code, Code::not_found);
    // Whoever has stolen a revoked key may have signed it.
    auto pins = *a.ring->find(b.identity.name);
    for (auto& key : pins.keys) key.status = trust::KeyStatus::revoked;
    a.ring->load(pins);
    EXPECT_FALSE(evidence(report_of(event)));
}

}  // namespace
}  // namespace entente::federation::log_rig
