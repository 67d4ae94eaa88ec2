// Who joins a channel with an author whose server is gone reads it all the same, marked as
// what it is [LOG-6].
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

using Vouched = WorldTest;

// The marks of each message, by its text.
std::map<std::string, json> marks(Client& reader, const std::string& channel)
{
    std::map<std::string, json> found;
    const auto page = reader.call("GET", "/channels/" + channel + "/messages?limit=100");
    for (const auto& entry : page.at("entries")) {
        if (entry.at("content").contains("text"))
            found[entry.at("content").at("text")] = entry.value("marks", json(nullptr));
    }
    return found;
}

TEST_F(Vouched, ANewcomerReadsAnAuthorWhoseServerIsGone)
{
    open({"a.test", "b.test", "c.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    auto carol = person("c.test", "carol");
    const auto channel = shared_channel(alice, {&carol}, {{"history", "all"}});
    carol.post(channel, "from carol");
    alice.post(channel, "from alice");
    wait_until("both are there", [&] { return alice.texts(channel).size() == 2; });
    node("c.test").kill9();

    alice.invite(channel, bob.user());
    bob.join(channel);
    wait_until(
        "bob reads what was before him", [&] { return bob.texts(channel).size() == 2; },
        Milliseconds(40'000));
    auto seen = marks(bob, channel);
    EXPECT_EQ(seen.at("from carol"), json::array({"unverified"}));
    EXPECT_EQ(seen.at("from alice"), nullptr);
    EXPECT_EQ(bob.log(channel), alice.log(channel));
    // As one log as any: what comes next comes.
    alice.post(channel, "later");
    wait_until("it goes on", [&] { return bob.texts(channel).back() == "later"; });

    node("c.test").start();
    wait_until(
        "her server has said so itself",
        [&] { return marks(bob, channel).at("from carol").is_null(); }, Milliseconds(60'000));
}

}  // namespace
}  // namespace entente::e2e
