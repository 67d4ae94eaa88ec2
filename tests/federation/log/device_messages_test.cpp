// Messages to single devices, here and between servers: stored once however often they come,
// in order, bounded, and refused where somebody hears of it [INBOX-12, INBOX-13].
#include "storage/mailbox_store.hpp"
#include "tests/federation/log/people_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;
using State = SendResult::State;

class DeviceMessagesTest : public ::testing::Test {
 protected:
    DeviceMessagesTest()
    {
        a.add_device("alice", 1);
        a.add_device("carol", 2);
        b.add_device("bob", 7);
        channel = shared_channel(a.server, b.server);
    }
    [[nodiscard]] Actor actor(const std::string& localpart, int device, int txn)
    {
        auto made = a.server.actor(localpart);
        made.device = device_id(device);
        made.txn.octets[15] = static_cast<std::uint8_t>(txn);
        if (const auto known = txns.find(txn); known != txns.end()) made.txn = known->second;
        txns[txn] = made.txn;
        return made;
    }
    [[nodiscard]] DeviceSend to_bob(const std::string& body = R"({"n":1})", int device = 7)
    {
        return {b.server.user("bob"), device_id(device), body};
    }
    [[nodiscard]] DeviceSend to_carol(const std::string& body = R"({"n":1})", int device = 2)
    {
        return {a.server.user("carol"), device_id(device), body};
    }
    std::vector<SendResult> send(const std::vector<DeviceSend>& messages, int txn = 1)
    {
        return two.servers.world.run(a.people->send(actor("alice", 1, txn), messages)).value();
    }
    static std::vector<std::string> bodies(const std::vector<MailItem>& items)
    {
        std::vector<std::string> texts;
        for (const auto& item : items) texts.push_back(item.body);
        return texts;
    }
    Result<void> acknowledge(std::int64_t number)
    {
        return two.servers.world.run(
            b.people->acknowledge(b.server.user("bob"), device_id(7), number));
    }
    // An event of a user of a.example, whatever a's own rules say.
    [[nodiscard]] EventAndContent event(const std::string& sender, const std::string& content,
                                        const std::string& to = "bob@b.example", Millis ahead = 0)
    {
        EventAndContent made;
        made.content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw")" + content + "}";
        protocol::EventDraft draft;
        draft.type = "device.message";
        draft.to = to;
        draft.sender = sender;
        draft.txn =
            protocol::make_uuid7(two.servers.world.clock.now_ms(), two.servers.world.random);
        draft.at = two.servers.world.clock.now_ms() + ahead;
        draft.content = made.content;
        made.event = protocol::write_event(draft);
        return made;
    }
    std::string receive(const EventAndContent& made)
    {
        protocol::OutgoingTransaction transaction;
        transaction.direct.push_back(made);
        const auto result = b.server.receive(a.server, transaction).direct.at(0);
        return result.problem ? std::string(protocol::code_name(result.problem->code))
                              : std::string(protocol::to_text(result.status));
    }
    [[nodiscard]] std::string message_for(int device)
    {
        return R"(,"device":")" + device_id(device).str() + R"(","message":{})";
    }
    void fill_mailbox()
    {
        auto filled = b.server.write([](storage::WriteTransaction& transaction) -> Result<void> {
            auto device = storage::find_device(transaction.db(), "bob", device_id(7));
            for (std::int64_t i = 0; i < storage::max_mailbox_messages / 2; ++i) {
                storage::MailRow row;
                row.source = "a.example";
                row.body = "{}";
                auto put = storage::put_mail(transaction.db(), **device, row);
                if (!put) return fail(put);
            }
            return {};
        });
        ASSERT_TRUE(filled);
    }

    TwoPeopleServers two;
    PeopleServer& a = two.a;
    PeopleServer& b = two.b;
    ChannelId channel;
    std::map<int, Uuid> txns;
};

using Texts = std::vector<std::string>;

