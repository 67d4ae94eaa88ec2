// The walk through a spam wave in docs/operate/trust.md, run on real servers: every command does
// what is shown below it.
#include <algorithm>

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
        const std::string stick = "/media/stick/";
        if (word.starts_with(stick))
            word = node("a.test").folder() + "/" + word.substr(stick.size());
        for (auto at = word.find(".example"); at != std::string::npos; at = word.find(".example"))
            word.replace(at, 8, ".test");
        return word;
    }
    Finished run(const std::string& line)
    {
        auto words = words_of(line);
        const auto program = std::ranges::find(words, "ententctl");
        if (program == words.end()) throw Broken("no ententctl: " + line);
        words.erase(words.begin(), program + 1);
        for (auto& word : words) word = filled_in(word);
        return node("a.test").control(words);
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

TEST_F(TrustGuide, EveryCommandOfTheSpamWaveSaysWhatIsShown)
{
    open({"a.test", "b.test"}, {}, "", Tuning::strangers);
    be_spammed();
    const auto steps = steps_of(ENTENTE_TRUST_GUIDE);
    ASSERT_GE(steps.size(), 12U);
    std::size_t shown = 0;
    for (const auto& step : steps) {
        const auto done = run(step.command);
        EXPECT_EQ(done.exit_code, 0) << step.command << "\n" << done.output;
        if (!step.output) continue;
        ++shown;
        EXPECT_EQ(comparable(done.output), comparable(*step.output)) << step.command;
    }
    EXPECT_GE(shown, 10U);
}

}  // namespace
}  // namespace entente::e2e
