// Reports with the proof of what they are about [INBOX-15]: made by the reporter's server, judged
// by the author's.
#include "federation/conduct/report_passing.hpp"
#include "federation/people/reports.hpp"
#include "storage/report_store.hpp"
#include "tests/federation/log/people_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;

class ReportProof : public ::testing::Test {
 protected:
    ReportProof() { channel = shared_channel(a.server, b.server, "all"); }

    // A message of bob's that a.example has too; its id.
    Hash say(const std::string& text)
    {
        const auto posted = b.server.post("bob", channel, text);
        EXPECT_TRUE(posted);
        settle_all(a.server, b.server);
        return posted->event_id;
    }
    Report report_of(const Hash& event) { return {b.server.user("bob"), channel, event, "rude"}; }
    LocalReportPassing passing()
    {
        return LocalReportPassing(
            {a.server.identity, *a.server.store, *a.server.index, prover, *a.server.commits,
             a.server.world.clock, a.server.world.random,
             [this](const ServerName& peer) { woken.push_back(peer.str()); }});
    }
    Result<ProvenReport> prove(const Report& report, bool with_content = true)
    {
        auto way = passing();
        return servers.world.run(way.prove(report, with_content));
    }
    protocol::EventResult receive(const ProvenReport& report)
    {
        protocol::OutgoingTransaction transaction;
        transaction.direct.push_back({report.direct.event, report.direct.content});
        return b.server.receive(a.server, transaction).direct.at(0);
    }
    // As `report` is, with its proof changed or its members others.
    protocol::EventResult receive_changed(const Report& report, const std::string& proof)
    {
        auto changed = report;
        changed.proof = proof;
        protocol::EventDraft draft;
        draft.type = "report";
        draft.to = "b.example";
        draft.sender = "a.example";
        draft.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
        draft.at = servers.world.clock.now_ms();
        draft.content = write_report(changed, "AAECAwQFBgcICQoLDA0ODw");
        protocol::OutgoingTransaction transaction;
        transaction.direct.push_back({protocol::write_event(draft), draft.content});
        return b.server.receive(a.server, transaction).direct.at(0);
    }
    std::string proof_in(const ProvenReport& report)
    {
        return parse_report(report.direct.content, {}).value().proof;
    }
    std::vector<storage::ReportRow> reports_at_b()
    {
        return b.server
            .read([](storage::Connection& db) { return storage::reports_after(db, 0, 10'000); })
            .value();
    }

    TwoPeopleServers two;
    Servers& servers = two.servers;
    PeopleServer& a = two.a;
    PeopleServer& b = two.b;
    ChannelId channel;
    LogProver prover{{a.server.identity, *a.server.ring, *a.server.commits, a.server.world.clock}};
    std::vector<std::string> woken;
};

// [INBOX-15]
TEST_F(ReportProof, TheAuthorsServerTakesAProofThatItsOwnKeySigned)
{
    const auto event = say("something rude");
    const auto report = report_of(event);
    const auto proven = prove(report);
    ASSERT_TRUE(proven) << proven.error().detail;
    EXPECT_TRUE(proven->with_content);
    ASSERT_TRUE(a.server.write([&](storage::WriteTransaction& transaction) {
        return passing().pass(transaction, *proven);
    }));
    EXPECT_EQ(woken, std::vector<std::string>{"b.example"});
    const auto result = a.deliver().value().direct;
    ASSERT_EQ(result.size(), 1U);
    EXPECT_EQ(result[0].status, ItemStatus::accepted);
    ASSERT_EQ(reports_at_b().size(), 1U);
    const auto row = reports_at_b()[0];
    EXPECT_TRUE(row.is_proven);
    EXPECT_EQ(row.event, protocol::to_base64url(event));
    const auto text = b.server.read(
        [&](storage::Connection& db) { return storage::proof_of_report(db, row.id); });
    EXPECT_EQ(text.value(), proof_in(*proven));
}

// [INBOX-15]
TEST_F(ReportProof, OneThatDoesntHoldOrIsOfSomethingElseIsRefusedWithItsReport)
{
    const auto event = say("something rude");
    const auto other = say("something else");
    const auto report = report_of(event);
    const auto proof = proof_in(prove(report).value());
    const auto refused = [&](const Report& about, const std::string& text) {
        const auto result = receive_changed(about, text);
        return result.status == ItemStatus::rejected && result.problem->code == Code::malformed;
    };
    auto changed = proof;
    changed.replace(changed.find("something rude"), 14, "something nice");
    EXPECT_TRUE(refused(report, changed));
    EXPECT_TRUE(refused(report, "{}"));
    EXPECT_TRUE(refused(report_of(other), proof)) << "of another event";
    auto of_carol = report;
    of_carol.user = UserId::trusted("carol@b.example");
    EXPECT_FALSE(receive_changed(of_carol, proof).status == ItemStatus::accepted);
    auto without_event = report;
    without_event.event.reset();
    EXPECT_TRUE(refused(without_event, proof));
    auto elsewhere = report;
    elsewhere.channel = ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example");
    EXPECT_TRUE(refused(elsewhere, proof));
    // A seal that somebody else made in this server's name.
    auto parsed = protocol::parse_entry_proof(proof, {}).value();
    auto forged = parsed;
    for (auto& key : forged.keys)
        if (key.server == b.server.identity.name) key.key = a.server.identity.key.public_key();
    EXPECT_TRUE(refused(report, protocol::write_entry_proof(forged)));
    EXPECT_TRUE(reports_at_b().empty());
    EXPECT_EQ(receive_changed(report, proof).status, ItemStatus::accepted);
}

// A proof costs signatures and hashes, which the one writer has no time for.
TEST_F(ReportProof, IsJudgedBeforeTheWriterSeesItByTheKeysThatAreGiven)
{
    auto report = report_of(say("something rude"));
    const auto made = prove(report).value();
    protocol::Read<protocol::EventAndContent> read;
    read.value = protocol::EventAndContent{made.direct.event, made.direct.content};
    const auto check = [&](const std::vector<KeyRef>& own) {
        return b.server.direct->check(read, a.server.identity.name, own);
    };
    EXPECT_TRUE(check(own_key_refs(b.server.identity)).event);
    const KeyRef another{b.server.identity.name, a.server.identity.key.id()};
    for (const auto& own : {std::vector<KeyRef>{}, std::vector<KeyRef>{another}}) {
        const auto judged = check(own);
        EXPECT_FALSE(judged.event);
        EXPECT_NE(judged.problem.code, Code::internal);
        EXPECT_TRUE(judged.depends_on_time) << "so it is no fault of who sent it";
    }
    EXPECT_TRUE(reports_at_b().empty());
}

TEST_F(ReportProof, OnlyWhatTheUserWroteAndThisServerHoldsIsProven)
{
    const auto event = say("mine");
    auto of_alice = report_of(event);
    of_alice.user = a.server.user("alice");
    EXPECT_EQ(prove(of_alice).error().code, Code::conflict);
    auto unknown = report_of(protocol::sha256("nothing"));
    EXPECT_EQ(prove(unknown).error().code, Code::not_found);
    auto elsewhere = report_of(event);
    elsewhere.channel = ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example");
    EXPECT_EQ(prove(elsewhere).error().code, Code::not_found);
    const auto other = shared_channel(a.server, b.server, "all");
    elsewhere.channel = other;
    EXPECT_EQ(prove(elsewhere).error().code, Code::not_found) << "it stands in another channel";
}

TEST_F(ReportProof, AContentThatDoesntFitIsLeftOut)
{
    const auto small = prove(report_of(say(std::string(40'000, 'x'))));
    ASSERT_TRUE(small) << small.error().detail;
    EXPECT_TRUE(small->with_content);
    EXPECT_EQ(receive(*small).status, ItemStatus::accepted);
    const auto large = prove(report_of(say(std::string(50'000, 'x'))));
    ASSERT_TRUE(large) << large.error().detail;
    EXPECT_FALSE(large->with_content);
    EXPECT_EQ(receive(*large).status, ItemStatus::accepted);
    EXPECT_FALSE(prove(report_of(say("short")), false)->with_content);
    EXPECT_EQ(reports_at_b().size(), 2U);
}

// [INBOX-15]
TEST_F(ReportProof, AHundredWithAProofAreOpenAtMost)
{
    const auto event = say("something rude");
    const auto report = report_of(event);
    const auto proof = proof_in(prove(report).value());
    ASSERT_TRUE(b.server.write([](storage::WriteTransaction& transaction) -> Result<void> {
        for (std::int64_t i = 0; i + 1 < storage::max_proven_reports; ++i) {
            storage::ReportRow row;
            row.origin = "a.example";
            row.proof = "{}";
            auto put = storage::put_report(transaction.db(), row, "b.example");
            if (!put) return put;
        }
        return {};
    }));
    EXPECT_EQ(receive_changed(report, proof).status, ItemStatus::accepted);
    EXPECT_EQ(receive_changed(report, proof).problem->code, Code::forbidden);
    EXPECT_EQ(receive_changed(report, "").status, ItemStatus::accepted) << "without one";
}

}  // namespace
}  // namespace entente::federation::log_rig
