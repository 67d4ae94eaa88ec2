// Devices, keys and people between real servers.
#include <thread>

#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class People : public WorldTest {
 protected:
    static json one_time(int first, int last)
    {
        json keys = json::array();
        for (int id = first; id <= last; ++id)
            keys.push_back({{"kind", "x3dh"}, {"id", id}, {"key", {{"n", id}}}});
        return keys;
    }
    static std::string device_of(Client& client)
    {
        return client.call("GET", "/devices").at("devices").at(0).at("device");
    }
    static json claim(Client& asker, const std::string& user, const std::string& device,
                      const std::string& txn)
    {
        return asker
            .call("POST", "/keys/claim",
                  {{"txn", txn},
                   {"claims", {{{"user", user}, {"device", device}, {"kind", "x3dh"}}}}})
            .at("keys")
            .at(0);
    }
};

TEST_F(People, TwoServersThatAskAtTheSameInstantGetDifferentKeys)
{
    open({"a.test", "b.test", "c.test"});
    auto alice = person("a.test", "alice");
    auto carol = person("c.test", "carol");
    auto bob = person("b.test", "bob");
    const auto device = device_of(bob);
    // So that the servers know each other and none waits for a key.
    bob.call("POST", "/keys/upload", {{"fallback", {{{"kind", "x3dh"}, {"key", {{"f", 1}}}}}}});
    EXPECT_EQ(claim(alice, bob.user(), device, new_uuid()).at("fallback"), true);
    EXPECT_EQ(claim(carol, bob.user(), device, new_uuid()).at("fallback"), true);

    constexpr int rounds = 20;
    std::vector<int> given;
    for (int round = 1; round <= rounds; ++round) {
        bob.call("POST", "/keys/upload", {{"one_time", one_time(round, round)}});
        json first, second;
        std::thread other([&] { first = claim(alice, bob.user(), device, new_uuid()); });
        second = claim(carol, bob.user(), device, new_uuid());
        other.join();
        int once = 0;
        for (const auto& key : {first, second}) {
            if (key.contains("fallback")) continue;
            ++once;
            EXPECT_EQ(key.at("key").at("n"), round);
        }
        EXPECT_EQ(once, 1) << first << second;
    }
}

TEST_F(People, ARepeatedClaimGetsTheSameKeyThoughBothServersWereKilled)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto device = device_of(bob);
    bob.call("POST", "/keys/upload", {{"one_time", one_time(1, 5)}});
    const auto txn = new_uuid();
    const auto first = claim(alice, bob.user(), device, txn);
    EXPECT_EQ(first.at("key").at("n"), 1);
    for (const char* const server : {"b.test", "a.test"}) {
        node(server).kill9();
        node(server).start();
    }
    EXPECT_EQ(claim(alice, bob.user(), device, txn), first);
    EXPECT_EQ(claim(alice, bob.user(), device, new_uuid()).at("key").at("n"), 2);
    EXPECT_EQ(bob.call("GET", "/keys/count").at("counts").at("x3dh"), 3);
}

TEST_F(People, AMessageToADeviceArrivesOnceThoughServersAreKilledOnItsWay)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    const auto device = device_of(bob);
    int sent = 0;
    const auto send = [&](const std::string& txn) {
        const json message{{"user", bob.user()}, {"device", device}, {"message", {{"n", sent}}}};
        const auto answer = alice.call("POST", "/devices/messages",
                                       {{"txn", txn}, {"messages", json::array({message})}});
        EXPECT_EQ(answer.at("results").at(0).at("status"), "pending");
    };
    // What bob's device reads, however often it has to come back for it.
    std::vector<int> numbers;
    const auto read = [&](std::size_t count) {
        auto socket = bob.open_socket();
        while (numbers.size() < count) {
            const auto frame = socket.read_until("device.message");
            for (const auto& item : frame.at("device.message")) {
                EXPECT_EQ(item.at("message").at("n"), item.at("number"));
                numbers.push_back(item.at("number"));
            }
        }
        socket.send({{"ack", numbers.back()}, {"ping", true}});
        socket.read_until("pong");
    };
    for (int round = 0; round < 3; ++round) {
        // The author's server dies once it has said that the message is on its way.
        ++sent;
        const auto txn = new_uuid();
        send(txn);
        node("a.test").kill9();
        node("a.test").start();
        send(txn);
        // The recipient's dies between having taken it and having delivered it.
        wait_until("b.test has taken the message", [&] {
            auto socket = bob.open_socket();
            return socket.read(Milliseconds(200)).has_value();
        });
        node("b.test").kill9();
        node("b.test").start();
        read(static_cast<std::size_t>(sent));
    }
    node("a.test").kill9();
    node("a.test").start();
    ++sent;
    send(new_uuid());
    read(static_cast<std::size_t>(sent));
    EXPECT_EQ(numbers, (std::vector<int>{1, 2, 3, 4}));
}

TEST_F(People, ADeviceHearsThatAMessageOfItsOwnWasRefusedElsewhere)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    const auto txn = new_uuid();
    const auto nowhere = new_uuid();
    const json message{{"user", bob.user()}, {"device", nowhere}, {"message", json::object()}};
    alice.call("POST", "/devices/messages", {{"txn", txn}, {"messages", json::array({message})}});
    auto socket = alice.open_socket();
    const auto item = socket.read_until("device.message").at("device.message").at(0);
    EXPECT_EQ(item.at("refused").at("txn"), txn);
    EXPECT_EQ(item.at("refused").at("type"), "device.message");
    EXPECT_EQ(item.at("refused").at("user"), bob.user());
    EXPECT_EQ(item.at("refused").at("device"), nowhere);
    EXPECT_EQ(item.at("refused").at("problem").at("type"), "urn:entente:problem:not-found");
}

TEST_F(People, AUserOfAnotherServerIsShownWithDevicesAndKeys)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    bob.call("PATCH", "/users/me", {{"name", "Bob"}});
    bob.call("POST", "/keys/upload", {{"keys", {{"identity", "i"}}}});
    const auto shown = alice.call("GET", "/users/" + bob.user());
    EXPECT_EQ(shown.at("name"), "Bob");
    EXPECT_EQ(shown.at("devices").at(0).at("keys").at("identity"), "i");
    EXPECT_EQ(alice.request("GET", "/users/nobody@b.test").status, 404);
    node("b.test").kill9();
    EXPECT_EQ(alice.request("GET", "/users/other@b.test").status, 503);
}

}  // namespace
}  // namespace entente::e2e
