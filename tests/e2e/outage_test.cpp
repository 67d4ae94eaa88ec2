// A peer that was away catches up by itself: no new message has to be sent for it.
#include <csignal>

#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

constexpr std::size_t messages = 200;

using Outage = WorldTest;

void write_messages(Client& author, const std::string& channel)
{
    auto live = author.open_socket();
    for (std::size_t done = 0; done < messages;) {
        json posts = json::array();
        for (int i = 0; i < 25; ++i)
            posts.push_back(post_item(channel, "message " + std::to_string(done++)));
        live.send({{"posts", posts}});
        const auto answer = live.read_until("results");
        for (const auto& result : answer.at("results")) EXPECT_EQ(result.at("status"), "accepted");
    }
}

void expect_catch_up(Client& alice, Client& bob, const std::string& channel)
{
    wait_until("b.test has caught up", [&] { return bob.texts(channel).size() == messages; });
    EXPECT_EQ(alice.log(channel), bob.log(channel));
    const auto texts = bob.texts(channel);
    for (std::size_t i = 0; i < messages; ++i) EXPECT_EQ(texts[i], "message " + std::to_string(i));
    const auto last = alice.log(channel).back().id;
    wait_until("alice is told", [&] {
        const auto state = alice.delivery(last);
        return state.at("servers").value("b.test", false);
    });
}

TEST_F(Outage, AStoppedFollowerCatchesUpWithoutNewMessages)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob}, {{"history", "all"}});
    EXPECT_EQ(node("b.test").terminate(), 0);
    write_messages(alice, channel);
    node("b.test").start();
    expect_catch_up(alice, bob, channel);
}

// [RETRY-1]
TEST_F(Outage, AKilledFollowerCatchesUpWithoutNewMessages)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob}, {{"history", "all"}});
    node("b.test").kill9();
    write_messages(alice, channel);
    node("b.test").start();
    expect_catch_up(alice, bob, channel);
}

// [RETRY-1]
TEST_F(Outage, AHomeThatWasDownItselfDeliversWhatItOwes)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob}, {{"history", "all"}});
    node("b.test").kill9();
    write_messages(alice, channel);
    node("a.test").kill9();
    node("b.test").start();
    node("a.test").start();
    expect_catch_up(alice, bob, channel);
}

// [RETRY-1] [RETRY-2]
TEST_F(Outage, AWriterWhoseHomeIsAwayIsHeardWhenItComesBack)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob}, {{"history", "all"}});
    node("a.test").kill9();
    const auto posted = bob.post(channel, "are you there?");
    EXPECT_EQ(posted.at("status"), "pending");
    EXPECT_EQ(bob.delivery(posted.at("event")).at("status"), "pending");
    node("b.test").kill9();
    node("b.test").start();
    node("a.test").start();
    wait_until("alice reads it", [&] { return alice.texts(channel).size() == 1; });
    wait_until("bob is told its number",
               [&] { return bob.delivery(posted.at("event")).at("status") == "accepted"; });
    wait_until("both have it", [&] { return bob.log(channel) == alice.log(channel); });
}

}  // namespace
}  // namespace entente::e2e
