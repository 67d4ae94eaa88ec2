// Devices, keys and people over REST, against the real store; another server is a function.
#include "protocol/problem.hpp"
#include "rig.hpp"
#include "socket_client.hpp"

namespace entente::api::testing {
namespace {

json one_time(int first, int last)
{
    json keys = json::array();
    for (int id = first; id <= last; ++id)
        keys.push_back({{"kind", "x3dh"}, {"id", id}, {"key", {{"n", id}}}});
    return keys;
}

json claim_of(const std::string& user, int device = 1, const std::string& kind = "x3dh")
{
    return {{"user", user}, {"device", uuid(device)}, {"kind", kind}};
}

class Devices : public ::testing::Test {
 protected:
    Devices() : alice(rig.person("alice")), bob(rig.person("bob")) {}

    Answer upload(const Person& person, const json& body)
    {
        return rig.post("/api/v1/keys/upload", body, person.access);
    }
    Answer claim(const Person& person, const std::vector<json>& claims, int txn)
    {
        return rig.post("/api/v1/keys/claim", {{"txn", uuid(txn)}, {"claims", claims}},
                        person.access);
    }
    // What another server says.
    static federation::Answer signed_answer(int status, std::string body)
    {
        federation::Answer answer;
        answer.status = status;
        answer.is_signed = true;
        if (status != 200) answer.problem = protocol::parse_problem(body);
        answer.body = std::move(body);
        return answer;
    }

