// A spam wave between three real servers: b.test has a user who floods a.test with invitations and
// messages, and an administrator who sends what he isn't entitled to. a.test lets it fall by itself
// and takes it back in time; c.test is served all the while. And whoever only claims to be c.test
// changes nothing for it.
#include <algorithm>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/forger.hpp"
#include "tests/e2e/support/keys.hpp"
#include "tests/e2e/support/shifted_clock.hpp"
#include "tests/e2e/support/world_test.hpp"
#include "trust/standing.hpp"

namespace entente::e2e {
namespace {

using protocol::day_ms;

constexpr const char* small_budgets =
    "\n[trust.budgets.guest]\nevents = 60\ninvitations = 5\n"
    "[trust.budgets.quarantined]\nevents = 1\ninvitations = 1\n";

class Spam : public WorldTest {
 protected:
    void TearDown() override
    {
        WorldTest::TearDown();
        clock_.reset();
    }
    // Three servers that nobody has put anywhere, and people in one public channel of a.test's.
    void start(bool with_clock)
    {
        set_up({"a.test", "b.test", "c.test"}, {"f.test"}, small_budgets, Tuning::strangers);
        if (with_clock) {
            clock_ = std::make_unique<ShiftedClock>(world().folder());
            for (const auto* name : {"a.test", "b.test", "c.test"})
                node(name).run_as("ententd", clock_->environment());
        }
        world().start_all();
        alice_ = std::make_unique<Client>(person("a.test", "alice"));
        mallory_ = std::make_unique<Client>(person("b.test", "mallory"));
        carol_ = std::make_unique<Client>(person("c.test", "carol"));
        square_ = alice_->create_channel("square", {{"public", true}});
        for (auto* guest : {mallory_.get(), carol_.get()}) {
            guest->call("POST", "/channels/" + square_ + "/join", {{"txn", new_uuid()}});
            wait_until(guest->user() + " has joined", [&] {
                const auto shown = guest->request("GET", "/channels/" + square_);
                return shown.status == 200 && !shown.body.value("role", json()).is_null();
            });
        }
        evil_ = std::make_unique<Forger>(world(), node("b.test"));
    }
    // Of `server` as a.test sees it: tier and reason.
    std::string tier(const std::string& server)
    {
        const auto told = control(node("a.test"), {"trust", "show", server}).json;
        return told.value("tier", "") + " " + told.value("reason", "");
    }
    json falls() { return control(node("a.test"), {"trust", "falls"}).json.at("falls"); }
    // Both ways between a.test and c.test, whatever else happens.
    void expect_carol_is_served(const std::string& when)
    {
        const auto there = "carol " + when, back = "alice " + when;
        carol_->post(square_, there);
        alice_->post(square_, back);
        wait_until("carol is served " + when, [&] {
            const auto at_a = alice_->texts(square_), at_c = carol_->texts(square_);
            return std::ranges::find(at_a, there) != at_a.end() &&
                   std::ranges::find(at_c, back) != at_c.end();
        });
        EXPECT_EQ(tier("c.test"), "guest first-contact") << when;
    }
    std::ptrdiff_t spam_in(const std::vector<std::string>& texts)
    {
        return std::ranges::count_if(texts,
                                     [](const auto& text) { return text.starts_with("buy"); });
    }
    // As many items in the name of somebody else, signed by b.test's own key.
    void send_faults(std::int64_t count)
    {
        for (std::int64_t i = 0; i < count; ++i) {
            auto foreign = evil_->event(square_, "message.create", "\"text\":\"as carol\"");
            const auto at = foreign.event.find(evil_->user());
            foreign.event.replace(at, evil_->user().size(), "carol@c.test");
            const auto result =
                evil_->deliver(node("a.test"), evil_->submission(square_, {foreign}));
            EXPECT_EQ(result.submissions.at(0).events.at(0).status, protocol::ItemStatus::rejected);
        }
    }
    std::string published_key_id(const std::string& server) { return published_key(node(server)); }
    void log_in_again()
    {
        for (auto* person : {alice_.get(), mallory_.get(), carol_.get()}) person->login();
    }

