// Signals: who may send them, whom they reach, and that they are nothing anybody waits for
// [INBOX-5, INBOX-17].

#include "federation/links/signal_queue.hpp"
#include "storage/read_marker_store.hpp"
#include "tests/federation/log/people_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::LiveSignal;
using protocol::SignalType;
using Statuses = std::vector<std::string>;
using Passed = std::vector<std::pair<std::string, std::string>>;

class SignalsTest : public ::testing::Test {
 protected:
    // alice@a's channel with bob@b and carol@c.
    SignalsTest() : channel(shared_channel(a.server, b.server))
    {
        auto& c = servers.c;
        EXPECT_TRUE(servers.world.run(
            a.server.channels->invite(a.server.actor("alice"), channel, c.user("carol"))));
        settle_all(a.server, c);
        EXPECT_TRUE(servers.world.run(c.channels->join(c.actor("carol"), channel)));
        settle_all(a.server, c);
        settle_all(a.server, b.server);
    }
    [[nodiscard]] LiveSignal made(const std::string& user, SignalType type = SignalType::typing,
                                  std::int64_t seq = 0)
    {
        LiveSignal signal;
        signal.type = type;
        signal.channel = channel;
        signal.user = UserId::trusted(user);
        signal.on = true;
        signal.status = "online";
        signal.seq = seq;
        return signal;
    }
    [[nodiscard]] std::string text(const std::string& user, SignalType type = SignalType::typing,
                                   std::int64_t seq = 0)
    {
        return protocol::write_signal(made(user, type, seq));
    }
    Result<void> send(PeopleServer& from, const std::string& localpart,
                      SignalType type = SignalType::typing, std::int64_t seq = 0)
    {
        const auto user = from.server.user(localpart);
        return servers.world.run(from.people->signal(user, person, {made(user.str(), type, seq)}));
    }
    std::int64_t marker(PeopleServer& on, const std::string& localpart)
    {
        return on.server
            .read([&](storage::Connection& db) {
                return storage::read_marker(db, on.server.user(localpart).str(), channel.str());
            })
            .value();
    }

    TwoPeopleServers two;
    Servers& servers = two.servers;
    PeopleServer& a = two.a;
    PeopleServer& b = two.b;
    ChannelId channel;
    Person person;  // who sends
};

TEST_F(SignalsTest, WhatAPolicyRefusesIsIgnored)
{
    EXPECT_EQ(a.receive_signals(b.server, {text("bob@b.example")}), Statuses{"accepted"});
    a.server.enforce(R"({"id":"r","actions":["signal.typing"],)"
                     R"("when":{"eq":["subject.id","bob@b.example"]},"effects":["deny"]})");
    a.passed.clear();
    EXPECT_EQ(a.receive_signals(b.server, {text("bob@b.example")}), Statuses{"ignored"});
    EXPECT_TRUE(a.passed.empty());
    EXPECT_EQ(a.receive_signals(b.server, {text("bob@b.example", SignalType::presence)}),
              Statuses{"accepted"});
}

TEST_F(SignalsTest, WhatAPolicyRefusesAnOwnUserGoesNowhere)
{
    a.server.enforce(R"({"id":"r","actions":["signal.typing","signal.read"],)"
                     R"("when":{"all":[{"eq":["subject.role","user"]},)"
                     R"({"eq":["subject.channel_role","owner"]}]},"effects":["deny"]})");
    const auto refused = send(a, "alice");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::forbidden);
    EXPECT_FALSE(send(a, "alice", SignalType::read, 1));
    EXPECT_EQ(marker(a, "alice"), 0);
    EXPECT_TRUE(a.passed.empty());
    EXPECT_TRUE(a.heard.signals.empty());
    EXPECT_TRUE(send(a, "alice", SignalType::presence));
    person.role = trust::policy::ServerRole::admin;
    EXPECT_TRUE(send(a, "alice"));
    EXPECT_EQ(a.heard.signals.size(), 2U);
}

// [INBOX-5]
TEST_F(SignalsTest, TheHomePassesOnToAllFollowersButTheOrigin)
{
    ASSERT_TRUE(send(a, "alice"));
    EXPECT_EQ(a.passed, (Passed{{"b.example", text("alice@a.example")},
                                {"c.example", text("alice@a.example")}}));
    EXPECT_EQ(a.heard.signals, Statuses{text("alice@a.example")});
    a.passed.clear();
    EXPECT_EQ(a.receive_signals(b.server, {text("bob@b.example")}), Statuses{"accepted"});
    EXPECT_EQ(a.passed, (Passed{{"c.example", text("bob@b.example")}}));
    EXPECT_EQ(a.heard.signals.back(), text("bob@b.example"));
}

TEST_F(SignalsTest, AFollowerHandsInItsOwnAndShowsWhatTheHomePassesOn)
{
    ASSERT_TRUE(send(b, "bob"));
    EXPECT_EQ(b.passed, (Passed{{"a.example", text("bob@b.example")}}));
    EXPECT_EQ(b.heard.signals, Statuses{text("bob@b.example")});
    b.passed.clear();
    EXPECT_EQ(b.receive_signals(a.server, {text("carol@c.example"), text("alice@a.example")}),
              (Statuses{"accepted", "accepted"}));
    EXPECT_TRUE(b.passed.empty());
    EXPECT_EQ(b.heard.signals.size(), 3U);
}

