// An operator and an administrator at work on running servers: bans, suspensions, roles,
// passwords for one login, codes; and what of it other servers and the audit log see.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class Moderation : public WorldTest {
 protected:
    Told operate(std::vector<std::string> arguments)
    {
        auto told = control(node("a.test"), std::move(arguments));
        EXPECT_EQ(told.exit_code, 0) << told.output;
        return told;
    }
    static void expect_closed(LiveSocket& socket)
    {
        EXPECT_THROW(while (true) if (!socket.read(Milliseconds(20'000))) break, Broken);
    }
};

TEST_F(Moderation, ABanShutsOutAtOnceAndTheOtherServerSeesNobodyThere)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    EXPECT_EQ(bob.request("GET", "/users/alice@a.test").status, 200);
    auto socket = alice.open_socket();

    const auto banned = operate({"user", "ban", "alice", "--reason", "spam & more"});
    EXPECT_TRUE(banned.json.contains("banned_at")) << banned.output;
    EXPECT_EQ(banned.json.at("ended"), 1);
    expect_closed(socket);
    EXPECT_EQ(alice.request("GET", "/channels").status, 401);
    wait_until("the other server has heard of it",
               [&] { return bob.request("GET", "/users/alice@a.test").status == 404; });
    operate({"user", "unban", "alice@a.test"});
    alice.login();
    EXPECT_EQ(alice.request("GET", "/channels/" + channel).status, 200);
    wait_until("the other server has heard of that too",
               [&] { return bob.request("GET", "/users/alice@a.test").status == 200; });

    const auto entries = operate({"audit", "list"}).json.at("entries");
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries.at(1).at("act"), "user.ban");
    EXPECT_EQ(entries.at(1).at("actor"), "operator");
    EXPECT_EQ(entries.at(1).at("details").at("reason"), "spam & more");
}

TEST_F(Moderation, ASuspensionRestsSessionsUntilItIsLiftedHereAndElsewhere)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    EXPECT_EQ(bob.request("GET", "/users/alice@a.test").status, 200);
    auto socket = alice.open_socket();
    operate({"user", "suspend", "alice", "--reason", "until we have talked"});
    expect_closed(socket);
    EXPECT_EQ(alice.request("GET", "/channels").status, 401);
    wait_until("the other server sees nobody there",
               [&] { return bob.request("GET", "/users/alice@a.test").status == 404; });
    // What comes meanwhile is kept for her.
    bob.post(channel, "while she is away");
    operate({"user", "unsuspend", "alice"});
    EXPECT_EQ(alice.request("GET", "/channels/" + channel).status, 200)
        << "the session goes on, without another login";
    wait_until("she reads what has come", [&] {
        const auto texts = alice.texts(channel);
        return std::ranges::find(texts, "while she is away") != texts.end();
    });
    wait_until("the other server sees her again",
               [&] { return bob.request("GET", "/users/alice@a.test").status == 200; });
}