    Rig rig;
    Person alice, bob;
};

TEST_F(Devices, AUserSeesHerDevicesAndNamesThem)
{
    ASSERT_EQ(rig.post("/api/v1/auth/login", credentials("alice", "a fine password", 2)).status,
              200);
    auto listed = rig.get("/api/v1/devices", alice.access);
    ASSERT_EQ(listed.status, 200);
    ASSERT_EQ(listed.body["devices"].size(), 2U);
    EXPECT_EQ(listed.body["devices"][0]["device"], uuid(1));
    EXPECT_EQ(listed.body["devices"][0]["key"], device_key(1));
    EXPECT_EQ(listed.body["devices"][0]["current"], true);
    EXPECT_FALSE(listed.body["devices"][1].contains("current"));
    const auto named =
        rig.post("/api/v1/devices", {{"device", uuid(2)}, {"name", "pocket \"x\""}}, alice.access);
    EXPECT_EQ(named.status, 200);
    EXPECT_EQ(named.body["name"], "pocket \"x\"");
    listed = rig.get("/api/v1/devices", alice.access);
    EXPECT_EQ(listed.body["devices"][1]["name"], "pocket \"x\"");
    EXPECT_EQ(rig.post("/api/v1/devices", {{"device", uuid(2)}, {"name", "x"}}, bob.access).status,
              404);
}

TEST_F(Devices, RevokingADeviceEndsItsSessionsAndItsSocket)
{
    const auto other = rig.post("/api/v1/auth/login", credentials("alice", "a fine password", 2));
    ASSERT_EQ(other.status, 200);
    const Person second{alice.user, other.body["access_token"], other.body["refresh_token"]};
    SocketClient socket{rig.port(), rig.ticket(second)};
    socket.send({{"ping", true}});
    socket.read_until("pong");
    const auto path = "/api/v1/devices/" + uuid(2);
    EXPECT_EQ(rig.request("DELETE", path, json::object(), bob.access).status, 404);
    EXPECT_EQ(rig.request("DELETE", path, json::object(), alice.access).status, 204);
    while (socket.read()) {
    }
    EXPECT_EQ(rig.get("/api/v1/devices", second.access).status, 401);
    EXPECT_EQ(rig.post("/api/v1/auth/refresh", {{"refresh_token", second.refresh}}).status, 401);
    EXPECT_EQ(rig.get("/api/v1/devices", alice.access).body["devices"].size(), 1U);
    EXPECT_EQ(rig.post("/api/v1/auth/login", credentials("alice", "a fine password", 2)).status,
              403);
}

TEST_F(Devices, KeysAreCountedAndEachIsGivenOnceThenTheFallback)
{
    const auto uploaded = upload(bob, {{"keys", {{"identity", "i"}}},
                                       {"one_time", one_time(1, 2)},
                                       {"fallback", {{{"kind", "x3dh"}, {"key", {{"f", 1}}}}}}});
    ASSERT_EQ(uploaded.status, 200) << uploaded.text;
    EXPECT_EQ(uploaded.body["counts"]["x3dh"], 2);
    EXPECT_EQ(uploaded.body["fallback"], json::array({"x3dh"}));
    const auto both = claim(alice, {claim_of(bob.user), claim_of(bob.user)}, 1);
    ASSERT_EQ(both.status, 200) << both.text;
    EXPECT_EQ(both.body["keys"][0]["key"]["n"], 1);
    EXPECT_EQ(both.body["keys"][1]["key"]["n"], 2);
    EXPECT_FALSE(both.body["keys"][1].contains("fallback"));
    const auto third = claim(alice, {claim_of(bob.user)}, 2);
    EXPECT_EQ(third.body["keys"][0]["key"]["f"], 1);
    EXPECT_EQ(third.body["keys"][0]["fallback"], true);
    // The first answer again, whatever is left.
    EXPECT_EQ(claim(alice, {claim_of(bob.user), claim_of(bob.user)}, 1).body, both.body);
    EXPECT_EQ(claim(alice, {claim_of(bob.user)}, 1).status, 409);
    // Another's txn is another's.
    EXPECT_EQ(claim(bob, {claim_of(bob.user)}, 1).body["keys"][0]["fallback"], true);
    EXPECT_EQ(rig.get("/api/v1/keys/count", bob.access).body["counts"]["x3dh"], 0);
}

TEST_F(Devices, AClaimOfWhatIsNotThereGivesNoKeyAndFailsNoOther)
{
    ASSERT_EQ(upload(bob, {{"one_time", one_time(1, 1)}}).status, 200);
    const auto given = claim(alice,
                             {claim_of("nobody@a.test"), claim_of(bob.user, 9), claim_of(bob.user),
                              claim_of(bob.user, 1, "mls")},
                             1);
    ASSERT_EQ(given.status, 200);
    EXPECT_TRUE(given.body["keys"][0]["key"].is_null());
    EXPECT_TRUE(given.body["keys"][1]["key"].is_null());
    EXPECT_EQ(given.body["keys"][2]["key"]["n"], 1);
    EXPECT_TRUE(given.body["keys"][3]["key"].is_null());
}

TEST_F(Devices, AClaimAsksEachServerForItsUsersUnderOneTxn)
{
    std::vector<std::string> txns;
    rig.on_io([&] {
        rig.answer_query = [&](const protocol::ServerName& server, const std::string& target,
                               const std::string& body) {
            EXPECT_EQ(target, "/federation/v1/keys/claim");
            if (server.str() == "c.test")
                return signed_answer(
                    429, protocol::problem_json(Error{Code::rate_limited, "", "", 5}, 0));
            const auto asked = json::parse(body);
            txns.push_back(asked["txn"]);
            json keys = json::array();
            for (auto key : asked["claims"]) {
                key["key"] = {{"from", server.str()}};
                keys.push_back(key);
            }
            return signed_answer(200, json{{"keys", keys}}.dump());
        };
    });
    ASSERT_EQ(upload(bob, {{"one_time", one_time(1, 1)}}).status, 200);
    const std::vector<json> claims{claim_of("dora@b.test"), claim_of(bob.user),
                                   claim_of("carl@c.test"), claim_of("dirk@b.test")};
    const auto given = claim(alice, claims, 1);
    ASSERT_EQ(given.status, 200) << given.text;
    EXPECT_EQ(given.body["keys"][0]["key"]["from"], "b.test");
    EXPECT_EQ(given.body["keys"][1]["key"]["n"], 1);
    EXPECT_TRUE(given.body["keys"][2]["key"].is_null());
    EXPECT_EQ(given.body["keys"][2]["problem"]["type"], "urn:entente:problem:rate-limited");
    EXPECT_EQ(given.body["keys"][3]["user"], "dirk@b.test");
    EXPECT_EQ(given.body["keys"][3]["key"]["from"], "b.test");
    claim(alice, claims, 1);
    claim(alice, claims, 2);
    claim(bob, claims, 1);
    ASSERT_EQ(txns.size(), 4U);
    EXPECT_EQ(txns[0], txns[1]);
    EXPECT_NE(txns[0], txns[2]);
    EXPECT_NE(txns[0], txns[3]);
}

TEST_F(Devices, FewKeysAreToldToTheirDeviceNowAndWhenItComesBack)
{
    SocketClient phone{rig.port(), rig.ticket(bob)};
    ASSERT_EQ(upload(bob, {{"one_time", one_time(1, 21)}}).status, 200);
    claim(alice, {claim_of(bob.user)}, 1);
    claim(alice, {claim_of(bob.user)}, 2);
    EXPECT_EQ(phone.read_until("keys.low")["keys.low"]["x3dh"], 19);
    SocketClient again{rig.port(), rig.ticket(bob)};
    EXPECT_EQ(again.read_until("keys.low")["keys.low"]["x3dh"], 19);
    SocketClient other{rig.port(), rig.ticket(alice)};
    other.send({{"ping", true}});
    other.read_until("pong");
    EXPECT_TRUE(other.passed.empty());
}

TEST_F(Devices, AnUploadIsRefusedWithAPointerToWhatIsWrong)
{
    EXPECT_EQ(upload(bob, {{"keys", 1}}).hint(), "/keys: an object is needed");
    EXPECT_EQ(
        upload(bob, {{"one_time", {{{"kind", "x"}, {"id", 0}, {"key", json::object()}}}}}).hint(),
        "/one_time/0/id: an integer from 1 to 9007199254740991 is needed");
    EXPECT_EQ(upload(bob, {{"fallback", {{{"kind", "X"}, {"key", json::object()}}}}}).hint(),
              "/fallback/0/kind: 1 to 32 of a-z 0-9 - are needed");
    const std::string big(8 * 1024, 'k');
    EXPECT_EQ(upload(bob, {{"keys", {{"k", big}}}}).hint(), "/keys: at most 8192 octets");
    EXPECT_EQ(upload(bob, {{"one_time", one_time(1, 201)}}).status, 413);
    EXPECT_EQ(rig.get("/api/v1/keys/count", bob.access).body["counts"], json::object());
    EXPECT_EQ(rig.post_text("/api/v1/keys/upload", "{}", "text/plain", bob.access).status, 415);
}

TEST_F(Devices, APersonShowsNameAvatarAndWhatTheDevicesPublish)
{
    ASSERT_EQ(upload(bob, {{"keys", {{"identity", "i"}}}}).status, 200);
    const auto changed = rig.request("PATCH", "/api/v1/users/me",
                                     {{"name", "Bob"}, {"avatar", "m@a.test"}}, bob.access);
    ASSERT_EQ(changed.status, 200) << changed.text;
    const auto shown = rig.get("/api/v1/users/bob@a.test", alice.access);
    ASSERT_EQ(shown.status, 200);
    EXPECT_EQ(shown.body, changed.body);
    EXPECT_EQ(shown.body["name"], "Bob");
    EXPECT_EQ(shown.body["devices"][0]["device"], uuid(1));
    EXPECT_EQ(shown.body["devices"][0]["keys"]["identity"], "i");
    EXPECT_FALSE(shown.body["devices"][0].contains("name"));
    rig.request("PATCH", "/api/v1/users/me", {{"name", ""}}, bob.access);
    const auto own = rig.get("/api/v1/users/me", bob.access);
    EXPECT_EQ(own.body["name"], "");
    EXPECT_EQ(own.body["avatar"], "m@a.test");
    EXPECT_EQ(rig.get("/api/v1/users/nobody@a.test", alice.access).status, 404);
    EXPECT_EQ(rig.get("/api/v1/users/bob", alice.access).status, 404);
    EXPECT_EQ(
        rig.request("PATCH", "/api/v1/users/me", {{"name", std::string(257, 'n')}}, bob.access)
            .status,
        400);
}

TEST_F(Devices, AUserOfAnotherServerIsAskedForOnceAndForgottenAfterTenMinutes)
{
    int asked = 0;
    rig.on_io([&] {
        rig.answer_query = [&](const protocol::ServerName&, const std::string& target,
                               const std::string&) {
            ++asked;
            if (target == "/federation/v1/users/dora")
                return signed_answer(
                    200, R"({"user":"dora@b.test","name":"Dora","avatar":"","devices":[]})");
            if (target == "/federation/v1/users/liar")
                return signed_answer(
                    200, R"({"user":"dora@b.test","name":"Dora","avatar":"","devices":[]})");
            return signed_answer(404, protocol::problem_json(Error{Code::not_found, "", "", 0}, 0));
        };
    });
    EXPECT_EQ(rig.get("/api/v1/users/dora@b.test", alice.access).body["name"], "Dora");
    EXPECT_EQ(rig.get("/api/v1/users/dora@b.test", bob.access).body["name"], "Dora");
    EXPECT_EQ(asked, 1);
    rig.clock.advance_s(601);
    EXPECT_EQ(rig.get("/api/v1/users/dora@b.test", alice.access).status, 200);
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(rig.get("/api/v1/users/ghost@b.test", alice.access).status, 404);
    EXPECT_EQ(rig.get("/api/v1/users/liar@b.test", alice.access).status, 503);
    rig.on_io([&] { rig.answer_query = nullptr; });
    EXPECT_EQ(rig.get("/api/v1/users/ghost@b.test", alice.access).status, 503);
}

TEST(DevicesAndRates, ClaimsAndLookUpsElsewhereAreBoundedPerUser)
{
    auto options = roomy_options();
    options.people = {1, 5};
    Rig rig{options};
    const auto alice = rig.person("alice");
    const auto bob = rig.person("bob");
    const auto claim = [&](const Person& person, int count, int txn) {
        return rig
            .post("/api/v1/keys/claim",
                  {{"txn", uuid(txn)},
                   {"claims",
                    std::vector<json>(static_cast<std::size_t>(count), claim_of("alice@a.test"))}},
                  person.access)
            .status;
    };
    EXPECT_EQ(claim(alice, 5, 1), 200);
    EXPECT_EQ(claim(alice, 1, 2), 429);
    EXPECT_EQ(rig.get("/api/v1/users/dora@b.test", alice.access).status, 429);
    EXPECT_EQ(rig.get("/api/v1/users/bob@a.test", alice.access).status, 200);
    EXPECT_EQ(claim(bob, 5, 1), 200);
    rig.clock.advance_s(1);
    EXPECT_EQ(claim(alice, 1, 2), 200);
}

}  // namespace
}  // namespace entente::api::testing
