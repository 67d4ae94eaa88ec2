// What another server's users hand in: taken once, whatever is repeated, forged or killed.
#include "tests/e2e/support/forger.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

using protocol::Code;
using protocol::EventAndContent;
using protocol::EventResult;
using protocol::ItemStatus;

class Submissions : public WorldTest {
 protected:
    void SetUp() override
    {
        WorldTest::SetUp();
        open({"a.test"}, {"f.test"});
        alice_ = std::make_unique<Client>(person("a.test", "alice"));
        forger_ = std::make_unique<Forger>(world(), "f.test");
        channel_ = alice_->create_channel("garden");
        alice_->invite(channel_, forger_->user());
        const auto joined = hand_in({forger_->event(channel_, "member.join")});
        ASSERT_EQ(joined.at(0).status, ItemStatus::accepted);
        ASSERT_TRUE(joined.at(0).snapshot.has_value());
        EXPECT_EQ(joined.at(0).snapshot->seq, joined.at(0).seq);
    }

    [[nodiscard]] Node& home() { return node("a.test"); }
    [[nodiscard]] EventAndContent message(const std::string& text, const std::string& txn = "")
    {
        return forger_->event(channel_, "message.create", "\"text\":\"" + text + "\"", txn);
    }
    std::vector<EventResult> hand_in(const std::vector<EventAndContent>& events,
                                     const Forger::Spoil& spoil = {})
    {
        return forger_->deliver(home(), forger_->submission(channel_, events, spoil))
            .submissions.at(0)
            .events;
    }
    void expect_rejected(const EventResult& result, Code code)
    {
        EXPECT_EQ(result.status, ItemStatus::rejected);
        ASSERT_TRUE(result.problem.has_value());
        EXPECT_EQ(result.problem->code, code);
    }
    void kill_and_restart()
    {
        home().kill9();
        home().start();
    }

    std::unique_ptr<Client> alice_;
    std::unique_ptr<Forger> forger_;
    std::string channel_;
};

// [EVT-2] [INBOX-2] [INBOX-3]
TEST_F(Submissions, AnEventIsTakenOnceAndADuplicateEverAfter)
{
    const auto event = message("once");
    const auto first = hand_in({event}).at(0);
    EXPECT_EQ(first.status, ItemStatus::accepted);
    for (const bool killed : {false, true}) {
        if (killed) kill_and_restart();
        const auto again = hand_in({event}).at(0);
        EXPECT_EQ(again.status, ItemStatus::duplicate);
        EXPECT_EQ(again.seq, first.seq);
        EXPECT_EQ(again.event, first.event);
    }
    const auto twice = hand_in({event, event, message("and another")});
    EXPECT_EQ(twice.at(0).seq, first.seq);
    EXPECT_EQ(twice.at(1).seq, first.seq);
    EXPECT_EQ(twice.at(2).status, ItemStatus::accepted);
    EXPECT_EQ(twice.at(2).seq, first.seq + 1);
    EXPECT_EQ(alice_->texts(channel_), (std::vector<std::string>{"once", "and another"}));
}

// [SIG-4]
TEST_F(Submissions, IdenticalOctetsAreReplayedBeforeAndAfterAKill)
{
    const auto craft =
        forger_->craft(home(), forger_->submission(channel_, {message("only once")}));
    EXPECT_EQ(forger_->send(home(), craft).status(), 200);
    for (const bool killed : {false, true}) {
        if (killed) kill_and_restart();
        const auto replayed = forger_->send(home(), craft);
        EXPECT_EQ(replayed.status(), 409);
        EXPECT_EQ(replayed.problem(), "replayed");
        EXPECT_TRUE(forger_->is_signed_by(home(), replayed));
    }
    EXPECT_EQ(hand_in({message("barrier")}).at(0).status, ItemStatus::accepted);
    EXPECT_EQ(alice_->texts(channel_), (std::vector<std::string>{"only once", "barrier"}));
}

// [SIG-4] [SIG-8]
TEST_F(Submissions, ANonceServesOnlyOneRequest)
{
    auto first = forger_->craft(home(), forger_->submission(channel_, {message("first")}));
    EXPECT_EQ(forger_->send(home(), first).status(), 200);
    auto second = forger_->craft(home(), forger_->submission(channel_, {message("second")}));
    second.nonce = first.nonce;
    EXPECT_EQ(forger_->send(home(), second).problem(), "replayed");

    // One whose signature is bad has not spent its nonce.
    auto third = forger_->craft(home(), forger_->submission(channel_, {message("third")}));
    auto spoilt = third;
    protocol::SystemRandom random;
    spoilt.key = protocol::SigningKey::generate(random);
    EXPECT_EQ(forger_->send(home(), spoilt).problem(), "signature-invalid");
    EXPECT_EQ(forger_->send(home(), third).status(), 200);
    EXPECT_EQ(alice_->texts(channel_), (std::vector<std::string>{"first", "third"}));
}

