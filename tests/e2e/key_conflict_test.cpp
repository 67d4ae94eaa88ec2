// The administrator's end of a key conflict [KEY-4]: a server shows a key that nothing leads
// to, and whether it is that server's only people can find out.
#include <algorithm>
#include <fstream>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/keys.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class KeyConflict : public WorldTest {
 protected:
    // a.test signs with a key whose statement is nowhere, and b.test has noticed: what alice
    // wrote last doesn't come through.
    void SetUp() override
    {
        WorldTest::SetUp();
        open({"a.test", "b.test"});
        alice_ = std::make_unique<Client>(person("a.test", "alice"));
        bob_ = std::make_unique<Client>(person("b.test", "bob"));
        channel_ = shared_channel(*alice_, {bob_.get()});
        expect_both_ways(*alice_, *bob_, channel_);
        auto& a = node("a.test");
        pinned_ = published_key(a);
        EXPECT_EQ(a.terminate(), 0);
        must_control(a, {"identity", "rotate"});
        std::ifstream stream(identity_file(a));
        right_ = json::parse(stream);
        auto wrong = right_;
        wrong["statements"] = json::array();
        std::ofstream(identity_file(a)) << wrong.dump();
        a.start();
        alice_->post(channel_, early);
        wait_until("b.test is in conflict with a.test",
                   [&] { return shown().at("key_conflict") == true; });
        EXPECT_EQ(shown().at("tier"), "quarantined");
        EXPECT_FALSE(reads(*bob_, channel_, early));
    }

    [[nodiscard]] json shown() { return control(node("b.test"), {"peer", "show", "a.test"}).json; }
    [[nodiscard]] std::string status_of(const std::string& kid)
    {
        const auto peer = shown();
        for (const auto& key : peer.at("keys"))
            if (key.at("kid") == kid) return key.at("status");
        return "absent";
    }

    std::unique_ptr<Client> alice_, bob_;
    std::string channel_, pinned_;
    json right_;
    static constexpr const char* early = "under a key that nothing leads to";
};

// [KEY-1] [KEY-4]
TEST_F(KeyConflict, EndsWhenTheAdministratorAcceptsWhatIsShown)
{
    auto& b = node("b.test");
    // First a look at what it is: the other administrator is to be asked.
    const auto look = b.control({"peer", "accept-keys", "a.test"});
    EXPECT_EQ(look.exit_code, 1);
    const auto document = document_of(node("a.test"));
    const std::string recovery = document.at("recovery").at("kid");
    EXPECT_NE(look.output.find(recovery), std::string::npos) << look.output;
    EXPECT_NE(look.output.find(published_key(node("a.test"))), std::string::npos) << look.output;
    EXPECT_EQ(control(b, {"peer", "accept-keys", "a.test", "--recovery=" + pinned_}).exit_code, 1);
    EXPECT_EQ(shown().at("key_conflict"), true);

    const auto told = control(b, {"peer", "accept-keys", "a.test", "--recovery=" + recovery});
    ASSERT_EQ(told.exit_code, 0) << told.output;
    EXPECT_EQ(told.json.at("result"), "accepted");
    EXPECT_EQ(shown().at("key_conflict"), false);
    EXPECT_EQ(shown().at("tier"), "trusted");
    EXPECT_EQ(status_of(published_key(node("a.test"))), "active");
    // The document itself lists it as replaced.
    EXPECT_EQ(status_of(pinned_), "retired");
    expect_both_ways(*alice_, *bob_, channel_);
    EXPECT_TRUE(reads(*bob_, channel_, early));
    // What the former key signed is verified still.
    EXPECT_EQ(control(b, {"peer", "verify", "a.test", "--all"}).json.at("result"), "same");

    b.kill9();
    b.start();
    EXPECT_EQ(shown().at("key_conflict"), false);
    expect_both_ways(*alice_, *bob_, channel_);
    EXPECT_EQ(control(b, {"peer", "accept-keys", "a.test"}).json.at("result"), "agrees");
}

// [KEY-4]
TEST_F(KeyConflict, EndsWhenTheAdministratorKeepsToThePins)
{
    auto& b = node("b.test");
    const auto told = control(b, {"peer", "keep-keys", "a.test"});
    ASSERT_EQ(told.exit_code, 0) << told.output;
    EXPECT_EQ(told.json.at("result"), "kept");
    EXPECT_EQ(shown().at("key_conflict"), false);
    EXPECT_EQ(shown().at("refused"), json::array({published_key(node("a.test"))}));
    EXPECT_EQ(status_of(pinned_), "active");

    b.kill9();
    b.start();
    EXPECT_EQ(shown().at("key_conflict"), false);
    const auto link = [&] {
        return control(node("a.test"), {"peer", "show", "b.test"}).json.at("link");
    };
    const auto before = link().at("next_try");
    EXPECT_EQ(control(node("a.test"), {"peer", "wake", "b.test"}).exit_code, 0);
    wait_until("a.test is refused again", [&] {
        const auto now = link();
        return now.contains("next_try") && now.at("next_try") > before &&
               now.at("problem").at("code") == "key-conflict";
    });
    EXPECT_EQ(shown().at("key_conflict"), false);
    EXPECT_FALSE(reads(*bob_, channel_, early));

    // The statement that leads to it is there after all.
    std::ofstream(identity_file(node("a.test"))) << right_.dump();
    reload_keys(node("a.test"));
    expect_both_ways(*alice_, *bob_, channel_);
    EXPECT_TRUE(reads(*bob_, channel_, early));
}

TEST_F(KeyConflict, OfAServerThatNobodyKnowsThereIsNone)
{
    for (const auto* verb : {"accept-keys", "keep-keys"})
        EXPECT_EQ(control(node("b.test"), {"peer", verb, "c.test"}).exit_code, 1) << verb;
}

}  // namespace
}  // namespace entente::e2e
