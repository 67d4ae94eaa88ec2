// docs/operate/trust.md, run on real servers: every command of it, the walk through a spam wave
// among them, does what is shown below it.
#include <algorithm>
#include <fstream>
#include <utility>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/guide.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class TrustGuide : public WorldTest {
 protected:
    // As the guide's reader fills it in.
    std::string filled_in(std::string word)
    {
        if (word.ends_with(".csv")) return node("a.test").folder() + "/" + word;
        for (auto at = word.find(".example"); at != std::string::npos; at = word.find(".example"))
            word.replace(at, 8, ".test");
        return word;
    }
    // Behind "# at b.example" on that server, once it has been told what the guide speaks of.
    Finished run(const std::string& line)
    {
        const auto comment = line.find("  # at b.example");
        if (comment == std::string::npos) return run_at("a.test", line);
        Finished done;
        wait_until(line, [&] {
            done = run_at("b.test", line.substr(0, comment));
            return done.exit_code == 0;
        });
        return done;
    }
    Finished run_at(const std::string& server, const std::string& line)
    {
        auto words = words_of(line);
        const auto program = std::ranges::find(words, "ententctl");
        if (program == words.end()) throw Broken("no ententctl: " + line);
        words.erase(words.begin(), program + 1);
        for (auto& word : words) word = filled_in(word);
        return node(server).control(words);
    }
    // What `mallory` wrote, reported by people of a.test, each another message.
    void be_spammed()
    {
        auto alice = person("a.test", "alice");
        auto mallory = person("b.test", "mallory");
        const auto square = alice.create_channel("square", {{"public", true}});
        mallory.call("POST", "/channels/" + square + "/join", {{"txn", new_uuid()}});
        wait_until("mallory has joined", [&] { return members(alice, square).size() == 2; });
        const std::vector<std::string> offers{"buy one", "buy two", "buy three"};
        for (const auto& offer : offers) mallory.post(square, offer);
        wait_until("the spam has come", [&] { return alice.texts(square).size() == 3; });
        auto dave = person("a.test", "dave");
        auto erin = person("a.test", "erin");
        const std::vector<Client*> people{&alice, &dave, &erin};
        const auto log = alice.log(square);
        for (std::size_t i = 0; i < offers.size(); ++i) {
            const auto entry = std::ranges::find(log, offers[i], &PageEntry::text);
            people[i]->call("POST", "/reports",
                            {{"txn", new_uuid()},
                             {"user", mallory.user()},
                             {"channel", square},
                             {"event", entry->id},
                             {"reason", "spam"}});
        }
    }
};

TEST_F(TrustGuide, EveryCommandSaysWhatIsShown)
{
    open({"a.test", "b.test"}, {}, "", Tuning::strangers);
    for (const char* const file : {"/blocked.csv", "/2026-06.csv"})
        std::ofstream(node("a.test").folder() + file)
            << "#domain,#severity\nspam.example,suspend\nloud.example,silence\n";
    const auto steps = steps_of(ENTENTE_TRUST_GUIDE);
    ASSERT_GE(steps.size(), 25U);
    std::size_t shown = 0;
    bool is_spammed = false;
    for (const auto& step : steps) {
        if (step.command.ends_with(" report list") && !std::exchange(is_spammed, true))
            be_spammed();
        const auto done = run(step.command);
        EXPECT_EQ(done.exit_code, 0) << step.command << "\n" << done.output;
        if (!step.output) continue;
        ++shown;
        EXPECT_EQ(comparable(done.output), comparable(*step.output)) << step.command;
    }
    EXPECT_TRUE(is_spammed);
    EXPECT_GE(shown, 16U);
}

}  // namespace
}  // namespace entente::e2e