// [INBOX-12]
TEST_F(DeviceMessagesTest, AMessageHereIsInTheMailboxOnceHoweverOftenItIsSent)
{
    const std::vector<DeviceSend> messages{to_carol(R"({"n":1})"), to_carol(R"({"n":2})")};
    for (int i = 0; i < 3; ++i) {
        const auto results = send(messages);
        EXPECT_EQ(results[0].state, State::accepted);
        EXPECT_EQ(results[1].state, State::accepted);
    }
    a.restart();
    send(messages);
    const auto mail = a.mail("carol", 2);
    EXPECT_EQ(bodies(mail), (Texts{R"({"n":1})", R"({"n":2})"}));
    EXPECT_EQ(mail[0].number, 1);
    EXPECT_EQ(mail[0].from, "alice@a.example");
    EXPECT_EQ(mail[0].from_device, device_id(1).str());
    EXPECT_EQ(a.heard.mailed.size(), 2U);
    send(messages, 2);
    EXPECT_EQ(a.mail("carol", 2).size(), 4U);
}

// [INBOX-12]
TEST_F(DeviceMessagesTest, AMessageToAnotherServerArrivesOnceThoughTheAnswerWasLost)
{
    EXPECT_EQ(send({to_bob(R"({ "octets" : "kept" })")}).at(0).state, State::pending);
    EXPECT_EQ(a.server.woken.back(), "b.example");
    send({to_bob(R"({ "octets" : "kept" })")});
    EXPECT_EQ(a.server.outgoing_direct(b.server).size(), 1U);
    a.deliver(true);
    b.restart();
    EXPECT_EQ(a.deliver().value().direct.at(0).status, ItemStatus::duplicate);
    EXPECT_FALSE(a.deliver());
    EXPECT_EQ(bodies(b.mail("bob", 7)), Texts{R"({ "octets" : "kept" })"});
    send({to_bob(R"({ "octets" : "kept" })")});
    EXPECT_FALSE(a.deliver());
}

TEST_F(DeviceMessagesTest, WhatIsAcknowledgedDoesNotComeAgainAndLaterOnesGoOn)
{
    send({to_bob("{}"), to_bob(R"({"n":2})"), to_bob(R"({"n":3})")});
    a.deliver();
    EXPECT_EQ(b.mail("bob", 7, 1).front().number, 2);
    ASSERT_TRUE(acknowledge(2));
    EXPECT_EQ(acknowledge(4).error().code, Code::malformed);
    b.restart();
    EXPECT_EQ(bodies(b.mail("bob", 7)), Texts{R"({"n":3})"});
    send({to_bob(R"({"n":4})")}, 2);
    a.deliver();
    EXPECT_EQ(b.mail("bob", 7).back().number, 4);
}

// [INBOX-12]
TEST_F(DeviceMessagesTest, AnUnknownDeviceIsSaidHereAtOnceAndThereByMail)
{
    const auto here = send({to_carol("{}", 9), to_carol("{}")});
    EXPECT_EQ(here[0].state, State::refused);
    EXPECT_EQ(here[0].problem->code, Code::not_found);
    EXPECT_EQ(here[1].state, State::accepted);
    EXPECT_EQ(send({to_bob("{}", 9)}, 2).at(0).state, State::pending);
    a.deliver();
    const auto news = a.mail("alice", 1);
    ASSERT_EQ(news.size(), 1U);
    EXPECT_EQ(news[0].problem, "not-found");
    EXPECT_EQ(news[0].body, R"({"txn":")" + txns[2].str() +
                                R"(","type":"device.message","user":"bob@b.example","device":")" +
                                device_id(9).str() + "\"}");
    EXPECT_EQ(a.heard.mailed.back(),
              (std::pair<std::string, Uuid>{"alice@a.example", device_id(1)}));
    EXPECT_FALSE(a.deliver());
}

// [INBOX-13]
TEST_F(DeviceMessagesTest, AFullMailboxRefusesAndItsServerDoesNotMakeTheOthersWait)
{
    fill_mailbox();
    send({to_bob("{}")});
    EXPECT_EQ(a.deliver().value().direct.at(0).status, ItemStatus::rejected);
    const auto news = a.mail("alice", 1);
    ASSERT_EQ(news.size(), 1U);
    EXPECT_EQ(news[0].problem, "forbidden");
    ASSERT_TRUE(acknowledge(1));
    send({to_bob("{}")}, 2);
    EXPECT_EQ(a.deliver().value().direct.at(0).status, ItemStatus::accepted);
}