// [INBOX-17]
TEST_F(SignalsTest, NobodySpeaksForAnothersUsersOrForWhoIsNoMember)
{
    EXPECT_EQ(a.receive_signals(b.server, {text("carol@c.example"), text("alice@a.example"),
                                           text("dave@b.example"), R"({"type":"typing"})",
                                           R"({"type":"later","channel":"x","user":"y"})", "{}"}),
              Statuses(6, "ignored"));
    // Not the home, and not of its own users.
    EXPECT_EQ(b.receive_signals(servers.c, {text("carol@c.example")}), Statuses{"ignored"});
    EXPECT_EQ(b.receive_signals(a.server, {text("bob@b.example")}), Statuses{"ignored"});
    EXPECT_TRUE(a.heard.signals.empty());
    EXPECT_TRUE(b.heard.signals.empty());
    EXPECT_EQ(send(a, "dave").error().code, Code::not_found);
    EXPECT_TRUE(a.passed.empty());
}

// [INBOX-17]
TEST_F(SignalsTest, WhatATierMaySendIsTaken)
{
    const std::vector<std::string> all{text("bob@b.example"),
                                       text("bob@b.example", SignalType::presence),
                                       text("bob@b.example", SignalType::read, 1)};
    a.server.tier = trust::Tier::quarantined;
    EXPECT_EQ(a.receive_signals(b.server, all), Statuses(3, "ignored"));
    a.server.tier = trust::Tier::guest;
    EXPECT_EQ(a.receive_signals(b.server, all), (Statuses{"accepted", "ignored", "accepted"}));
    a.server.tier = trust::Tier::known;
    EXPECT_EQ(a.receive_signals(b.server, all), Statuses(3, "accepted"));
}

// A home's standing isn't lent to the servers whose users' signals it passes on, nor theirs to it.
TEST_F(SignalsTest, OneThatIsPassedOnCountsAsOfTheLowerTier)
{
    const std::vector<std::string> passed{text("carol@c.example"), text("alice@a.example")};
    b.server.tier = trust::Tier::known;
    b.tiers_elsewhere = {{"c.example", trust::Tier::quarantined}};
    EXPECT_EQ(b.receive_signals(a.server, passed), (Statuses{"ignored", "accepted"}));
    b.tiers_elsewhere = {{"c.example", trust::Tier::guest}};
    EXPECT_EQ(b.receive_signals(a.server, passed), (Statuses{"accepted", "accepted"}));
    b.server.tier = trust::Tier::quarantined;
    b.tiers_elsewhere = {{"c.example", trust::Tier::trusted}};
    EXPECT_EQ(b.receive_signals(a.server, passed), (Statuses{"ignored", "ignored"}));
}

TEST_F(SignalsTest, BeyondTheBudgetTheyAreIgnoredAndTheRestIsTaken)
{
    a.server.tier = trust::Tier::guest;
    const std::vector<std::string> many(610, text("bob@b.example"));
    const auto statuses = a.receive_signals(b.server, many);
    EXPECT_EQ(std::count(statuses.begin(), statuses.end(), "accepted"), 600);
    EXPECT_EQ(statuses.back(), "ignored");
    const auto result =
        hand_in(b.server, a.server, channel,
                {b.server.event(channel, {"message.create", "bob@b.example", R"({"text":"hi"})"})});
    EXPECT_EQ(result.at(0).status, protocol::ItemStatus::accepted);
}

TEST_F(SignalsTest, HowFarOneHasReadIsKeptTheHighestWinsAndNobodyReadsAhead)
{
    const auto latest = a.server.image(channel)->seq;
    ASSERT_TRUE(send(a, "alice", SignalType::read, 2));
    EXPECT_EQ(marker(a, "alice"), 2);
    ASSERT_TRUE(send(a, "alice", SignalType::read, 1));
    EXPECT_EQ(marker(a, "alice"), 2);
    EXPECT_EQ(a.heard.signals.size(), 1U);
    ASSERT_TRUE(send(a, "alice", SignalType::read, 1'000'000));
    EXPECT_EQ(marker(a, "alice"), latest);
    EXPECT_EQ(a.heard.signals.back(), text("alice@a.example", SignalType::read, latest));
    a.restart();
    EXPECT_EQ(servers.world.run(a.server.channels->get(a.server.user("alice"), channel))->read,
              latest);
    // Another server's users' marks are nothing that is kept here.
    a.receive_signals(b.server, {text("bob@b.example", SignalType::read, 1)});
    EXPECT_EQ(a.server
                  .read([&](storage::Connection& db) {
                      return storage::read_marker(db, "bob@b.example", channel.str());
                  })
                  .value(),
              0);
}

// [INBOX-5]
TEST(SignalQueueTest, OfEachKeyTheLatestAloneWaitsInTheOrderOfTheFirst)
{
    SignalQueue queue;
    EXPECT_TRUE(queue.push("a", "1"));
    EXPECT_TRUE(queue.push("b", "2"));
    EXPECT_TRUE(queue.push("a", "3"));
    EXPECT_EQ(queue.take(10, 100), (std::vector<std::string>{"3", "2"}));
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.octets(), 0U);
}

TEST(SignalQueueTest, WhatDoesNotFitIsDroppedAndWhatWaitsStays)
{
    SignalQueue queue({2, 10});
    EXPECT_TRUE(queue.push("a", "12345"));
    EXPECT_FALSE(queue.push("b", "123456"));
    EXPECT_TRUE(queue.push("b", "12345"));
    EXPECT_FALSE(queue.push("c", ""));
    EXPECT_TRUE(queue.push("a", "1"));
    EXPECT_FALSE(queue.push("a", "123456"));
    EXPECT_EQ(queue.take(1, 100), std::vector<std::string>{"1"});
    EXPECT_EQ(queue.take(10, 4), std::vector<std::string>{});
    EXPECT_EQ(queue.take(10, 5), std::vector<std::string>{"12345"});
}

}  // namespace
}  // namespace entente::federation::log_rig
