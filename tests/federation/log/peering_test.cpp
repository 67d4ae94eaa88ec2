// Peerings between two servers: both must want one, either ends it, and nobody is moved by words of
// others, of yesterday, or from quarantine.
#include "federation/conduct/peering.hpp"

#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;
using trust::Reason;
using trust::Source;
using trust::Tier;

// One administrator's side.
class Side {
 public:
    explicit Side(Server& server) : server_(server) { open(); }
    void restart()
    {
        peering_.reset();
        server_.restart();
        open();
    }
    Result<storage::PeeringRow> propose(const Server& to)
    {
        return server_.world.run(
            peering_->say(operators_mandate(), to.identity.name, Peering::Wish::propose));
    }
    Result<storage::PeeringRow> accept(const Server& to)
    {
        return server_.world.run(
            peering_->say(operators_mandate(), to.identity.name, Peering::Wish::accept));
    }
    Result<storage::PeeringRow> end(const Server& to)
    {
        return server_.world.run(
            peering_->say(operators_mandate(), to.identity.name, Peering::Wish::end));
    }
    trust::Verdicted verdict(const Server& of)
    {
        return server_.standings->explain(of.identity.name, false, server_.world.clock.now_ms());
    }
    bool trusts(const Server& of) { return verdict(of).tier == Tier::trusted; }
    bool is_blocked(const ServerName& of)
    {
        return server_.standings->tier_of(of, server_.world.clock.now_ms()) == Tier::blocked;
    }
    void set_mode(trust::Mode mode)
    {
        server_.mode = mode;
        restart();
    }

    HeardLog log;
    std::vector<std::pair<ServerName, bool>> urged;  // and whether it was blocked then

 private:
    void open()
    {
        peering_ = std::make_unique<Peering>(PeeringParts{
            server_.identity, *server_.store, *server_.commits, *server_.standings, log,
            server_.world.clock, server_.world.random,
            [this](const ServerName& server) { urged.emplace_back(server, is_blocked(server)); }});
        server_.direct_refused = [this](storage::WriteTransaction& transaction,
                                        const storage::DirectRow& row, Code problem) {
            return peering_->refused(transaction, row, problem);
        };
        server_.direct->handle(
            std::string(peering_type),
            [this](storage::WriteTransaction& transaction, const VerifiedDirect& word,
                   const ServerName& origin) { return peering_->take(transaction, word, origin); });
        EXPECT_TRUE(server_.world.run(peering_->load()));
    }

    Server& server_;
    std::unique_ptr<Peering> peering_;
};

