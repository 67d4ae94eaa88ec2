// The examples of docs/operate/keys.md, run from top to bottom on a real server with a peer.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/guide.hpp"
#include "tests/e2e/support/keys.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class KeysGuide : public WorldTest {
 protected:
    // As the guide's reader fills it in.
    std::string filled_in(std::string word)
    {
        const auto& a = node("a.test");
        if (word == "--kid=OLD")
            word = "--kid=" + shown_keys(a).at("keys").at(1).at("kid").get<std::string>();
        if (word == "peer.example") return "b.test";
        if (word == "--recovery=KID")
            return "--recovery=" +
                   document_of(node("b.test")).at("recovery").at("kid").get<std::string>();
        const std::string stick = "/media/stick/";
        if (word.starts_with(stick)) word = a.folder() + "/" + word.substr(stick.size());
        return word;
    }
    void run(const std::string& line)
    {
        auto words = words_of(line);
        ASSERT_EQ(words.at(0), "sudo");
        if (line == "sudo systemctl reload ententd") {
            reload_keys(node("a.test"));
            return;
        }
        ASSERT_EQ(words.at(1), "-u");
        ASSERT_EQ(words.at(3), "ententctl");
        words.erase(words.begin(), words.begin() + 4);
        for (auto& word : words) word = filled_in(word);
        const auto done = node("a.test").control(words);
        EXPECT_EQ(done.exit_code, 0) << line << "\n" << done.output;
    }
};

TEST_F(KeysGuide, EveryExampleDoesWhatItSays)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    const auto commands = commands_of(ENTENTE_KEYS_GUIDE);
    ASSERT_GE(commands.size(), 10U);
    const std::filesystem::path keys = node("a.test").folder() + "/data/keys";
    const auto oldest = node("a.test").folder() + "/oldest-keys";
    std::filesystem::copy(keys, oldest);
    for (const auto& line : commands) {
        // The newest copy is lost, and the one that is there knows nothing of the kit.
        if (line.find("rotate --recovery-file /media/stick/new-secrets") != std::string::npos) {
            EXPECT_EQ(shown_keys(node("a.test")).at("keys").at(1).at("status"), "revoked");
            std::filesystem::copy(oldest, keys,
                                  std::filesystem::copy_options::overwrite_existing |
                                      std::filesystem::copy_options::recursive);
        }
        // A server looks at the document of one address for an unknown key once a minute [KEY-5];
        // of what it looked at before a restart it remembers nothing.
        if (line == "sudo systemctl reload ententd") {
            EXPECT_EQ(node("b.test").terminate(), 0);
            node("b.test").start();
        }
        run(line);
        if (line == "sudo systemctl reload ententd") expect_both_ways(alice, bob, channel);
    }
    EXPECT_EQ(shown_keys(node("a.test")).at("keys").size(), 2U);
    EXPECT_EQ(node("b.test").log_text().find("key-conflict"), std::string::npos);
    // What was done to the keys is in the audit log, as it was taken up.
    const auto log = control(node("a.test"), {"audit", "list"}).json.at("entries");
    std::vector<std::string> stated;
    for (const auto& entry : log) {
        if (entry.at("act") != "identity.change") continue;
        for (const auto& kind : entry.at("details").at("statements")) stated.push_back(kind);
    }
    EXPECT_NE(std::ranges::find(stated, "rotation"), stated.end());
    EXPECT_NE(std::ranges::find(stated, "revocation"), stated.end());
    EXPECT_NE(std::ranges::find(stated, "recovery"), stated.end());
}

}  // namespace
}  // namespace entente::e2e