TEST_F(DeviceMessagesTest, AThousandMessagesOfAUserWaitForAServerAtMost)
{
    const std::vector<DeviceSend> hundred(100, to_bob("{}"));
    for (int i = 1; i <= 10; ++i) {
        for (const auto& result : send(hundred, i)) ASSERT_EQ(result.state, State::pending);
    }
    const auto beyond = send({to_bob("{}"), to_carol("{}")}, 11);
    EXPECT_EQ(beyond[0].state, State::refused);
    EXPECT_EQ(beyond[0].problem->code, Code::rate_limited);
    EXPECT_EQ(beyond[1].state, State::accepted);
    // What was refused is tried anew under the same txn, what was taken isn't.
    a.deliver();
    const auto again = send({to_bob("{}"), to_carol("{}")}, 11);
    EXPECT_EQ(again[0].state, State::pending);
    EXPECT_EQ(a.mail("carol", 2).size(), 1U);
}

TEST_F(DeviceMessagesTest, AnotherMessageUnderTheSameTxnIsRefusedAsAConflict)
{
    ASSERT_EQ(send({to_bob(R"({"n":1})"), to_carol(R"({"n":1})")})[1].state, State::accepted);
    const auto again = send({to_bob(R"({"n":2})"), to_carol(R"({"n":2})")});
    for (const auto& result : again) {
        ASSERT_EQ(result.state, State::refused);
        EXPECT_EQ(result.problem->code, Code::conflict);
    }
    EXPECT_EQ(bodies(a.mail("carol", 2)), Texts{R"({"n":1})"});
    a.deliver();
    EXPECT_EQ(bodies(b.mail("bob", 7)), Texts{R"({"n":1})"});
}

// [INBOX-13]
TEST_F(DeviceMessagesTest, ServersThatAreHardlyKnownAreHeardForAcquaintancesAlone)
{
    b.server.tier = trust::Tier::guest;
    EXPECT_EQ(receive(event("alice@a.example", message_for(7))), "accepted");
    EXPECT_EQ(receive(event("carol@a.example", message_for(7))), "forbidden");
    b.server.tier = trust::Tier::known;
    EXPECT_EQ(receive(event("carol@a.example", message_for(7))), "accepted");
    EXPECT_EQ(b.mail("bob", 7).size(), 2U);
}

TEST_F(DeviceMessagesTest, APolicyRefusesAMessageOrPutsItOff)
{
    b.server.tier = trust::Tier::known;
    EXPECT_EQ(receive(event("alice@a.example", message_for(7))), "accepted");
    b.server.enforce(R"({"id":"r","actions":["device.send"],)"
                     R"("when":{"eq":["subject.id","alice@a.example"]},"effects":["deny"]})");
    EXPECT_EQ(receive(event("alice@a.example", message_for(7))), "forbidden");
    EXPECT_EQ(receive(event("carol@a.example", message_for(7))), "accepted");
    b.server.enforce(R"({"id":"r","actions":["device.send"],)"
                     R"("effects":[{"limit":{"count":1,"seconds":60}}]})");
    EXPECT_EQ(receive(event("alice@a.example", message_for(7))), "accepted");
    EXPECT_EQ(receive(event("alice@a.example", message_for(7))), "rate-limited");
    EXPECT_EQ(b.mail("bob", 7).size(), 3U);
}

// [INBOX-13] Anybody may invite anybody.
TEST_F(DeviceMessagesTest, AnInvitationMakesNoAcquaintanceUntilItIsAccepted)
{
    b.server.tier = trust::Tier::known;
    const auto channel = a.server.create("carol");
    const auto bob = b.server.user("bob");
    ASSERT_TRUE(
        two.servers.world.run(a.server.channels->invite(a.server.actor("carol"), channel, bob)));
    settle_all(a.server, b.server);
    b.server.tier = trust::Tier::guest;
    ASSERT_EQ(two.servers.world.run(b.server.channels->invitations(bob))->size(), 1U);
    EXPECT_EQ(receive(event("carol@a.example", message_for(7))), "forbidden");
    ASSERT_TRUE(two.servers.world.run(b.server.channels->join(b.server.actor("bob"), channel)));
    settle_all(b.server, a.server);
    EXPECT_EQ(receive(event("carol@a.example", message_for(7))), "accepted");
}