class PeeringTest : public ::testing::Test {
 protected:
    void send_all() { settle_all(a, b); }
    // As links and gates have it: nothing from or to whom is blocked.
    static void pass(Server& from, Server& to)
    {
        const auto now = from.world.clock.now_ms();
        to.tier = to.standings->tier_of(from.identity.name, now);
        const auto back = from.standings->tier_of(to.identity.name, now);
        if (to.tier == Tier::blocked || back == Tier::blocked) return;
        EXPECT_TRUE(exchange(from, to));
    }
    // A word of b's as it would travel.
    protocol::EventResult hear(const std::string& members, const std::string& sender = "b.example",
                               Millis ago = 0)
    {
        protocol::EventDraft draft;
        draft.type = "peering";
        draft.to = "a.example";
        draft.sender = sender;
        draft.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
        draft.at = servers.world.clock.now_ms() - ago;
        draft.content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw")" + members + "}";
        protocol::OutgoingTransaction transaction;
        transaction.direct = {{protocol::write_event(draft), draft.content}};
        return a.receive(b, transaction).direct.at(0);
    }
    void agree()
    {
        ASSERT_TRUE(one.propose(b));
        send_all();
        ASSERT_TRUE(other.accept(a));
        send_all();
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Side one{a}, other{b};
};

// [INBOX-19]
TEST_F(PeeringTest, BothTrustEachOtherOnceBothHaveSaidSo)
{
    ASSERT_TRUE(one.propose(b));
    send_all();
    EXPECT_FALSE(one.trusts(b));
    EXPECT_FALSE(other.trusts(a));
    ASSERT_EQ(other.log.lines.size(), 1U) << "its administrator is told";
    EXPECT_EQ(other.log.lines[0].fields.at("server"), "a.example");

    const auto accepted = other.accept(a);
    ASSERT_TRUE(accepted);
    EXPECT_TRUE(accepted->is_mutual());
    EXPECT_TRUE(other.trusts(a));
    EXPECT_FALSE(one.trusts(b)) << "it hasn't heard yet";
    send_all();
    EXPECT_TRUE(one.trusts(b));
    EXPECT_EQ(one.verdict(b).reason, Reason::peering);
    one.restart();
    other.restart();
    EXPECT_TRUE(one.trusts(b));
    EXPECT_TRUE(other.trusts(a));
}

// [INBOX-19]
TEST_F(PeeringTest, EitherEndsItAndItTakesBothToBeginAnew)
{
    agree();
    ASSERT_TRUE(other.end(a));
    EXPECT_FALSE(other.trusts(a));
    send_all();
    EXPECT_FALSE(one.trusts(b));
    EXPECT_EQ(other.end(a).error().code, Code::not_found);

    ASSERT_TRUE(other.propose(a));
    send_all();
    EXPECT_FALSE(one.trusts(b)) << "what it wanted before counts no more";
    ASSERT_TRUE(one.accept(b));
    send_all();
    EXPECT_TRUE(one.trusts(b));
    EXPECT_TRUE(other.trusts(a));
}

TEST_F(PeeringTest, WhatNobodyHasProposedCantBeAccepted)
{
    EXPECT_EQ(one.accept(b).error().code, Code::conflict);
    EXPECT_EQ(one.end(b).error().code, Code::not_found);
    EXPECT_EQ(one.propose(a).error().code, Code::malformed);
    ASSERT_TRUE(one.propose(b));
    send_all();
    ASSERT_TRUE(one.end(b));
    send_all();
    EXPECT_EQ(other.accept(a).error().code, Code::conflict) << "it was taken back";
}

TEST_F(PeeringTest, TheAdministratorsOwnEntryCountsBeforeIt)
{
    agree();
    ASSERT_TRUE(a.standings->put(Source::list, b.identity.name, Tier::blocked));
    EXPECT_TRUE(one.trusts(b));
    ASSERT_TRUE(a.standings->put(Source::administrator, b.identity.name, Tier::quarantined));
    EXPECT_EQ(one.verdict(b).reason, Reason::administrator);
    EXPECT_FALSE(one.trusts(b));
}

// [INBOX-19]
TEST_F(PeeringTest, AWordIsTheServersOwnAndWellFormedAndMayComeFromQuarantine)
{
    const auto refused = [&](const protocol::EventResult& result) {
        return result.status == ItemStatus::rejected ? result.problem->code : Code::internal;
    };
    EXPECT_EQ(refused(hear(R"(,"wish":"peer")", "bob@b.example")), Code::forbidden);
    EXPECT_EQ(refused(hear("")), Code::malformed);
    EXPECT_EQ(refused(hear(R"(,"wish":"marry")")), Code::malformed);
    a.tier = Tier::blocked;
    EXPECT_EQ(refused(hear(R"(,"wish":"peer")")), Code::forbidden);
    EXPECT_EQ(one.accept(b).error().code, Code::conflict);
    a.tier = Tier::quarantined;
    EXPECT_EQ(hear(R"(,"wish":"peer")").status, ItemStatus::accepted);
    EXPECT_TRUE(one.accept(b)->is_mutual());
}

// [INBOX-19]
TEST_F(PeeringTest, ServersThatReviewStrangersAgree)
{
    one.set_mode(trust::Mode::reviewed);
    other.set_mode(trust::Mode::reviewed);
    EXPECT_EQ(one.verdict(b).tier, Tier::quarantined);
    pass(a, b);
    ASSERT_TRUE(one.propose(b));
    pass(a, b);
    ASSERT_TRUE(other.accept(a));
    pass(b, a);
    EXPECT_TRUE(one.trusts(b));
    EXPECT_TRUE(other.trusts(a));
}

// Either proposes: who isn't named anywhere is blocked until then, and what was said waits.
// [INBOX-19]
TEST_F(PeeringTest, ServersThatBlockStrangersAgreeOnceBothHaveProposed)
{
    one.set_mode(trust::Mode::allowlist);
    other.set_mode(trust::Mode::allowlist);
    ASSERT_TRUE(one.propose(b));
    EXPECT_EQ(one.verdict(b), (trust::Verdicted{Tier::quarantined, Reason::peering}));
    EXPECT_EQ(one.urged.back(), (std::pair{b.identity.name, false})) << "else it would never go";
    one.restart();
    EXPECT_FALSE(one.is_blocked(b.identity.name));
    pass(a, b);
    EXPECT_TRUE(other.is_blocked(a.identity.name));

    one.urged.clear();
    ASSERT_TRUE(other.propose(a));
    pass(b, a);
    EXPECT_TRUE(one.trusts(b));
    EXPECT_EQ(one.urged.back().first, b.identity.name) << "what was refused yesterday goes now";
    pass(a, b);
    EXPECT_TRUE(other.trusts(a));

    ASSERT_TRUE(one.end(b));
    EXPECT_TRUE(one.is_blocked(b.identity.name));
}

TEST_F(PeeringTest, AServerThatIsBlockedByNameStaysThatWhatIsProposed)
{
    one.set_mode(trust::Mode::allowlist);
    ASSERT_TRUE(a.standings->put(Source::list, b.identity.name, Tier::blocked));
    ASSERT_TRUE(one.propose(b));
    EXPECT_TRUE(one.is_blocked(b.identity.name));
    one.set_mode(trust::Mode::closed);
    EXPECT_TRUE(one.is_blocked(b.identity.name));
}

// [INBOX-19]
TEST_F(PeeringTest, AProposalThatIsRefusedStandsNoMoreAndIsTold)
{
    b.tier = Tier::blocked;
    ASSERT_TRUE(one.propose(b));
    ASSERT_TRUE(exchange(a, b));
    ASSERT_EQ(one.log.lines.size(), 1U);
    EXPECT_EQ(one.log.lines[0].fields.at("server"), "b.example");
    EXPECT_EQ(one.log.lines[0].fields.at("problem"), "forbidden");
    EXPECT_EQ(one.end(b).error().code, Code::not_found);
    // They don't make up with what was refused.
    EXPECT_EQ(hear(R"(,"wish":"peer")").status, ItemStatus::accepted);
    EXPECT_FALSE(one.trusts(b));
    b.tier = Tier::guest;
    ASSERT_TRUE(one.accept(b));
    send_all();
    EXPECT_TRUE(one.trusts(b));
}

// [INBOX-19]
TEST_F(PeeringTest, AnOlderWordThatComesLateChangesNothing)
{
    ASSERT_TRUE(one.propose(b));
    EXPECT_EQ(hear(R"(,"wish":"peer")").status, ItemStatus::accepted);
    EXPECT_TRUE(one.trusts(b));
    EXPECT_EQ(hear(R"(,"wish":"end")", "b.example", 1).status, ItemStatus::accepted);
    EXPECT_TRUE(one.trusts(b));
    EXPECT_EQ(hear(R"(,"wish":"end")", "b.example", 0).status, ItemStatus::accepted);
    EXPECT_FALSE(one.trusts(b));
}

TEST_F(PeeringTest, OpenProposalsAreBoundedAndOnesOfWhomWeWantAreNot)
{
    const auto fill = [&](std::int64_t count) {
        return a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            for (std::int64_t i = 0; i < count; ++i) {
                const auto name = ServerName::trusted("s" + std::to_string(i) + ".example");
                auto put = storage::put_peering(transaction.db(), {name, false, true, 1});
                if (!put) return put;
            }
            return {};
        });
    };
    ASSERT_TRUE(fill(storage::max_open_proposals - 1));
    EXPECT_EQ(hear(R"(,"wish":"peer")").status, ItemStatus::accepted);
    EXPECT_EQ(hear(R"(,"wish":"end")").status, ItemStatus::accepted);
    ASSERT_TRUE(fill(storage::max_open_proposals));
    const auto refused = hear(R"(,"wish":"peer")");
    EXPECT_EQ(refused.status, ItemStatus::rejected);
    EXPECT_EQ(refused.problem->code, Code::forbidden);
    ASSERT_TRUE(one.propose(b));
    EXPECT_EQ(hear(R"(,"wish":"peer")").status, ItemStatus::accepted);
    EXPECT_TRUE(one.trusts(b));
}

}  // namespace
}  // namespace entente::federation::log_rig
