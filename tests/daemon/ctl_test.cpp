// ententctl's command line and how it shows things.
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"

namespace entente::daemon::ctl {
namespace {

constexpr const char* channel = "0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.test";

tl::expected<Chosen, int> parsed(std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), "ententctl");
    return parse(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Ctl, FindsEachVerbWithItsArgumentsAndTheSettingsAnywhere)
{
    for (const auto& [verb, arguments] :
         std::vector<std::pair<std::string, std::vector<const char*>>>{
             {"setup", {"setup"}},
             {"certificate", {"certificate"}},
             {"status", {"status"}},
             {"doctor", {"doctor"}},
             {"identity show", {"identity", "show"}},
             {"identity rotate", {"identity", "rotate", "--recovery-file", "r"}},
             {"identity revoke", {"identity", "revoke", "--kid=-id", "--at", "1", "--recovery"}},
             {"identity recovery-kit", {"identity", "recovery-kit", "--secrets-file", "s"}},
             {"peer list", {"peer", "list"}},
             {"peer show", {"peer", "show", "b.test"}},
             {"peer wake", {"peer", "wake", "b.test"}},
             {"peer verify", {"peer", "verify", "b.test", "--all", "--channel", channel}},
             {"peer accept-keys", {"peer", "accept-keys", "b.test", "--recovery=-id"}},
             {"peer keep-keys", {"peer", "keep-keys", "b.test"}},
             {"peer propose", {"peer", "propose", "b.test"}},
             {"peer accept", {"peer", "accept", "b.test"}},
             {"peer end", {"peer", "end", "b.test"}},
             {"channel list", {"channel", "list"}},
             {"channel show", {"channel", "show", channel}},
             {"channel prove", {"channel", "prove", channel, "7", "--with-content"}},
             {"channel evidence", {"channel", "evidence", channel}},
             {"channel thaw", {"channel", "thaw", channel}},
             {"channel go-on", {"channel", "go-on", channel}},
             {"audit list", {"audit", "list", "--last", "7"}},
             {"audit export", {"audit", "export", "file"}},
             {"audit verify",
              {"audit", "verify", "file", "--server-key=-id", "--since", "earlier"}},
             {"user list", {"user", "list"}},
             {"user show", {"user", "show", "alice"}},
             {"user suspend", {"user", "suspend", "alice@a.test", "--reason", "spam"}},
             {"user unsuspend", {"user", "unsuspend", "alice"}},
             {"user ban", {"user", "ban", "alice"}},
             {"user unban", {"user", "unban", "alice"}},
             {"user role", {"user", "role", "alice", "superadmin"}},
             {"user sessions end", {"user", "sessions", "end", "alice"}},
             {"user reset-password", {"user", "reset-password", "alice", "--secrets-file", "s"}},
             {"user delete", {"user", "delete", "alice"}},
             {"user code create", {"user", "code", "create", "--uses", "5", "--days", "366"}},
             {"user code list", {"user", "code", "list"}},
             {"user code revoke", {"user", "code", "revoke", "abc"}},
             {"report list", {"report", "list", "--closed"}},
             {"report close", {"report", "close", "7", "upheld", "--reason", "spam"}},
             {"report send", {"report", "send", "7", "--without-content"}},
             {"report proof", {"report", "proof", "7", "file"}},
             {"settings show", {"settings", "show"}},
             {"settings set", {"settings", "set", "registration.mode", "open"}},
             {"settings unset", {"settings", "unset", "registration.mode"}},
             {"trust show", {"trust", "show", "b.test"}},
             {"trust set", {"trust", "set", "b.test", "known", "--comment", "why"}},
             {"trust unset", {"trust", "unset", "b.test"}},
             {"trust pardon", {"trust", "pardon", "b.test"}},
             {"trust falls", {"trust", "falls"}},
             {"trust falls", {"trust", "falls", "b.test"}},
             {"trust list import", {"trust", "list", "import", "f.csv", "--replace"}},
             {"trust list export", {"trust", "list", "export", "f.csv"}},
             {"trust explain", {"trust", "explain", "b.test"}},
             {"trust explain", {"trust", "explain", "bob@b.test", "message.create", channel}},
             {"trust rehearse",
              {"trust", "rehearse", "f.json", "--policy", "own", "--since", "7d"}},
             {"policy list", {"policy", "list"}},
             {"policy show", {"policy", "show", "tiers"}},
             {"policy check", {"policy", "check", "own", "f.json"}},
             {"policy put", {"policy", "put", "own", "f.json", "--reason", "why"}},
             {"policy versions", {"policy", "versions", "own"}},
             {"policy restore", {"policy", "restore", "own", "0", "--reason", "why"}},
             {"verify-proof",
              {"verify-proof", "file", "--server-key", "a=b", "--server-key", "c=d"}},
         }) {
        const auto plain = parsed(arguments);
        ASSERT_TRUE(plain) << verb;
        EXPECT_EQ(plain->verb, verb);
        EXPECT_FALSE(plain->settings.json);
        EXPECT_EQ(plain->settings.config, "/etc/ententd/ententd.toml");
        for (const bool before : {true, false}) {
            auto with = arguments;
            with.insert(before ? with.begin() : with.end(), {"--json", "--config", "f"});
            const auto chosen = parsed(with);
            ASSERT_TRUE(chosen) << verb;
            EXPECT_EQ(chosen->verb, verb);
            EXPECT_TRUE(chosen->settings.json);
            EXPECT_EQ(chosen->settings.config, "f");
        }
    }
}

TEST(Ctl, FaultsOfUsageAreTwo)
{
    testing::internal::CaptureStderr();
    for (const auto& arguments :
         std::vector<std::vector<const char*>>{{},
                                               {"peer"},
                                               {"identity"},
                                               {"identity", "revoke"},
                                               {"identity", "show", "--recovery-file", "r"},
                                               {"peer", "list", "b.test"},
                                               {"trust"},
                                               {"trust", "explain"},
                                               {"trust", "rehearse", "f", "--days", "8"},
                                               {"policy", "put", "own", "f.json"},
                                               {"policy", "show", "Own"},
                                               {"policy", "restore", "own", "-1", "--reason", "x"},
                                               {"trust", "set", "b.test"},
                                               {"trust", "set", "b.test", "friendly"},
                                               {"trust", "set", "no/name", "known"},
                                               {"trust", "falls", "no/name"},
                                               {"trust", "list"},
                                               {"trust", "list", "import"},
                                               {"peer", "show"},
                                               {"peer", "show", "../b"},
                                               {"peer", "accept-keys", "--recovery=id"},
                                               {"peer", "verify", "b.test", "--channel", "x"},
                                               {"channel", "prove", channel},
                                               {"channel", "prove", channel, "0"},
                                               {"channel", "prove", channel, "x"},
                                               {"channel", "show", "../x"},
                                               {"verify-proof"},
                                               {"audit", "export"},
                                               {"settings", "set", "registration.mode"},
                                               {"settings", "unset"},
                                               {"report", "close", "7"},
                                               {"report", "close", "7", "maybe"},
                                               {"report", "close", "0", "upheld"},
                                               {"report", "send"},
                                               {"report", "proof", "7"},
                                               {"user", "ban"},
                                               {"user", "ban", "Alice"},
                                               {"user", "ban", "alice@"},
                                               {"user", "role", "alice"},
                                               {"user", "role", "alice", "king"},
                                               {"user", "sessions", "alice"},
                                               {"user", "code", "create", "--uses", "0"},
                                               {"user", "code", "create", "--days", "367"},
                                               {"user", "code", "revoke"},
                                               {"audit", "list", "--last", "0"},
                                               {"audit", "list", "--last", "100001"},
                                               {"nonsense"},
                                               {"peer", "list", "--nonsense"}}) {
        const auto chosen = parsed(arguments);
        ASSERT_FALSE(chosen);
        EXPECT_EQ(chosen.error(), exit_usage);
    }
    testing::internal::GetCapturedStderr();
}

std::string said_of(const std::vector<const char*>& arguments)
{
    testing::internal::CaptureStderr();
    const auto chosen = parsed(arguments);
    EXPECT_TRUE(!chosen && chosen.error() == exit_usage);
    return testing::internal::GetCapturedStderr();
}

TEST(Ctl, AVerbThatThereIsntIsNamed)
{
    const auto expect = [](const std::vector<const char*>& arguments, const std::string& words) {
        const auto said = said_of(arguments);
        EXPECT_NE(said.find(words), std::string::npos) << said;
    };
    expect({"frobnicate"}, "there is no verb frobnicate behind ententctl; ententctl --help lists");
    expect({"--json", "peer", "frobnicate"},
           "there is no verb frobnicate behind ententctl peer; ententctl peer --help lists");
    expect({"peer", "lst"}, "there is no verb lst behind ententctl peer; did you mean list?");
    expect({"identity"}, "a verb is missing behind ententctl identity; ententctl identity --help");
    expect({}, "a verb is missing behind ententctl; ententctl --help");
    expect({"identity", "revoke"}, "--kid is required");
}

TEST(Ctl, AnEntrysNumberIsFromOneOn)
{
    for (const auto* wrong : {"0", "x", "1x", "9223372036854775808"}) {
        const auto said = said_of({"channel", "prove", channel, wrong});
        EXPECT_NE(said.find("is no entry's number: a number from 1"), std::string::npos) << said;
        EXPECT_LT(said.size(), 200U) << said;
    }
    for (const auto* right : {"1", "9223372036854775807"})
        EXPECT_TRUE(parsed({"channel", "prove", channel, right})) << right;
}

TEST(Ctl, EachVerbsHelpNamesTheSettingsToo)
{
    for (const auto& arguments :
         std::vector<std::vector<const char*>>{{"setup", "--help"}, {"peer", "list", "--help"}}) {
        testing::internal::CaptureStdout();
        EXPECT_EQ(parsed(arguments).error(), exit_done);
        const auto help = testing::internal::GetCapturedStdout();
        EXPECT_NE(help.find("--config FILE"), std::string::npos) << help;
        EXPECT_NE(help.find("--json"), std::string::npos) << help;
    }
}

TEST(Ctl, HelpNamesEveryVerb)
{
    testing::internal::CaptureStdout();
    EXPECT_EQ(parsed({"--help"}).error(), exit_done);
    EXPECT_EQ(parsed({"peer", "--help"}).error(), exit_done);
    EXPECT_EQ(parsed({"channel", "--help"}).error(), exit_done);
    const auto help = testing::internal::GetCapturedStdout();
    for (const auto* verb :
         {"setup", "certificate", "peer", "channel", "verify-proof", "list", "show", "wake",
          "verify", "accept-keys", "keep-keys", "prove", "--json", "--config"})
        EXPECT_NE(help.find(verb), std::string::npos) << verb;
}

TEST(Text, TimesAreShownByTheirLargestUnit)
{
    EXPECT_EQ(duration(-5), "0 s");
    EXPECT_EQ(duration(59'999), "59 s");
    EXPECT_EQ(duration(60'000), "1 min");
    EXPECT_EQ(duration(3'600'000), "1 h");
    EXPECT_EQ(duration(86'400'000LL * 9), "9 d");
    EXPECT_EQ(time_text(1'763'683'200'056), "2025-11-21 00:00:00.056 UTC");
    EXPECT_FALSE(time_text(9'007'199'254'740'991).empty());
}

TEST(Text, WhatStrangersWroteMovesNoCursor)
{
    EXPECT_EQ(harmless("plain \"text\" with \\ in it"), "plain \"text\" with \\ in it");
    EXPECT_EQ(harmless("a\x1b[2Jb\x7f\n"), "a\\u001b[2Jb\\u007f\\n");
    EXPECT_EQ(harmless("J\xc3\xbcrgen\xe2\x80\xae"), "J\\u00fcrgen\\u202e");
    EXPECT_EQ(harmless("\xff"), "\\ufffd");
}

TEST(Text, AQueryHoldsNothingThatDividesOne)
{
    EXPECT_EQ(query_text("spam & \"more\" +1 \xc3\xbc/?#"),
              "spam%20%26%20%22more%22%20%2B1%20%C3%BC%2F%3F%23");
    EXPECT_EQ(query_text("aZ9-._~"), "aZ9-._~");
}

TEST(Text, ATableHasColumnsAsWideAsTheirWidestCell)
{
    std::ostringstream out;
    print_table(out, {{"A", "LONGER", "C"}, {"wide", "x", ""}, {"y", "z", "end"}});
    EXPECT_EQ(out.str(), "A     LONGER  C\nwide  x\ny     z       end\n");
}

}  // namespace
}  // namespace entente::daemon::ctl
