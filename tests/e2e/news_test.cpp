// Signals, changes, reports, withdrawn invitations and media between real servers.
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

using News = WorldTest;

TEST_F(News, TypingAndReadMarksReachTheOtherServersDevices)
{
    open({"a.test", "b.test", "c.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    auto carol = person("c.test", "carol");
    const auto channel = shared_channel(alice, {&bob, &carol});
    std::vector<LiveSocket> sockets;
    for (auto* client : {&alice, &bob, &carol}) {
        sockets.push_back(client->open_socket());
        sockets.back().send({{"follow", "all"}});
        sockets.back().read_until("following");
    }
    const auto seen = [](LiveSocket& socket) { return socket.read_until("signal").at("signal"); };
    sockets[1].send({{"typing", {{channel, true}}}});
    for (const std::size_t at : {0U, 2U}) {
        const auto signals = seen(sockets[at]);
        EXPECT_EQ(signals.at(0).at("type"), "typing");
        EXPECT_EQ(signals.at(0).at("user"), bob.user());
        EXPECT_EQ(signals.at(0).at("on"), true);
    }
    alice.post(channel, "read me");
    wait_until("bob has it", [&] { return !bob.texts(channel).empty(); });
    const auto latest = bob.channel(channel).at("latest").get<std::int64_t>();
    sockets[1].send({{"read", {{channel, latest}}}});
    for (auto& socket : sockets) {
        const auto signals = seen(socket);
        EXPECT_EQ(signals.at(0).at("type"), "read");
        EXPECT_EQ(signals.at(0).at("seq"), latest);
    }
    EXPECT_EQ(bob.channel(channel).at("read"), latest);
    EXPECT_EQ(carol.channel(channel).at("read"), 0);
    node("b.test").kill9();
    node("b.test").start();
    EXPECT_EQ(bob.channel(channel).at("read"), latest);
}

TEST_F(News, AChangeIsHeardOnTheOtherServerWhichThenAsksAnew)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    EXPECT_EQ(alice.call("GET", "/users/" + bob.user()).at("name"), "");
    auto socket = alice.open_socket();
    bob.call("PATCH", "/users/me", {{"name", "Bob"}});
    EXPECT_EQ(socket.read_until("changed").at("changed").at("user"), bob.user());
    EXPECT_EQ(alice.call("GET", "/users/" + bob.user()).at("name"), "Bob");
    bob.call("POST", "/keys/upload", {{"keys", {{"identity", "i"}}}});
    EXPECT_EQ(socket.read_until("changed").at("changed").at("user"), bob.user());
    EXPECT_EQ(alice.call("GET", "/users/" + bob.user()).at("devices").at(0).at("keys"),
              (json{{"identity", "i"}}));
}

// [QRY-11]
TEST_F(News, AFileIsFetchedFromTheServerThatHasIt)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const json octets{{"as", "good as any"}};  // its text is the file
    const auto stored = bob.call("POST", "/media", octets);
    const auto path = "/media/b.test/" + stored.at("id").get<std::string>();
    EXPECT_EQ(alice.fetch(path), octets.dump());
    node("b.test").kill9();
    EXPECT_EQ(alice.request("GET", path).status, 503);
    node("b.test").start();
    wait_until("the file is there again", [&] { return alice.request("GET", path).status == 200; });
    EXPECT_EQ(alice.request("GET", "/media/a.test/" + stored.at("id").get<std::string>()).status,
              404);
}

}  // namespace
}  // namespace entente::e2e