// [EVT-2]
TEST_F(Submissions, TheSameTxnWithOtherContentIsEquivocation)
{
    const auto txn = new_uuid();
    const auto first = message("the truth", txn);
    const auto accepted = hand_in({first}).at(0);
    for (const bool killed : {false, true}) {
        if (killed) kill_and_restart();
        expect_rejected(hand_in({message("another truth", txn)}).at(0), Code::equivocation);
        EXPECT_EQ(hand_in({first}).at(0).seq, accepted.seq);
    }
    EXPECT_EQ(alice_->texts(channel_), std::vector<std::string>{"the truth"});
}

// [INBOX-1] [INBOX-11]
TEST_F(Submissions, ABadEventDoesNotHarmItsNeighbours)
{
    auto bad = message("bad");
    bad.content.insert(bad.content.size() - 1, R"(,"more":1)");
    auto foreign = message("not mine");
    foreign.event.replace(foreign.event.find("mallory@f.test"), 14, "alice@a.test");
    auto ahead = message("from the future");
    const auto at = ahead.event.find("\"at\":") + 5;
    ahead.event.replace(at, 13, std::to_string(protocol::SystemClock{}.now_ms() + 7'200'000));
    const EventAndContent nonsense{"{\"v\":1}", "{}"};
    const auto results = hand_in({message("one"), bad, foreign, ahead, nonsense, message("two")});
    ASSERT_EQ(results.size(), 6U);
    EXPECT_EQ(results[0].status, ItemStatus::accepted);
    expect_rejected(results[1], Code::malformed);
    expect_rejected(results[2], Code::forbidden);
    expect_rejected(results[3], Code::malformed);
    expect_rejected(results[4], Code::malformed);
    EXPECT_EQ(results[5].status, ItemStatus::accepted);
    EXPECT_EQ(results[5].seq, results[0].seq + 1);
    EXPECT_EQ(alice_->texts(channel_), (std::vector<std::string>{"one", "two"}));
}

// [INBOX-11]
TEST_F(Submissions, AWrongSealIsRefusedAndTheNextIsServed)
{
    const std::vector<EventAndContent> events{message("one"), message("two")};
    const auto reversed = [](protocol::OutgoingTransaction& t) {
        auto& listed = t.submissions[0].seal.events;
        std::swap(listed[0], listed[1]);
    };
    const auto by_nobody = [&](protocol::OutgoingTransaction& t) {
        protocol::SystemRandom random;
        const auto key = protocol::SigningKey::generate(random);
        protocol::RootBuilder leaves;
        leaves.add(protocol::seal_leaf(t.submissions[0].channel, t.submissions[0].seal.events));
        // In the forger's name and key id, by another key.
        auto jws = leaves.sign(key, forger_->name(), protocol::SystemClock{}.now_ms()).jws;
        const auto good = t.roots[0];
        t.roots[0] = good.substr(0, good.rfind('.')) + jws.substr(jws.rfind('.'));
    };
    const auto of_other_leaf = [&](protocol::OutgoingTransaction& t) {
        protocol::RootBuilder leaves;
        leaves.add("something else");
        t.roots[0] =
            leaves.sign(forger_->key(), forger_->name(), protocol::SystemClock{}.now_ms()).jws;
    };
    for (const Forger::Spoil& spoil :
         {Forger::Spoil{reversed}, Forger::Spoil{by_nobody}, Forger::Spoil{of_other_leaf}}) {
        const auto results = hand_in(events, spoil);
        ASSERT_EQ(results.size(), 2U);
        for (const auto& result : results) expect_rejected(result, Code::signature_invalid);
    }
    EXPECT_TRUE(alice_->texts(channel_).empty());
    for (const auto& result : hand_in(events)) EXPECT_EQ(result.status, ItemStatus::accepted);
    EXPECT_EQ(alice_->texts(channel_), (std::vector<std::string>{"one", "two"}));
}

// [QRY-1]
TEST_F(Submissions, WhoIsNoMemberGetsNothingIn)
{
    const auto hidden = alice_->create_channel("hidden");
    const auto event = forger_->event(hidden, "message.create", R"("text":"psst")");
    const auto results =
        forger_->deliver(home(), forger_->submission(hidden, {event})).submissions.at(0).events;
    expect_rejected(results.at(0), Code::not_found);
    EXPECT_EQ(
        forger_->send(home(), forger_->get(home(), "/federation/v1/channels/" + hidden)).status(),
        404);
    EXPECT_TRUE(alice_->texts(hidden).empty());
}

// [SIG-10]
TEST_F(Submissions, AnswersAreSignedByTheServerItself)
{
    auto answer = forger_->send(
        home(), forger_->craft(home(), forger_->submission(channel_, {message("hello")})));
    EXPECT_EQ(answer.status(), 200);
    EXPECT_TRUE(forger_->is_signed_by(home(), answer));
    auto changed = answer;
    changed.message.body += " ";
    EXPECT_FALSE(forger_->is_signed_by(home(), changed));
    changed = answer;
    changed.request_signature = "entente=:" + protocol::to_base64(std::string(64, 'x')) + ":";
    EXPECT_FALSE(forger_->is_signed_by(home(), changed));
    const auto query = forger_->send(
        home(),
        forger_->get(home(), "/federation/v1/channels/" + channel_ + "/log?after=0&limit=10"));
    EXPECT_EQ(query.status(), 200);
    EXPECT_TRUE(forger_->is_signed_by(home(), query));
}

}  // namespace
}  // namespace entente::e2e
