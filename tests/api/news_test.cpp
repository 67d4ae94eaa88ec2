// Reports, changes and media over REST and the WebSocket, against the real store.
#include "protocol/octets.hpp"
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
        auto done = rig.await(rig.commit().write([](storage::WriteTransaction& transaction) {
            return transaction.db().execute(
                "UPDATE account_user SET role = 'admin' WHERE localpart = 'root'");
        }));
        EXPECT_TRUE(done);
        const auto login = rig.post("/api/v1/auth/login", credentials("root", "a fine password"));
        return {"root@a.test", login.body["access_token"], login.body["refresh_token"]};
    }
    Answer upload(const Person& person, const std::string& octets)
    {
        return rig.post_text("/api/v1/media", octets, "image/png", person.access);
    }
    static std::string id_of(const std::string& octets)
    {
        return protocol::to_base64url(protocol::sha256(octets));
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
    const json verdict{{"verdict", "upheld"}};
    EXPECT_EQ(rig.post(path + "/close", verdict, alice.access).status, 403);
    EXPECT_EQ(rig.post(path + "/close", verdict, root.access).body["verdict"], "upheld");
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

TEST_F(News, AFileIsGivenBackToAnyUserAsNothingThatIsShown)
{
    const std::string octets("<html>\0\xff", 8);
    const auto stored = upload(alice, octets);
    ASSERT_EQ(stored.status, 201) << stored.text;
    EXPECT_EQ(stored.body["id"], id_of(octets));
    EXPECT_EQ(stored.body["server"], "a.test");
    const auto path = "/api/v1/media/a.test/" + id_of(octets);
    const auto given = rig.get(path, bob.access);
    EXPECT_EQ(given.status, 200);
    EXPECT_EQ(given.text, octets);
    EXPECT_EQ(given.field("content-type"), "application/octet-stream");
    EXPECT_EQ(given.field("content-disposition"), "attachment");
    EXPECT_EQ(given.field("x-content-type-options"), "nosniff");
    EXPECT_EQ(given.field("content-digest"),
              "sha-256=:" + protocol::to_base64(protocol::as_view(protocol::sha256(octets))) + ":");
    EXPECT_EQ(rig.get(path).status, 401);
    EXPECT_EQ(rig.get("/api/v1/media/a.test/" + id_of("other"), bob.access).status, 404);
    EXPECT_EQ(rig.get("/api/v1/media/a.test/..%2F..%2Fdb", bob.access).status, 404);
    rig.restart();
    EXPECT_EQ(rig.get(path, bob.access).text, octets);
}

TEST_F(News, AFileIsBoundedAndSoIsWhatAUserBringsInADay)
{
    EXPECT_EQ(upload(alice, "").status, 400);
    EXPECT_EQ(upload(alice, std::string(100'001, 'x')).status, 413);
    EXPECT_EQ(upload(alice, std::string(100'000, 'x')).status, 201);
    EXPECT_EQ(upload(alice, std::string(100'000, 'y')).status, 201);
    EXPECT_EQ(upload(alice, std::string(50'001, 'z')).status, 429);
    // What is there already costs nothing.
    EXPECT_EQ(upload(alice, std::string(100'000, 'x')).status, 201);
    EXPECT_EQ(upload(bob, std::string(100'000, 'z')).status, 201);
    EXPECT_EQ(upload(alice, std::string(50'000, 'z')).status, 201);
    rig.clock.advance_s(86'400);
    const auto login = rig.post("/api/v1/auth/login", credentials("alice", "a fine password"));
    alice.access = login.body["access_token"];
    EXPECT_EQ(upload(alice, std::string(50'001, 'z')).status, 201);
}

TEST_F(News, AFileOfAnotherServerIsTakenOnlyIfItIsTheOneThatIsNamed)
{
    const std::string octets(90'000, 'q');
    rig.on_io([&] {
        rig.answer_query = [&](const protocol::ServerName& server, const std::string& target,
                               const std::string&) {
            federation::Answer answer;
            answer.status = 200;
            answer.is_signed = true;
            answer.body = octets;
            if (server.str() == "c.test") answer.body += "!";
            if (target != "/federation/v1/media/" + id_of(octets)) {
                answer.status = 404;
                answer.problem = Error{Code::not_found, "", "", 0};
            }
            return answer;
        };
    });
    const auto get = [&](const std::string& server, const std::string& of) {
        return rig.get("/api/v1/media/" + server + "/" + id_of(of), bob.access);
    };
    EXPECT_EQ(get("b.test", octets).text, octets);
    EXPECT_EQ(get("c.test", octets).status, 503);
    EXPECT_EQ(get("b.test", "other").status, 404);
}

TEST_F(News, AFileThatAClientShowsByItselfIsNotFetchedFromAServerInQuarantine)
{
    int asked = 0;
    rig.on_io([&] {
        rig.tier_of_files = trust::Tier::quarantined;
        rig.answer_query = [&](const protocol::ServerName&, const std::string&,
                               const std::string&) {
            ++asked;
            federation::Answer answer;
            answer.status = 200;
            answer.is_signed = true;
            answer.body = "tulips";
            return answer;
        };
    });
    const auto path = "/api/v1/media/b.test/" + id_of("tulips");
    const auto refused = rig.get(path + "?shown=1", bob.access);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.hint(), "no policy rule allows it");
    EXPECT_EQ(asked, 0) << "that server isn't called either";
    EXPECT_EQ(rig.get(path + "?shown=0", bob.access).text, "tulips");
    EXPECT_EQ(rig.get(path, bob.access).text, "tulips");
    for (const auto* other : {"?shown=", "?shown=2"})
        EXPECT_EQ(rig.get(path + other, bob.access).status, 400) << other;
    rig.on_io([&] { rig.tier_of_files = trust::Tier::guest; });
    EXPECT_EQ(rig.get(path + "?shown=1", bob.access).text, "tulips");
    rig.on_io([&] { rig.answer_query = {}; });
}

TEST(MediaRoomTest, IsBoundedForEachAndForAllAndComesBack)
{
    federation::MediaRoom room(100, 60);
    auto first = room.take("alice", 60);
    ASSERT_TRUE(first);
    EXPECT_FALSE(room.take("alice", 1));
    auto second = room.take("bob", 40);
    ASSERT_TRUE(second);
    EXPECT_FALSE(room.take("carl", 1));
    first.reset();
    EXPECT_EQ(room.held(), 40U);
    EXPECT_TRUE(room.take("carl", 60));
    EXPECT_EQ(room.held(), 40U);
}

}  // namespace
}  // namespace entente::api::testing