// [INBOX-12]
TEST_F(DeviceMessagesTest, ABadMessageIsRefusedAloneAndLeavesNothing)
{
    EXPECT_EQ(receive(event("alice@a.example", "")), "malformed");
    EXPECT_EQ(receive(event("alice@a.example", R"(,"device":"x","message":{})")), "malformed");
    const auto with_message = [&](const std::string& message) {
        return event("alice@a.example",
                     R"(,"device":")" + device_id(7).str() + R"(","message":)" + message);
    };
    const std::string most =
        R"({"k":")" + std::string(protocol::max_device_message_octets - 8, 'k') + "\"}";
    EXPECT_EQ(receive(with_message(most + " ")), "accepted");
    EXPECT_EQ(receive(with_message(R"({"kk)" + most.substr(3))), "malformed");
    EXPECT_EQ(receive(with_message("[]")), "malformed");
    ASSERT_TRUE(acknowledge(1));
    EXPECT_EQ(receive(event("a.example", message_for(7))), "forbidden");
    EXPECT_EQ(receive(event("alice@a.example", message_for(8))), "not-found");
    EXPECT_EQ(receive(event("alice@a.example", message_for(7), "nobody@b.example")), "not-found");
    EXPECT_EQ(receive(event("alice@a.example", message_for(7), "b.example")), "not-found");
    EXPECT_EQ(receive(event("alice@a.example", message_for(7), "bob@c.example")), "not-found");
    EXPECT_TRUE(b.mail("bob", 7).empty());
    const auto made = event("alice@a.example", message_for(7));
    EXPECT_EQ(receive(made), "accepted");
    EXPECT_EQ(receive(made), "duplicate");
    EXPECT_EQ(b.mail("bob", 7).size(), 1U);
}

// [INBOX-4] [EVT-5] The order of one author's messages holds; others needn't wait.
TEST_F(DeviceMessagesTest, BehindADeferredMessageItsAuthorsLaterOnesAreDeferred)
{
    protocol::OutgoingTransaction transaction;
    transaction.direct = {event("alice@a.example", message_for(7), "bob@b.example", 61'000),
                          event("alice@a.example", message_for(7)),
                          event("carol@a.example", message_for(7))};
    using enum ItemStatus;
    std::vector<ItemStatus> statuses;
    for (const auto& result : b.server.receive(a.server, transaction).direct)
        statuses.push_back(result.status);
    EXPECT_EQ(statuses, (std::vector{deferred, deferred, accepted}));
    EXPECT_EQ(b.mail("bob", 7).size(), 1U);
    two.servers.world.clock.now += 1'000;
    statuses.clear();
    for (const auto& result : b.server.receive(a.server, transaction).direct)
        statuses.push_back(result.status);
    EXPECT_EQ(statuses, (std::vector{accepted, accepted, duplicate}));
}

// [INBOX-12]
TEST_F(DeviceMessagesTest, AMessageThatIsTooLongIsRefusedAlone)
{
    const std::string most =
        R"({"k":")" + std::string(protocol::max_device_message_octets - 8, 'k') + "\"}";
    ASSERT_EQ(most.size(), protocol::max_device_message_octets);
    const auto results = send({to_bob(most), to_bob(most + " "), to_bob("{}")});
    EXPECT_EQ(results[0].state, State::pending);
    EXPECT_EQ(results[1].problem->code, Code::too_large);
    EXPECT_EQ(results[2].state, State::pending);
    a.deliver();
    EXPECT_EQ(b.mail("bob", 7).size(), 2U);
}

}  // namespace
}  // namespace entente::federation::log_rig
