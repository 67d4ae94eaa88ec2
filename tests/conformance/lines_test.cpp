// What the runner says on a terminal: sentences that name what is wrong, and commands that can be
// called as they stand.
#include "conformance/cli/lines.hpp"

#include <string>

#include <gtest/gtest.h>

#include "conformance/cli/join_causes.hpp"
#include "tests/conformance/report_rig.hpp"

namespace entente::conformance {
namespace {

TEST(Lines, AVerdictNamesTheClauseAndTheSentence)
{
    Case one;
    one.id = "key-10";
    one.clause = "KEY-2";
    one.proves = "A rotation counts for nothing";
    Verdict verdict;
    verdict.state = State::fail;
    verdict.detail = "the answer is 200\x1b[2J";
    EXPECT_EQ(verdict_line(one, verdict),
              "fail           key-10 [KEY-2 MUST] A rotation counts for nothing: the answer is "
              "200\\x1b[2J");
    one.level = Level::should;
    verdict.state = State::pass;
    verdict.detail.clear();
    EXPECT_EQ(verdict_line(one, verdict),
              "pass           key-10 [KEY-2 SHOULD] A rotation counts for nothing");
    verdict.detail = std::string(100'000, 'x');
    EXPECT_LT(verdict_line(one, verdict).size(), 1'200U);
}

TEST(Lines, OfAnExchangeTheOneWhoBeganComesFirst)
{
    Exchange exchange;
    exchange.at = 12;
    exchange.what = "control";
    exchange.sent = "GET / HTTP/1.1\r\n";
    exchange.received = "HTTP/1.1 200\r\n";
    EXPECT_EQ(exchange_lines(exchange),
              "\n--- 12 ms: control\n>>>\nGET / HTTP/1.1\n\n<<<\nHTTP/1.1 200\n\n");
    exchange.from_target = true;
    EXPECT_EQ(exchange_lines(exchange),
              "\n--- 12 ms: the target: control\n<<<\nHTTP/1.1 200\n\n>>>\nGET / HTTP/1.1\n\n");
}

TEST(Commands, CanBeCalledAsTheyStand)
{
    EXPECT_EQ(shell_word("./build/bin/x"), "./build/bin/x");
    EXPECT_EQ(shell_word("my server/t.toml"), "'my server/t.toml'");
    EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
    EXPECT_EQ(shell_word(""), "''");
    EXPECT_EQ(shell_word("$(x)"), "'$(x)'");
    const Invocation invocation{"./bin/entente-conformance", "my server/t.toml",
                                " --i-own a.example", " --vectors v.json"};
    EXPECT_EQ(invocation.command("doctor"),
              "./bin/entente-conformance doctor --target 'my server/t.toml' --i-own a.example");

    static const auto key = SigningKey::from_seed(std::string(32, 'k'));
    RunResult result;
    result.verdicts = {verdict_of(State::fail), verdict_of(State::fail, "x", "sig-72")};
    for (const auto& one : catalogue())
        if (!one.hooks.empty() && one.hooks[0] == "verify") result.verdicts[1].case_id = one.id;
    const auto report = build_report({"a.example", "https://a.example", {}, invocation}, result, {},
                                     Exit::failed, key);
    const auto call = "./bin/entente-conformance repro ";
    const auto behind = " --target 'my server/t.toml' --i-own a.example --seed 0";
    EXPECT_EQ(report["cases"][0]["repro"], std::string(call) + "win-02" + behind);
    EXPECT_EQ(report["cases"][1]["repro"],
              call + result.verdicts[1].case_id + behind + " --vectors v.json");
}

std::string steps_of(const std::vector<Verdict>& verdicts, Exit exit)
{
    RunResult result;
    result.verdicts = verdicts;
    result.target_died = exit == Exit::target_died;
    result.died_at = "win-02";
    std::string all;
    for (const auto& step : next_steps(result, {}, exit, {"./x", "t.toml", {}, {}}))
        all += step + "\n";
    return all;
}

TEST(NextSteps, LeadToWhatKeepsACaseFromBeingRun)
{
    auto of_hook = verdict_of(State::could_not_run);
    of_hook.failed_hook = "kill9";
    const auto hook = steps_of({of_hook}, Exit::control_failed);
    EXPECT_NE(hook.find("`kill9` in [hooks] of t.toml"), std::string::npos) << hook;
    EXPECT_NE(hook.find("`./x doctor --hooks --target t.toml`"), std::string::npos) << hook;
    EXPECT_EQ(hook.find("`./x doctor --target"), std::string::npos) << hook;

    auto of_account = verdict_of(State::could_not_run);
    of_account.account_failed = true;
    const auto account = steps_of({of_account}, Exit::control_failed);
    EXPECT_NE(account.find("[accounts] or [commands] of t.toml"), std::string::npos) << account;
    EXPECT_EQ(account.find("doctor"), std::string::npos) << account;

    const auto control = steps_of({verdict_of(State::could_not_run)}, Exit::control_failed);
    EXPECT_NE(control.find("`./x doctor --target t.toml`"), std::string::npos) << control;
    EXPECT_EQ(control.find("[hooks]"), std::string::npos) << control;

    const auto died =
        steps_of({verdict_of(State::fail), verdict_of(State::not_run)}, Exit::target_died);
    EXPECT_NE(died.find("`./x repro win-02 --target t.toml`"), std::string::npos) << died;
    EXPECT_EQ(died.find("doctor"), std::string::npos) << died;
}

TEST(NextSteps, TheFloorIsMetOnlyWhereOneWasGiven)
{
    EXPECT_EQ(exit_meaning(Exit::all_pass).find("floor"), std::string::npos);
    EXPECT_NE(exit_meaning(Exit::all_pass, 3).find("floor is met: 3 "), std::string::npos);
    EXPECT_EQ(report_of({verdict_of(State::pass)}, Exit::all_pass)["exit"]["meaning"],
              exit_meaning(Exit::all_pass));
}

// --- why a first contact fails

WayToServer way()
{
    WayToServer way;
    way.server = "doctor-1.peers.test";
    way.domain = "peers.test";
    way.listen = "127.0.0.1:9443";
    way.authority_certificate = "my/authority.pem";
    return way;
}

bool says(const WayToServer& way, const std::string& words)
{
    const auto cause = join_cause(way, "./x repro disc-01");
    return cause.find(words) != std::string::npos;
}

TEST(JoinCause, IsHowFarTheTargetHasCome)
{
    auto so_far = way();
    EXPECT_TRUE(says(so_far, "Nobody has connected to the runner at 127.0.0.1:9443"));
    so_far.dns = "93.184.216.53:53";
    EXPECT_TRUE(says(so_far, "Nobody has asked the runner's DNS server at 93.184.216.53:53"));
    so_far.questions = 1;
    EXPECT_TRUE(says(so_far, "Nobody has connected"));

    so_far.connections = 1;
    // One of an earlier run that is still looked for.
    so_far.strays = {{"win-02-1.peers.test", "callback failed"}};
    EXPECT_TRUE(says(so_far, "hasn't tried to reach doctor-1.peers.test"));
    so_far.strays.push_back({"", "http request"});
    EXPECT_TRUE(says(so_far, "without naming a server in TLS (http request)"));
    so_far.strays.back().host = "127.0.0.1";
    EXPECT_TRUE(says(so_far, "named \"127.0.0.1\" in TLS"));

    so_far.handshakes = 1;
    EXPECT_TRUE(says(so_far, "asked for nothing"));
    so_far.broken = {"tlsv1 alert unknown ca"};
    EXPECT_TRUE(says(so_far,
                     "TLS was broken off (tlsv1 alert unknown ca): let it trust "
                     "my/authority.pem"));
    so_far.requests = 1;
    EXPECT_TRUE(says(so_far, "the answer above is its judgement"));
    EXPECT_TRUE(says(so_far, "`./x repro disc-01`"));
}

}  // namespace
}  // namespace entente::conformance
