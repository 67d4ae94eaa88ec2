// The examples of docs/operate/policies.md: its files and commands, from top to bottom, on a real
// server; and that each file does what is said of it.
#include <algorithm>
#include <fstream>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/guide.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class PoliciesGuide : public WorldTest {
 protected:
    [[nodiscard]] std::string path_of(const std::string& file)
    {
        return node("a.test").folder() + "/" + file;
    }
    void run(const std::string& line)
    {
        auto words = words_of(line);
        const auto program = std::ranges::find(words, "ententctl");
        ASSERT_NE(program, words.end()) << line;
        words.erase(words.begin(), program + 1);
        for (auto& word : words)
            if (word.ends_with(".json")) word = path_of(word);
        const auto done = node("a.test").control(words);
        EXPECT_EQ(done.exit_code, 0) << line << "\n" << done.output;
    }
    // What a call is refused with; "" where it isn't.
    static std::string refusal(Client& client, const std::string& path, const json& body)
    {
        try {
            client.call("POST", path, body);
            return "";
        } catch (const std::exception& refused) {
            return refused.what();
        }
    }
    static bool names(const std::string& text, const std::string& rule)
    {
        return text.find("by the policy rule " + rule) != std::string::npos;
    }
};

TEST_F(PoliciesGuide, EveryExampleDoesWhatItSays)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = alice.create_channel("garden", {{"public", true}});
    // The channel that the guide speaks of is this one here.
    const std::string placeholder = "0193b6b0-7c00-7000-8000-000000000001@a.test";
    auto files = files_of(ENTENTE_POLICIES_GUIDE);
    ASSERT_EQ(files.size(), 5U);
    for (auto& file : files) {
        const auto at = file.text.find(placeholder);
        if (at != std::string::npos) file.text.replace(at, placeholder.size(), channel);
        std::ofstream(path_of(file.name)) << file.text;
    }
    EXPECT_NE(refusal(alice, "/admin/registration-codes", json::object()), "");

    const auto commands = commands_of(ENTENTE_POLICIES_GUIDE);
    ASSERT_GE(commands.size(), 15U);
    for (const auto& line : commands) {
        run(line);
        // Before it goes back.
        if (line.find("policy put careful") == std::string::npos) continue;
        bob.call("POST", "/channels/" + channel + "/join", {{"txn", new_uuid()}});
        wait_until("the join is shown to moderators", [&] {
            const auto asked = alice.call("GET", "/channels/" + channel + "/requests");
            const auto& all = asked.at("requests");
            return all.size() == 1 && all.at(0).at("user") == bob.user();
        });
    }

    EXPECT_EQ(refusal(alice, "/admin/registration-codes", json::object()), "") << "she greets";
    auto carol = person("a.test", "carol");
    carol.call("POST", "/channels/" + channel + "/join", {{"txn", new_uuid()}});
    const auto by_carol = [&] {
        return refusal(carol, "/channels/" + channel + "/messages",
                       {{"txn", new_uuid()}, {"content", {{"text", "hello"}}}});
    };
    EXPECT_TRUE(names(by_carol(), "announcements@1/moderators-write")) << by_carol();
    for (int i = 0; i < 10; ++i) alice.post(channel, "text");
    const auto eleventh = refusal(alice, "/channels/" + channel + "/messages",
                                  {{"txn", new_uuid()}, {"content", {{"text", "one more"}}}});
    EXPECT_TRUE(names(eleventh, "slow-start@1/new-accounts-write-slowly")) << eleventh;

    // All of it outlives a crash, and is in the log.
    node("a.test").kill9();
    node("a.test").start();
    const auto listed = control(node("a.test"), {"policy", "list"}).json.at("policies");
    EXPECT_EQ(listed.size(), 8U);
    EXPECT_TRUE(names(by_carol(), "announcements@1/moderators-write"));
    int changes = 0;
    const auto log = control(node("a.test"), {"audit", "list"}).json;
    for (const auto& entry : log.at("entries"))
        if (entry.at("act") == "policy.change") ++changes;
    EXPECT_EQ(changes, 6);
}

TEST_F(PoliciesGuide, WhatIsWrongIsToldWithItsPlace)
{
    open({"a.test"});
    std::ofstream(path_of("wrong.json"))
        << R"({"version":1,"rules":[{"id":"r","actions":["message.creat"],"effects":["deny"]}]})";
    const auto wrong = control(node("a.test"), {"policy", "check", "p", path_of("wrong.json")});
    EXPECT_EQ(wrong.exit_code, 1);
    EXPECT_NE(wrong.output.find("/rules/0/actions/0 (line 1, column 44)"), std::string::npos)
        << wrong.output;
    EXPECT_NE(wrong.output.find("did you mean message.create?"), std::string::npos) << wrong.output;
    EXPECT_EQ(control(node("a.test"), {"policy", "show", "p"}).exit_code, 1);
    EXPECT_EQ(control(node("a.test"), {"policy", "put", "p", path_of("wrong.json")}).exit_code, 2)
        << "a reason is needed";
    const auto action = control(node("a.test"), {"trust", "explain", "b.test", "message.creat"});
    EXPECT_NE(action.output.find("did you mean message.create?"), std::string::npos);
}

TEST_F(PoliciesGuide, AnotherPolicyIsTriedOnWhatWasDecided)
{
    open({"a.test"});
    auto alice = person("a.test", "alice");
    const auto channel = alice.create_channel("garden", json::object());
    alice.post(channel, "text");
    std::ofstream(path_of("quiet.json"))
        << R"({"version":1,"rules":[{"id":"r","actions":["message.create"],"effects":["deny"]}]})";
    const auto told = control(node("a.test"), {"trust", "rehearse", path_of("quiet.json")});
    ASSERT_EQ(told.exit_code, 0) << told.output;
    ASSERT_EQ(told.json.at("differing"), 1) << told.json;
    const auto& one = told.json.at("differences").at(0);
    EXPECT_EQ(one.at("action"), "message.create");
    EXPECT_EQ(one.at("subject"), "alice@a.test");
    EXPECT_EQ(one.at("resource"), channel);
    EXPECT_EQ(one.at("rule_before"), "channel-roles@0/members-speak");
    EXPECT_EQ(one.at("rule_after"), "quiet@1/r");
    alice.post(channel, "nothing was put into force");
}

}  // namespace
}  // namespace entente::e2e