    std::unique_ptr<ShiftedClock> clock_;
    std::unique_ptr<Client> alice_, mallory_, carol_;
    std::unique_ptr<Forger> evil_;
    std::string square_;
};

TEST_F(Spam, AServerThatSpamsFallsByItselfAndComesBackInTimeWhileOthersAreServed)
{
    if (!ShiftedClock::is_there()) {
        ASSERT_TRUE(ShiftedClock::may_be_missing()) << "CI is set, and libfaketime isn't there";
        GTEST_SKIP() << "needs libfaketime, and no sanitizer";
    }
    start(true);
    EXPECT_EQ(tier("b.test"), "guest first-contact");

    // Invitations: they wait for alice, and no more than an hour's budget of them.
    for (int i = 0; i < 9; ++i)
        mallory_->invite(mallory_->create_channel("offer " + std::to_string(i)), alice_->user());
    const auto requests = [&] { return alice_->call("GET", "/requests").at("requests").size(); };
    wait_until("the hour's invitations have come", [&] { return requests() == 5; });
    EXPECT_TRUE(alice_->call("GET", "/invitations").at("invitations").empty());
    expect_carol_is_served("while invitations come");

    // Messages: a minute's budget of them, and the rest as it refills.
    for (int i = 0; i < 150; ++i) mallory_->post(square_, "buy " + std::to_string(i));
    wait_until("some have come", [&] { return spam_in(alice_->texts(square_)) > 0; });
    expect_carol_is_served("while messages come");
    EXPECT_LT(spam_in(alice_->texts(square_)), 120);
    EXPECT_TRUE(falls().empty()) << "much is no offence";

    // What b.test itself signs and may not: more than ten in a day fell it.
    send_faults(trust::faults_a_day);
    EXPECT_TRUE(falls().empty());
    send_faults(1);
    // It counts at once, and is kept a moment later.
    wait_until("b.test has fallen", [&] { return tier("b.test") == "quarantined fallen"; });
    wait_until("its fall is kept", [&] { return falls().size() == 1; });
    const auto fall = falls().at(0);
    EXPECT_EQ(fall.at("server"), "b.test");
    EXPECT_EQ(fall.at("offence"), "unentitled");
    EXPECT_EQ(fall.at("until").get<std::int64_t>() - fall.at("at").get<std::int64_t>(), day_ms);
    EXPECT_NE(node("a.test").log_text().find("a server has fallen"), std::string::npos);
    const auto when_fallen = spam_in(alice_->texts(square_));
    ASSERT_LT(when_fallen, 150) << "all came before the fall: nothing is left to be held back";
    expect_carol_is_served("after the fall");
    EXPECT_LE(spam_in(alice_->texts(square_)), when_fallen + 30);
    EXPECT_EQ(requests(), 5U);
    // Its directory is closed to it, and c.test knows nothing of all this.
    EXPECT_EQ(control(node("c.test"), {"trust", "falls"}).json.at("falls").size(), 0U);

    // Over a kill, and until the day is over.
    node("a.test").kill9();
    node("a.test").start();
    log_in_again();
    EXPECT_EQ(tier("b.test"), "quarantined fallen");
    clock_->set_ahead(day_ms - 600'000);
    log_in_again();
    EXPECT_EQ(tier("b.test"), "quarantined fallen");
    clock_->set_ahead(day_ms + 60'000);
    log_in_again();
    EXPECT_EQ(tier("b.test"), "guest first-contact");
    expect_carol_is_served("a day later");
    // As a guest b.test delivers what it still owes, at a guest's pace.
    const auto before = spam_in(alice_->texts(square_));
    wait_until(
        "b.test delivers again",
        [&] {
            return spam_in(alice_->texts(square_)) >= std::min<std::ptrdiff_t>(before + 10, 150);
        },
        Milliseconds(60'000));

    // The next fall lasts twice as long.
    send_faults(trust::faults_a_day + 1);
    wait_until("b.test has fallen again", [&] { return falls().size() == 2; });
    const auto next = falls().at(0);
    EXPECT_EQ(next.at("until").get<std::int64_t>() - next.at("at").get<std::int64_t>(), 2 * day_ms);
}

TEST_F(Spam, ForgedRequestsInAServersNameDontTouchItsStanding)
{
    start(false);
    const Forger liar(world(), "f.test");
    expect_carol_is_served("at first");
    // In c.test's name: its key's id over another's signature, and a key that it never had.
    const auto real_key = published_key_id("c.test");
    for (int i = 0; i < 3 * trust::faults_a_day; ++i) {
        auto foreign = liar.event(square_, "message.create", "\"text\":\"as dave\"");
        const auto at = foreign.event.find(liar.user());
        foreign.event.replace(at, liar.user().size(), "dave@c.test");
        auto craft = liar.craft(node("a.test"), liar.submission(square_, {foreign}));
        craft.keyid = i % 2 == 0 ? "c.test#" + real_key : "c.test#" + liar.key().id().str();
        craft.source = "127.0.0.9";
        EXPECT_NE(liar.send(node("a.test"), craft).status(), 200);
    }
    EXPECT_TRUE(falls().empty());
    EXPECT_FALSE(
        control(node("a.test"), {"peer", "show", "c.test"}).json.value("key_conflict", false));
    expect_carol_is_served("afterwards");
    const auto texts = alice_->texts(square_);
    EXPECT_EQ(std::ranges::find(texts, "as dave"), texts.end());

    // The same, signed by who it is from, counts against that server and no other.
    send_faults(trust::faults_a_day + 1);
    EXPECT_EQ(tier("b.test"), "quarantined fallen");
    wait_until("its fall is kept", [&] { return falls().size() == 1; });
    EXPECT_EQ(falls().at(0).at("evidence").at("key"), "b.test#" + published_key_id("b.test"));
    expect_carol_is_served("after all");
}

}  // namespace
}  // namespace entente::e2e
