// The examples of docs/operate/moderation.md, run from top to bottom on a real server with a peer.
#include <algorithm>
#include <map>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/guide.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class ModerationGuide : public WorldTest {
 protected:
    // As the guide's reader fills it in.
    std::string filled_in(std::string word)
    {
        const auto& a = node("a.test");
        if (word == "ID")
            return control(a, {"user", "code", "list"}).json.at("codes").at(0).at("id");
        const std::string stick = "/media/stick/";
        if (word.starts_with(stick)) word = a.folder() + "/" + word.substr(stick.size());
        return word;
    }
    void run(const std::string& line)
    {
        auto words = words_of(line);
        const auto program = std::ranges::find(words, "ententctl");
        ASSERT_NE(program, words.end()) << line;
        words.erase(words.begin(), program + 1);
        for (auto& word : words) word = filled_in(word);
        const auto done = node("a.test").control(words);
        EXPECT_EQ(done.exit_code, 0) << line << "\n" << done.output;
    }
};

TEST_F(ModerationGuide, EveryExampleDoesWhatItSays)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto mallory = person("a.test", "mallory");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    bob.post(channel, "a threat");
    wait_until("the message has come", [&] { return !alice.texts(channel).empty(); });
    alice.call("POST", "/reports",
               {{"txn", new_uuid()},
                {"user", bob.user()},
                {"channel", channel},
                {"event", alice.log(channel).back().id}});
    const auto commands = commands_of(ENTENTE_MODERATION_GUIDE);
    ASSERT_GE(commands.size(), 20U);
    for (const auto& line : commands) run(line);

    // Every act that it shows is in the log that it exports.
    std::map<std::string, int> acts;
    const auto listed = control(node("a.test"), {"audit", "list"}).json;
    for (const auto& entry : listed.at("entries")) ++acts[entry.at("act")];
    EXPECT_EQ(acts, (std::map<std::string, int>{{"server.setup", 1},
                                                {"user.role", 1},
                                                {"user.suspend", 1},
                                                {"user.unsuspend", 1},
                                                {"user.ban", 1},
                                                {"user.unban", 1},
                                                {"user.end-sessions", 1},
                                                {"user.reset-password", 1},
                                                {"user.delete", 1},
                                                {"settings.change", 2},
                                                {"code.create", 1},
                                                {"code.revoke", 1},
                                                {"report.send", 1},
                                                {"report.close", 1}}));
}

}  // namespace
}  // namespace entente::e2e