TEST_F(Moderation, AnAdministratorMadeByTheOperatorBansAndCantTouchAHigherRole)
{
    open({"a.test"});
    auto alice = person("a.test", "alice");
    auto mallory = person("a.test", "mallory");
    EXPECT_EQ(alice.request("GET", "/admin/users").status, 403);
    operate({"user", "role", "alice", "admin"});
    EXPECT_EQ(alice.call("GET", "/admin/users").at("users").size(), 3U);
    EXPECT_EQ(alice.call("POST", "/admin/users/mallory@a.test/ban", json::object()).at("state"),
              "banned");
    EXPECT_EQ(mallory.request("GET", "/channels").status, 401);
    EXPECT_EQ(alice.request("POST", "/admin/users/admin@a.test/ban", json::object()).status, 403);
    const auto refused = control(node("a.test"), {"user", "ban", "admin"});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.output.find("the last superadmin stays"), std::string::npos)
        << refused.output;
    EXPECT_EQ(control(node("a.test"), {"user", "show", "nobody"}).exit_code, 1);
    operate({"user", "suspend", "alice"});
    EXPECT_EQ(alice.request("GET", "/admin/users").status, 401);
    operate({"user", "unsuspend", "alice"});
    EXPECT_EQ(alice.request("GET", "/admin/users").status, 200);
    operate({"user", "sessions", "end", "alice"});
    EXPECT_EQ(alice.request("GET", "/admin/users").status, 401);
    operate({"user", "delete", "mallory"});
    EXPECT_TRUE(operate({"user", "show", "mallory"}).json.contains("deleted_at"));

    // What has been done survives a kill, and stays in order.
    node("a.test").kill9();
    node("a.test").start();
    std::vector<std::string> acts;
    const auto listed = operate({"audit", "list"}).json;
    for (const auto& entry : listed.at("entries"))
        acts.push_back(entry.at("act").get<std::string>() + " by " +
                       entry.at("actor").get<std::string>());
    EXPECT_EQ(acts,
              (std::vector<std::string>{
                  "server.setup by operator", "user.role by operator", "user.ban by alice@a.test",
                  "user.suspend by operator", "user.unsuspend by operator",
                  "user.end-sessions by operator", "user.delete by operator"}));
    const auto file = world().folder() + "/log";
    operate({"audit", "export", file});
    EXPECT_EQ(run_program({"ententctl", "audit", "verify", file}).exit_code, 0);
}

TEST_F(Moderation, APasswordForOneLoginGoesIntoAFileAndOpensOnce)
{
    open({"a.test"});
    auto alice = person("a.test", "alice");
    const auto file = world().folder() + "/secret";
    const auto told = operate({"user", "reset-password", "alice", "--secrets-file", file});
    EXPECT_FALSE(told.json.contains("password")) << told.output;
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto at = text.find("password: ");
    ASSERT_NE(at, std::string::npos) << text;
    const auto once = text.substr(at + 10, text.find('\n', at) - at - 10);
    EXPECT_EQ(alice.request("GET", "/channels").status, 401);
    json body{{"name", "alice"},
              {"password", once},
              {"device", {{"id", new_uuid()}, {"key", std::string(43, 'A')}}}};
    Client nobody(node("a.test"), "nobody");
    body["device"]["key"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    EXPECT_EQ(nobody.request("POST", "/auth/login", body).status, 403);
    body["new_password"] = "a password of my own";
    EXPECT_EQ(nobody.request("POST", "/auth/login", body).status, 200);
    EXPECT_EQ(nobody.request("POST", "/auth/login", body).status, 401);
    EXPECT_EQ(control(node("a.test"), {"user", "reset-password", "alice", "--secrets-file", file})
                  .exit_code,
              1)
        << "a file that is there stays";
}

TEST_F(Moderation, ACodeThatIsRevokedOpensNothing)
{
    open({"a.test"});
    node("a.test").terminate();
    node("a.test").run_as("ententd", {"ENTENTE_REGISTRATION_MODE=invite"});
    node("a.test").start();
    const auto made = operate({"user", "code", "create", "--uses", "2"});
    const auto other = operate({"user", "code", "create"});
    const auto register_with = [&](const std::string& name, const json& code) {
        Client client(node("a.test"), name);
        return client
            .request(
                "POST", "/auth/register",
                {{"name", name},
                 {"password", "a fine password"},
                 {"code", code},
                 {"device",
                  {{"id", new_uuid()}, {"key", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}}})
            .status;
    };
    EXPECT_EQ(register_with("alice", made.json.at("code")), 201);
    EXPECT_EQ(operate({"user", "code", "list"}).json.at("codes").size(), 2U);
    operate({"user", "code", "revoke", made.json.at("id")});
    EXPECT_EQ(register_with("bob", made.json.at("code")), 403);
    EXPECT_EQ(register_with("bob", other.json.at("code")), 201);
    EXPECT_TRUE(operate({"user", "code", "list"}).json.at("codes").empty());
    EXPECT_EQ(control(node("a.test"), {"user", "code", "revoke", made.json.at("id")}).exit_code, 1);
}

}  // namespace
}  // namespace entente::e2e
