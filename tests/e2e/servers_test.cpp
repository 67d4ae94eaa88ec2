// Two and three servers that talk: invitations, joins, messages, delivery states, what a
// newcomer sees.
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

using Servers = WorldTest;

bool has(Client& author, const std::string& event, const std::string& server)
{
    const auto state = author.delivery(event);
    return state.contains("servers") && state["servers"].value(server, false);
}

// [RETRY-2]
TEST_F(Servers, TwoServersSeeTheSameLogInTheSameOrder)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = alice.create_channel("garden", {{"history", "all"}});
    alice.invite(channel, bob.user());
    bob.join(channel);

    const std::string first = alice.post(channel, "by REST from the home").at("event");
    const auto second = bob.post(channel, "by REST from afar");
    EXPECT_EQ(second.at("status"), "pending");
    auto live = bob.open_socket();
    live.send({{"posts", json::array({post_item(channel, "by WebSocket from afar"),
                                      post_item(channel, "and once more")})}});
    const auto results = live.read_until("results").at("results");
    ASSERT_EQ(results.size(), 2U);
    auto home_live = alice.open_socket();
    home_live.send({{"posts", json::array({post_item(channel, "by WebSocket from the home")})}});
    EXPECT_EQ(home_live.read_until("results").at("results").at(0).at("status"), "accepted");

    wait_until("five messages are at both",
               [&] { return alice.texts(channel).size() == 5 && bob.texts(channel).size() == 5; });
    const auto at_home = alice.log(channel);
    EXPECT_EQ(at_home, bob.log(channel));
    ASSERT_EQ(at_home.size(), 8U);
    for (std::size_t i = 0; i < at_home.size(); ++i)
        EXPECT_EQ(at_home[i].seq, static_cast<std::int64_t>(i + 1));
    EXPECT_EQ(at_home[0].type, "channel.create");
    EXPECT_EQ(at_home[1].type, "member.invite");
    EXPECT_EQ(at_home[2].type, "member.join");
    EXPECT_EQ(at_home[2].sender, "bob@b.test");

    wait_until("alice's message is delivered", [&] { return has(alice, first, "b.test"); });
    wait_until("bob's message is numbered",
               [&] { return bob.delivery(second.at("event")).at("status") == "accepted"; });
}

TEST_F(Servers, AFollowedChannelPushesEveryEntryOnce)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    auto live = bob.open_socket();
    live.send({{"follow", {{channel, 0}}}});
    for (int i = 0; i < 20; ++i) alice.post(channel, std::to_string(i));

    std::vector<std::string> texts;
    std::int64_t last = 0;
    while (texts.size() < 20) {
        const auto frame = live.read_until("entries");
        for (const auto& entry : frame.at("entries")) {
            const std::int64_t seq = entry.at("seq");
            if (last > 0) {
                EXPECT_EQ(seq, last + 1);
            }
            last = seq;
            if (entry.at("event").at("type") == "message.create")
                texts.push_back(entry.at("content").at("text"));
        }
    }
    for (int i = 0; i < 20; ++i) EXPECT_EQ(texts[static_cast<std::size_t>(i)], std::to_string(i));
}

// [QRY-2]
TEST_F(Servers, ANewcomerSeesWhatCameSinceItsJoin)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = alice.create_channel("garden");
    alice.post(channel, "before");
    alice.invite(channel, bob.user());
    bob.join(channel);
    alice.post(channel, "after");
    wait_until("the message has come", [&] { return !bob.texts(channel).empty(); });
    EXPECT_EQ(bob.texts(channel), std::vector<std::string>{"after"});
    EXPECT_EQ(alice.texts(channel), (std::vector<std::string>{"before", "after"}));
}

TEST_F(Servers, WhoHasLeftGetsNoMore)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    bob.leave(channel);
    wait_until("the home knows that bob has left", [&] {
        for (const auto& entry : alice.log(channel))
            if (entry.type == "member.leave" && entry.sender == bob.user()) return true;
        return false;
    });
    EXPECT_EQ(members(alice, channel), std::vector<std::string>{"alice@a.test"});
    alice.post(channel, "are we alone?");
    wait_until("bob's server knows it as well", [&] {
        return bob.request("POST", "/channels/" + channel + "/messages",
                           {{"txn", new_uuid()}, {"content", {{"text", "let me in"}}}})
                   .status >= 400;
    });
    EXPECT_EQ(alice.texts(channel), std::vector<std::string>{"are we alone?"});
}

// [RETRY-2]
TEST_F(Servers, AThirdFollowsWhatTheSecondWrites)
{
    open({"a.test", "b.test", "c.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    auto carol = person("c.test", "carol");
    const auto channel = shared_channel(alice, {&bob, &carol});
    const std::string event = bob.post(channel, "from b through a to c").at("event");
    wait_until("carol reads it", [&] { return !carol.texts(channel).empty(); });
    const auto entry = carol.log(channel).back();
    EXPECT_EQ(entry.sender, "bob@b.test");
    EXPECT_EQ(entry.text, "from b through a to c");
    EXPECT_EQ(entry.id, event);
    wait_until("bob is told that c.test has it", [&] { return has(bob, event, "c.test"); });
    const std::string answer = carol.post(channel, "and back").at("event");
    wait_until("bob reads the answer", [&] { return bob.texts(channel).size() == 2; });
    wait_until("carol is told that b.test has it", [&] { return has(carol, answer, "b.test"); });
    const auto from = carol.log(channel).front().seq;
    EXPECT_EQ(alice.log(channel, from - 1), carol.log(channel));
    EXPECT_EQ(bob.log(channel, from - 1), carol.log(channel));
}

}  // namespace
}  // namespace entente::e2e
