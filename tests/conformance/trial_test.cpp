// Trials: what the target asks meanwhile is on one line of time with what it is sent, and a hook
// that provably did nothing proves nothing.
#include "conformance/judge/trial.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "conformance/judge/run.hpp"
#include "conformance/reference/selftest_bench.hpp"
#include "conformance/sockets/patience.hpp"

namespace entente::conformance {
namespace {

// A target that answers, and hooks that do nothing.
class TrialTest : public testing::Test {
 protected:
    // As the runner does: writing to who is gone is no end of the process.
    TrialTest() { std::signal(SIGPIPE, SIG_IGN); }
    ~TrialTest() override { std::filesystem::remove_all(reference::bench_root()); }

    TargetFile file(const std::string& hook = "true")
    {
        auto file = bench_.world().file();
        // The bench's own world listens where the file says.
        file.listen = {"127.0.0.1", 0};
        for (const auto* name : {"restart", "kill9", "clock", "metrics"}) file.hooks[name] = hook;
        return file;
    }

    reference::Bench bench_{reference::NullKind::always_200};
};

Request fetch()
{
    Request request;
    request.method = "GET";
    request.target = "/.well-known/entente";
    request.fields = {{"Host", "x"}};
    return request;
}

TEST_F(TrialTest, WhatTheTargetFetchesAndIsShownIsAmongItsExchanges)
{
    World world(file());
    Trial trial(world, "disc-01");
    auto& origin = trial.origin();
    origin.publish({{"server", "somebody"}});
    static_cast<void>(origin.serve(fetch()));
    Exchange own;
    own.at = trial.elapsed() + 1'000;
    own.what = "control";
    trial.note(own);
    own.at = 0;
    auto& other = trial.another();
    other.set_down(true);
    static_cast<void>(other.serve(fetch()));
    other.on_broken_handshake("alert unknown ca");

    const auto taken = trial.take_exchanges();
    ASSERT_EQ(taken.all.size(), 4U);
    EXPECT_EQ(taken.left_out, 0U);
    const auto& first = taken.all[0];
    EXPECT_TRUE(first.from_target);
    EXPECT_EQ(first.what, "GET /.well-known/entente at " + origin.name());
    EXPECT_EQ(first.received.substr(0, 34), "GET /.well-known/entente HTTP/1.1\r");
    EXPECT_NE(first.sent.find(R"({"server":"somebody"})"), std::string::npos) << first.sent;
    EXPECT_EQ(taken.all[1].sent, "(the connection was closed)");
    EXPECT_EQ(taken.all[2].what,
              "a connection to " + other.name() + " whose TLS handshake fails: alert unknown ca");
    EXPECT_EQ(taken.all[3].what, "control");
}

TEST_F(TrialTest, OfManyRequestsTheFirstAndTheLastAreKept)
{
    World world(file());
    Trial trial(world, "disc-01");
    auto& other = trial.another();
    for (int number = 0; number < 200; ++number) {
        auto request = fetch();
        request.target = "/" + std::to_string(number);
        request.body = std::string(number == 0 ? 200'000 : 1, 'x');
        static_cast<void>(trial.origin().serve(request));
        static_cast<void>(other.serve(request));
    }
    const auto taken = trial.take_exchanges();
    ASSERT_EQ(taken.all.size(), Exchanges::max_asked);
    EXPECT_EQ(taken.left_out, 400 - Exchanges::max_asked);
    EXPECT_EQ(taken.all.front().what.substr(0, 9), "GET /0 at");
    EXPECT_EQ(taken.all.front().received.size(), Exchange::max_kept);
    EXPECT_EQ(taken.all.back().what.substr(0, 11), "GET /199 at");
}

State judged(World& world, const std::string& hook, const nlohmann::json& input, Verdict& verdict)
{
    Case one;
    one.id = "win-02";
    one.run = [&](Trial& trial) { trial.hook(hook, input); };
    verdict = judge(world, one, 0);
    return verdict.state;
}

TEST_F(TrialTest, AHookThatDidNothingIsNoPassAndNoFailure)
{
    World world(file());
    Verdict verdict;
    set_patience(Millis(300));
    for (const std::string name : {"restart", "kill9"}) {
        EXPECT_EQ(judged(world, name, {}, verdict), State::could_not_run);
        EXPECT_EQ(verdict.failed_hook, name);
        EXPECT_NE(
            verdict.detail.find("has done nothing: a connection from before it is still open"),
            std::string::npos)
            << verdict.detail;
    }
    set_patience(Millis(0));
    EXPECT_EQ(judged(world, "clock", {{"ahead_ms", 60'000}}, verdict), State::could_not_run);
    EXPECT_EQ(verdict.failed_hook, "clock");
    EXPECT_NE(verdict.detail.find("by 60 s, and its Date has moved by 0 s"), std::string::npos);
    EXPECT_EQ(judged(world, "clock", {{"ahead_ms", -60'000}}, verdict), State::could_not_run);
    // What is below the exactness of Date fields can't be judged, and isn't.
    EXPECT_EQ(judged(world, "clock", {{"ahead_ms", 0}}, verdict), State::pass);
    EXPECT_EQ(judged(world, "metrics", {}, verdict), State::pass);
}

TEST_F(TrialTest, AHookThatFailsIsNamed)
{
    World world(file("echo said; exit 3"));
    Verdict verdict;
    EXPECT_EQ(judged(world, "restart", {}, verdict), State::could_not_run);
    EXPECT_EQ(verdict.failed_hook, "restart");
    EXPECT_EQ(verdict.detail, "the hook restart fails: exit code 3");
    // It stands among what went over the wire.
    ASSERT_EQ(verdict.exchanges.size(), 1U);
    EXPECT_EQ(verdict.exchanges[0].what, "hook restart");
    EXPECT_EQ(verdict.exchanges[0].sent, "{}\n");
    EXPECT_EQ(verdict.exchanges[0].received, "said\n");
    World can_not(file("exit 89"));
    EXPECT_EQ(judged(can_not, "restart", {}, verdict), State::not_applicable);
}

TEST_F(TrialTest, ARunEndsWhereTheAccountsFailAgainAndAgain)
{
    World world(file());
    const auto judged_with = [&](std::size_t passing) {
        std::vector<Case> cases(25);
        std::vector<const Case*> all;
        for (std::size_t place = 0; place < cases.size(); ++place) {
            cases[place].id = "win-" + std::to_string(place);
            cases[place].alone = true;
            cases[place].run = [=](Trial&) {
                if (place != passing) throw AccountError("post fails: exit code 1");
            };
            all.push_back(&cases[place]);
        }
        return run(world, all, {}, [](const Case&, const Verdict&) {});
    };
    const auto result = judged_with(25);
    EXPECT_EQ(result.count(State::could_not_run), 10U);
    EXPECT_EQ(result.count(State::not_run), 15U);
    EXPECT_FALSE(result.target_died);
    EXPECT_EQ(exit_of(result, {}), Exit::control_failed);
    // Ten in a row: what is judged between them begins a new row.
    EXPECT_EQ(judged_with(9).count(State::not_run), 5U);
}

TEST(Run, EndsWithTheTargetAndSaysSoOnce)
{
    std::signal(SIGPIPE, SIG_IGN);
    std::string error;
    reference::Settings settings;
    settings.folder = reference::bench_root() / "dying";
    settings.name = "reference.test";
    settings.listen = {"127.0.0.1", port_of(listen_tcp({"127.0.0.1", 0}, error).get())};
    settings.domain = "peers.test";
    settings.peers = {"127.0.0.1", 0};
    reference::write_settings(settings);
    auto target = reference::start_null(settings, reference::NullKind::always_200);
    {
        World world(read_target((settings.folder / "target.toml").string()));
        std::vector<Case> cases(20);
        std::vector<const Case*> all;
        for (std::size_t place = 0; place < cases.size(); ++place) {
            cases[place].id = "win-" + std::to_string(place);
            // They run behind one another, in this order.
            cases[place].alone = true;
            cases[place].run = [&, place](Trial&) {
                if (place == 2) throw Broken("refused", "it isn't, and the target is well");
                if (place != 5) return;
                target.reset();
                throw Broken("still-serves", "it is gone");
            };
            all.push_back(&cases[place]);
        }
        const auto result = run(world, all, {}, [](const Case&, const Verdict&) {});
        EXPECT_TRUE(result.target_died);
        EXPECT_EQ(result.died_at, "win-5");
        EXPECT_EQ(result.count(State::pass), 4U);
        EXPECT_EQ(result.count(State::fail), 2U);
        EXPECT_EQ(result.count(State::not_run), 14U);
        EXPECT_EQ(result.graded(), 6U);
        EXPECT_EQ(exit_of(result, {}), Exit::target_died);
    }
    std::filesystem::remove_all(reference::bench_root());
}

}  // namespace
}  // namespace entente::conformance
