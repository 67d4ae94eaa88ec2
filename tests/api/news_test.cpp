// Reports and changes over REST and the WebSocket, against the real store.
#include "protocol/problem.hpp"
#include "rig.hpp"
#include "socket_client.hpp"

namespace entente::api::testing {
namespace {

class News : public ::testing::Test {
 protected:
    News() : alice(rig.person("alice")), bob(rig.person("bob")) {}

    Answer report(const json& body) { return rig.post("/api/v1/reports", body, alice.access); }
    Person administrator()
    {
        rig.person("root");
        auto done =
            rig.await(rig.commit().write([](storage::WriteTransaction& transaction) {
                return transaction.db().execute(
                    "UPDATE account_user SET role = 'admin' WHERE localpart = 'root'");
            }));
        EXPECT_TRUE(done);
        const auto login = rig.post("/api/v1/auth/login", credentials("root", "a fine password"));
        return {"root@a.test", login.body["access_token"], login.body["refresh_token"]};
    }

    Rig rig;
    Person alice, bob;
};

TEST_F(News, AReportIsListedForAdministratorsUntilOneIsDoneWithIt)
{
    const json body{{"txn", uuid(1)}, {"user", "bob@a.test"}, {"reason", "is \"rude\""}};
    ASSERT_EQ(report(body).status, 201);
    ASSERT_EQ(report(body).status, 201);
    const auto root = administrator();
    EXPECT_EQ(rig.get("/api/v1/admin/reports", alice.access).status, 403);
    const auto listed = rig.get("/api/v1/admin/reports", root.access);
    ASSERT_EQ(listed.body["reports"].size(), 1U);
    const auto& one = listed.body["reports"][0];
    EXPECT_EQ(one["from"], "alice@a.test");
    EXPECT_EQ(one["user"], "bob@a.test");
    EXPECT_EQ(one["origin"], "a.test");
    EXPECT_EQ(one["reason"], "is \"rude\"");
    const auto path = "/api/v1/admin/reports/" + std::to_string(one["id"].get<int>());
    EXPECT_EQ(rig.request("DELETE", path, json::object(), alice.access).status, 403);
    EXPECT_EQ(rig.request("DELETE", path, json::object(), root.access).status, 204);
    EXPECT_EQ(rig.request("DELETE", path, json::object(), root.access).status, 404);
    EXPECT_TRUE(rig.get("/api/v1/admin/reports", root.access).body["reports"].empty());
}

TEST_F(News, AReportOfAnotherServersUserWakesThatServer)
{
    EXPECT_EQ(report({{"txn", uuid(1)}, {"user", "dora@b.test"}}).status, 201);
    rig.on_io([&] { EXPECT_EQ(rig.woken, std::vector<std::string>{"b.test"}); });
    EXPECT_EQ(report({{"txn", uuid(2)}, {"user", "nobody@a.test"}}).status, 404);
    EXPECT_EQ(report({{"txn", uuid(3)}, {"user", "x"}}).hint(), "/user: name@server is needed");
    EXPECT_EQ(report({{"txn", uuid(4)}, {"user", "bob@a.test"}, {"event", "x"}}).hint(),
              "/event: not an event's id");
}

TEST_F(News, AUserReportsAHundredTimesADayAtMost)
{
    auto options = roomy_options();
    options.reports_a_day = 2;
    Rig other{options};
    const auto carl = other.person("carl");
    const auto send = [&](int txn) {
        return other
            .post("/api/v1/reports", {{"txn", uuid(txn)}, {"user", "carl@a.test"}}, carl.access)
            .status;
    };
    EXPECT_EQ(send(1), 201);
    EXPECT_EQ(send(2), 201);
    EXPECT_EQ(send(3), 429);
}

TEST_F(News, OnesOtherDevicesHearOfAChange)
{
    SocketClient phone{rig.port(), rig.ticket(alice)};
    SocketClient other{rig.port(), rig.ticket(bob)};
    rig.request("PATCH", "/api/v1/users/me", {{"name", "Alice"}}, alice.access);
    EXPECT_EQ(phone.read_until("changed")["changed"]["user"], "alice@a.test");
    rig.post("/api/v1/keys/upload", {{"keys", json::object()}}, alice.access);
    EXPECT_EQ(phone.read_until("changed")["changed"]["user"], "alice@a.test");
    other.send({{"ping", true}});
    other.read_until("pong");
    EXPECT_TRUE(other.passed.empty());
}

TEST_F(News, ASignalForAChannelOfWhichOneIsNoMemberIsRefused)
{
    SocketClient phone{rig.port(), rig.ticket(alice)};
    const std::string channel = "019aa3b5-ec00-7001-8001-000000000001@a.test";
    phone.send({{"typing", {{channel, true}}}});
    EXPECT_EQ(phone.read_until("problem")["problem"]["type"], "urn:entente:problem:not-found");
    phone.send({{"typing", {{channel, "yes"}}}});
    EXPECT_EQ(phone.read_until("problem")["problem"]["detail"],
              "/typing/" + channel + ": not a value of its type");
}

}  // namespace
}  // namespace entente::api::testing
