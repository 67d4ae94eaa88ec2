// Messages to single devices over REST and the WebSocket: order, acknowledgement, reconnects.
#include "rig.hpp"
#include "socket_client.hpp"

namespace entente::api::testing {
namespace {

const std::string send_path = "/api/v1/devices/messages";

class Mail : public ::testing::Test {
 protected:
    Mail() : alice(rig.person("alice")), bob(rig.person("bob")) {}

    static json to_bob(int n, int device = 1)
    {
        return {{"user", "bob@a.test"}, {"device", uuid(device)}, {"message", {{"n", n}}}};
    }
    Answer send(const std::vector<json>& messages, int txn)
    {
        return rig.post(send_path, {{"txn", uuid(txn)}, {"messages", messages}}, alice.access);
    }
    // The numbers and contents of what comes next, until there are `count`.
    static std::vector<std::pair<int, int>> read(SocketClient& socket, std::size_t count)
    {
        std::vector<std::pair<int, int>> seen;
        while (seen.size() < count) {
            const auto frame = socket.read_until("device.message");
            for (const auto& item : frame["device.message"])
                seen.emplace_back(item["number"], item["message"]["n"]);
        }
        return seen;
    }

    Rig rig;
    Person alice, bob;
};

using Seen = std::vector<std::pair<int, int>>;

TEST_F(Mail, WhatWaitedAndWhatComesArriveInOrderOnceOnASocket)
{
    ASSERT_EQ(send({to_bob(1), to_bob(2)}, 1).status, 201);
    SocketClient phone{rig.port(), rig.ticket(bob)};
    EXPECT_EQ(read(phone, 2), (Seen{{1, 1}, {2, 2}}));
    for (int n = 3; n <= 10; ++n) send({to_bob(n)}, n);
    EXPECT_EQ(read(phone, 8),
              (Seen{{3, 3}, {4, 4}, {5, 5}, {6, 6}, {7, 7}, {8, 8}, {9, 9}, {10, 10}}));
    phone.send({{"ping", true}});
    phone.read_until("pong");
    EXPECT_TRUE(phone.passed.empty());
}

TEST_F(Mail, ADeviceSaysWhoAMessageIsFrom)
{
    send({to_bob(1)}, 1);
    SocketClient phone{rig.port(), rig.ticket(bob)};
    const auto item = phone.read_until("device.message")["device.message"][0];
    EXPECT_EQ(item["from"], "alice@a.test");
    EXPECT_EQ(item["device"], uuid(1));
    EXPECT_EQ(item["at"], "2025-11-21T00:00:00.000Z");
}

TEST_F(Mail, WhatWasNotAcknowledgedComesAgainOnTheNextSocketAndOverARestart)
{
    send({to_bob(1), to_bob(2), to_bob(3)}, 1);
    {
        SocketClient phone{rig.port(), rig.ticket(bob)};
        EXPECT_EQ(read(phone, 3).size(), 3U);
        phone.send({{"ack", 2}});
        phone.send({{"ack", 9}});
        EXPECT_EQ(phone.read_until("problem")["problem"]["detail"],
                  "/ack: no message has that number");
    }
    rig.restart();
    SocketClient again{rig.port(), rig.ticket(bob)};
    EXPECT_EQ(read(again, 1), (Seen{{3, 3}}));
    send({to_bob(4)}, 2);
    EXPECT_EQ(read(again, 1), (Seen{{4, 4}}));
}

TEST_F(Mail, ARequestSentTwiceIsOneMessageEachAndAnswersTheSame)
{
    const auto first = send({to_bob(1), to_bob(2), to_bob(1, 9)}, 1);
    EXPECT_EQ(first.body["results"][0]["status"], "accepted");
    EXPECT_EQ(first.body["results"][2]["status"], "refused");
    EXPECT_EQ(first.body["results"][2]["problem"]["type"], "urn:entente:problem:not-found");
    EXPECT_EQ(send({to_bob(1), to_bob(2), to_bob(1, 9)}, 1).body, first.body);
    SocketClient phone{rig.port(), rig.ticket(bob)};
    EXPECT_EQ(read(phone, 2), (Seen{{1, 1}, {2, 2}}));
    phone.send({{"ping", true}});
    phone.read_until("pong");
    EXPECT_TRUE(phone.passed.empty());
}

TEST_F(Mail, AMessageToAnotherServerIsPendingAndItsServerIsWoken)
{
    json message = to_bob(1);
    message["user"] = "dora@b.test";
    EXPECT_EQ(send({message}, 1).body["results"][0]["status"], "pending");
    rig.on_io([&] { EXPECT_EQ(rig.woken, std::vector<std::string>{"b.test"}); });
}

TEST_F(Mail, OnlyTheDeviceThatIsMeantHearsOfIt)
{
    const auto login = rig.post("/api/v1/auth/login", credentials("bob", "a fine password", 2));
    const Person tablet{bob.user, login.body["access_token"], login.body["refresh_token"]};
    SocketClient first{rig.port(), rig.ticket(bob)};
    SocketClient second{rig.port(), rig.ticket(tablet)};
    send({to_bob(1, 2)}, 1);
    EXPECT_EQ(read(second, 1), (Seen{{1, 1}}));
    first.send({{"ping", true}});
    first.read_until("pong");
    EXPECT_TRUE(first.passed.empty());
}

TEST_F(Mail, ALargeMailboxComesInPages)
{
    const std::string text(5'000, 'x');
    for (int txn = 1; txn <= 3; ++txn) {
        std::vector<json> messages;
        for (int n = 1; n <= 100; ++n) {
            auto message = to_bob(n);
            message["message"]["text"] = text;
            messages.push_back(std::move(message));
        }
        ASSERT_EQ(send(messages, txn).status, 201);
    }
    SocketClient phone{rig.port(), rig.ticket(bob)};
    const auto seen = read(phone, 300);
    for (int i = 0; i < 300; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)].first, i + 1);
}

TEST_F(Mail, ARequestIsRefusedWithAPointerToWhatIsWrong)
{
    EXPECT_EQ(send({}, 1).hint(), "/messages: at least one is needed");
    json nameless = to_bob(1);
    nameless["user"] = "bob";
    EXPECT_EQ(send({nameless}, 1).hint(), "/messages/0/user: name@server is needed");
    auto text = to_bob(1);
    text["message"] = "text";
    EXPECT_EQ(send({to_bob(1), text}, 1).hint(), "/messages/1/message: an object is needed");
    EXPECT_EQ(send(std::vector<json>(101, to_bob(1)), 1).status, 413);
    SocketClient phone{rig.port(), rig.ticket(bob)};
    phone.send({{"ack", "x"}});
    EXPECT_EQ(phone.read_until("problem")["problem"]["detail"],
              "/ack: the number of a message is needed");
}

}  // namespace
}  // namespace entente::api::testing
