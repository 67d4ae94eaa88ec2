// What administrators do to people, over HTTPS and the WebSocket: who may, what comes of it, and
// that all of it is in the audit log.
#include "rig.hpp"
#include "socket_client.hpp"

namespace entente::api::testing {
namespace {

constexpr const char* admin_login_path = "/api/v1/auth/login";
constexpr const char* admin_list_path = "/api/v1/channels";

class AdminUsers : public ::testing::Test {
 protected:
    AdminUsers() : alice(rig.person("alice")), root(with_role("root", "superadmin")) {}

    Person with_role(const std::string& name, const std::string& role)
    {
        auto person = rig.person(name);
        auto done = rig.await(rig.commit().write([&](storage::WriteTransaction& transaction) {
            return transaction.db().execute("UPDATE account_user SET role = '" + role +
                                            "' WHERE localpart = '" + name + "'");
        }));
        EXPECT_TRUE(done);
        return log_in(name);
    }
    Person log_in(const std::string& name)
    {
        const auto login = rig.post(admin_login_path, credentials(name, "a fine password"));
        EXPECT_EQ(login.status, 200) << login.text;
        return {name + "@a.test", login.body["access_token"], login.body["refresh_token"]};
    }
    Answer act(const Person& by, const std::string& user, const std::string& what,
               const json& body = json::object())
    {
        return rig.post("/api/v1/admin/users/" + user + "/" + what, body, by.access);
    }
    // Until the server closes it.
    static void read_to_end(SocketClient& socket)
    {
        ASSERT_EQ(socket.status(), 101);
        while (socket.read()) {
        }
    }
    int login_status(const std::string& name)
    {
        return rig.post(admin_login_path, credentials(name, "a fine password")).status;
    }
    std::vector<std::string> audited()
    {
        std::vector<std::string> acts;
        const auto log = rig.get("/api/v1/admin/audit?limit=200", root.access);
        for (const auto& entry : log.body.at("entries"))
            acts.insert(acts.begin(), entry.at("act").get<std::string>() + " " +
                                          entry.at("object").get<std::string>());
        return acts;
    }

    Rig rig;
    Person alice, root;
};

TEST_F(AdminUsers, ABanEndsAllSessionsAtOnceAndIsInTheLog)
{
    const auto second = rig.post(admin_login_path, credentials("alice", "a fine password", 2));
    ASSERT_EQ(second.status, 200);
    SocketClient socket{rig.port(), rig.ticket(alice)};
    const auto banned = act(root, "alice@a.test", "ban", {{"reason", "sold \"watches\""}});
    ASSERT_EQ(banned.status, 200) << banned.text;
    EXPECT_EQ(banned.body["state"], "banned");
    EXPECT_EQ(banned.body["sessions"], 0);
    read_to_end(socket);
    EXPECT_EQ(rig.get(admin_list_path, alice.access).status, 401);
    EXPECT_EQ(rig.get(admin_list_path, second.body["access_token"]).status, 401);
    EXPECT_EQ(rig.post("/api/v1/auth/refresh", {{"refresh_token", alice.refresh}}).status, 401);
    const auto login = rig.post(admin_login_path, credentials("alice", "a fine password"));
    EXPECT_EQ(login.status, 403);
    EXPECT_EQ(login.hint(), "this account is banned");
    EXPECT_EQ(rig.get("/api/v1/users/alice@a.test", root.access).status, 404);

    const auto log = rig.get("/api/v1/admin/audit", root.access).body.at("entries");
    ASSERT_EQ(log.size(), 1U);
    EXPECT_EQ(log[0]["actor"], "root@a.test");
    EXPECT_EQ(log[0]["act"], "user.ban");
    EXPECT_EQ(log[0]["object"], "alice@a.test");
    EXPECT_EQ(log[0]["details"], (json{{"reason", "sold \"watches\""}, {"sessions", 2}}));

    // It was so already: told again, and nothing is done or noted.
    EXPECT_EQ(act(root, "alice@a.test", "ban").status, 200);
    EXPECT_EQ(audited().size(), 1U);
    EXPECT_EQ(act(root, "alice@a.test", "unban").body["state"], "active");
    EXPECT_EQ(rig.get(admin_list_path, alice.access).status, 401) << "a new login is needed";
    EXPECT_EQ(login_status("alice"), 200);
}

TEST_F(AdminUsers, ASuspensionShutsOutUntilItIsLifted)
{
    SocketClient socket{rig.port(), rig.ticket(alice)};
    EXPECT_EQ(act(root, "alice@a.test", "suspend").body["state"], "suspended");
    read_to_end(socket);
    EXPECT_EQ(rig.get(admin_list_path, alice.access).status, 401);
    EXPECT_EQ(login_status("alice"), 403);
    EXPECT_EQ(act(root, "alice@a.test", "unsuspend").body["state"], "active");
    EXPECT_EQ(rig.get(admin_list_path, alice.access).status, 200) << "the same session goes on";
}

TEST_F(AdminUsers, SessionsAreEndedAndNothingElse)
{
    EXPECT_EQ(act(root, "alice@a.test", "end-sessions").status, 200);
    EXPECT_EQ(rig.get(admin_list_path, alice.access).status, 401);
    EXPECT_EQ(login_status("alice"), 200);
    EXPECT_EQ(audited(), std::vector<std::string>{"user.end-sessions alice@a.test"});
}

TEST_F(AdminUsers, ARoleCountsFromTheNextRequestOn)
{
    EXPECT_EQ(rig.get("/api/v1/admin/users", alice.access).status, 403);
    EXPECT_EQ(act(root, "alice@a.test", "role", {{"role", "admin"}}).body["role"], "admin");
    EXPECT_EQ(rig.get("/api/v1/admin/users", alice.access).status, 200);
    EXPECT_EQ(act(root, "alice@a.test", "role", {{"role", "user"}}).status, 200);
    EXPECT_EQ(rig.get("/api/v1/admin/users", alice.access).status, 403);
    EXPECT_EQ(act(root, "alice@a.test", "role", {{"role", "king"}}).hint(),
              "/role: user, admin or superadmin is needed");
    EXPECT_EQ(act(root, "alice@a.test", "role").hint(), "/role: is required");
    const auto log = rig.get("/api/v1/admin/audit", root.access).body.at("entries");
    EXPECT_EQ(log[1]["details"], (json{{"before", "user"}, {"role", "admin"}}));
}

TEST_F(AdminUsers, NobodyActsOnHimselfOrAHigherRole)
{
    const auto bob = with_role("bob", "admin");
    EXPECT_EQ(act(alice, "bob@a.test", "ban").hint(), "this user has a higher role");
    rig.person("carol");
    EXPECT_EQ(act(alice, "carol@a.test", "ban").hint(), "no policy rule allows it");
    EXPECT_EQ(act(bob, "root@a.test", "ban").hint(), "this user has a higher role");
    EXPECT_EQ(act(bob, "root@a.test", "end-sessions").hint(), "this user has a higher role");
    EXPECT_EQ(act(bob, "bob@a.test", "suspend").hint(), "nobody does this to himself");
    EXPECT_EQ(act(bob, "alice@a.test", "role", {{"role", "admin"}}).hint(),
              "no policy rule allows it");
    for (const auto* what : {"suspend", "ban", "delete", "end-sessions", "reset-password"})
        EXPECT_EQ(act(root, "root@a.test", what).status, 403) << what;
    EXPECT_EQ(act(root, "root@a.test", "role", {{"role", "user"}}).status, 403);
    EXPECT_TRUE(audited().empty()) << "what is refused isn't done";
    EXPECT_EQ(act(bob, "alice@a.test", "ban").status, 200);
}

// Each asks for the other's ban; the writer lets one through, and the other is no administrator
// any more.
TEST_F(AdminUsers, TwoWhoBanOneAnotherDontBothSucceed)
{
    const auto other = with_role("other", "superadmin");
    const auto judge = [&](const Person& by, const std::string& user) {
        return rig.api().administration().judge(
            {rig.await(rig.api().administration().account(by.user.substr(0, by.user.find('@'))))
                 ->id,
             by.user},
            user, {trust::Judgement::ban, storage::AccountRole::user, ""});
    };
    auto first = judge(root, "other");
    auto second = judge(other, "root");
    ASSERT_TRUE(rig.await(std::move(first)));
    const auto refused = rig.await(std::move(second));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().hint, "this account may do nothing any more");
    EXPECT_EQ(rig.get(admin_list_path, root.access).status, 200);
}

TEST_F(AdminUsers, TheOperatorTooLeavesTheLastSuperadmin)
{
    const auto judge = [&](trust::Judgement judgement, const std::string& user) {
        return rig.await(rig.api().administration().judge(
            {}, user, {judgement, storage::AccountRole::admin, ""}));
    };
    for (const auto judgement : {trust::Judgement::suspend, trust::Judgement::ban,
                                 trust::Judgement::remove, trust::Judgement::set_role})
        EXPECT_EQ(judge(judgement, "root").error().hint, "the last superadmin stays");
    const auto other = with_role("other", "superadmin");
    EXPECT_TRUE(judge(trust::Judgement::ban, "root"));
    EXPECT_EQ(judge(trust::Judgement::ban, "other").error().hint, "the last superadmin stays");
    EXPECT_EQ(rig.get("/api/v1/admin/audit", other.access).body["entries"][0]["actor"], "operator");
}

TEST_F(AdminUsers, APasswordForOneLoginIsReplacedByIt)
{
    const auto reset = act(root, "alice@a.test", "reset-password");
    ASSERT_EQ(reset.status, 200) << reset.text;
    EXPECT_EQ(reset.field("cache-control"), "no-store");
    const std::string once = reset.body["password"];
    EXPECT_EQ(rig.get(admin_list_path, alice.access).status, 401);
    EXPECT_EQ(login_status("alice"), 401) << "the password of before";
    EXPECT_EQ(rig.post(admin_login_path, credentials("alice", once)).hint(),
              "/new_password: this password is for one login: one of your own is needed with it");
    auto body = credentials("alice", once);
    body["new_password"] = "short";
    EXPECT_EQ(rig.post(admin_login_path, body).hint(), "/new_password: at least 8 octets");
    body["new_password"] = once;
    EXPECT_EQ(rig.post(admin_login_path, body).hint(), "/new_password: it has to be another");
    body["new_password"] = "my own password";
    ASSERT_EQ(rig.post(admin_login_path, body).status, 200);
    EXPECT_EQ(rig.post(admin_login_path, body).status, 401) << "for one login";
    EXPECT_EQ(rig.post(admin_login_path, credentials("alice", "my own password")).status, 200);
    for (const auto& text : audited()) EXPECT_EQ(text, "user.reset-password alice@a.test");
    EXPECT_EQ(rig.get("/api/v1/admin/audit", root.access).text.find(once), std::string::npos);
}

TEST_F(AdminUsers, APasswordForOneLoginIsOverAfterThreeDays)
{
    auto body = credentials("alice", act(root, "alice@a.test", "reset-password").body["password"]);
    body["new_password"] = "my own password";
    rig.clock.advance_s(one_time_password_life_ms / 1000 - 1);
    auto early = body;
    early["new_password"] = "short";
    EXPECT_EQ(rig.post(admin_login_path, early).status, 400);
    rig.clock.advance_s(1);
    EXPECT_EQ(rig.post(admin_login_path, body).status, 401);
}

TEST_F(AdminUsers, ADeletedAccountIsGoneAndItsNameStaysTaken)
{
    EXPECT_EQ(act(root, "alice@a.test", "delete").body["state"], "deleted");
    EXPECT_EQ(rig.get(admin_list_path, alice.access).status, 401);
    EXPECT_EQ(login_status("alice"), 401) << "as one who never was";
    EXPECT_EQ(rig.get("/api/v1/users/alice@a.test", root.access).status, 404);
    EXPECT_EQ(rig.post("/api/v1/auth/register", credentials("alice", "a fine password", 9)).status,
              409);
    EXPECT_EQ(act(root, "alice@a.test", "ban").status, 404);
    EXPECT_EQ(rig.get("/api/v1/admin/users/alice@a.test", root.access).body["state"], "deleted");
}

TEST_F(AdminUsers, ListsComeInPages)
{
    rig.person("bob");
    std::vector<std::string> users;
    std::string cursor;
    for (int page = 0; page < 5; ++page) {
        const auto answer = rig.get("/api/v1/admin/users?limit=2&cursor=" + cursor, root.access);
        ASSERT_EQ(answer.status, 200) << answer.text;
        for (const auto& user : answer.body["users"]) users.push_back(user["user"]);
        if (answer.body["next"].is_null()) break;
        cursor = answer.body["next"];
    }
    EXPECT_EQ(users, (std::vector<std::string>{"alice@a.test", "bob@a.test", "root@a.test"}));
    const auto hint = [&](const std::string& query) {
        return rig.get("/api/v1/admin/users?" + query, root.access).hint();
    };
    EXPECT_EQ(hint("limit=0"), "?limit: an integer from 1 to 200 is needed");
    EXPECT_EQ(hint("limit=201"), "?limit: an integer from 1 to 200 is needed");
    EXPECT_EQ(hint("limit=200"), "");
    EXPECT_EQ(hint("cursor=%25"), "?cursor: not one of ours");
    EXPECT_EQ(rig.get("/api/v1/admin/users/nobody@a.test", root.access).status, 404);
    EXPECT_EQ(rig.get("/api/v1/admin/users/alice@b.test", root.access).status, 404);
    EXPECT_EQ(act(root, "alice@a.test", "ban", {{"reason", std::string(1025, 'x')}}).hint(),
              "/reason: at most 1024 octets");
    EXPECT_EQ(act(root, "alice@a.test", "ban", {{"reason", std::string(1024, 'x')}}).status, 200);
}

// What can't be noted isn't done.
TEST_F(AdminUsers, AReasonThatIsNoTextIsRefusedBeforeAnythingIsDone)
{
    const auto judge = [&](const std::string& reason) {
        return rig.await(rig.api().administration().judge(
            {}, "alice", {trust::Judgement::ban, storage::AccountRole::user, reason}));
    };
    EXPECT_EQ(judge("\xff").error().hint, "/reason: text in UTF-8 is needed");
    EXPECT_EQ(judge(std::string(1025, 'x')).error().code, Code::too_large);
    EXPECT_EQ(rig.get(admin_list_path, alice.access).status, 200);
    EXPECT_TRUE(judge("a\nb\x7f\x01 \"c\""));
    EXPECT_EQ(audited(), std::vector<std::string>{"user.ban alice@a.test"});
}

TEST_F(AdminUsers, TheLogComesInPagesTheNewestFirst)
{
    EXPECT_EQ(rig.get("/api/v1/admin/audit", alice.access).status, 403);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(act(root, "alice@a.test", "end-sessions").status, 200);
    const auto page = [&](const std::string& query) {
        return rig.get("/api/v1/admin/audit?" + query, root.access).body;
    };
    const auto first = page("limit=2");
    ASSERT_EQ(first["entries"].size(), 2U);
    EXPECT_EQ(first["entries"][0]["seq"], 3);
    const auto rest = page("limit=2&cursor=" + first["next"].get<std::string>());
    ASSERT_EQ(rest["entries"].size(), 1U);
    EXPECT_EQ(rest["entries"][0]["seq"], 1);
    EXPECT_TRUE(rest["next"].is_null());
    EXPECT_EQ(rig.get("/api/v1/admin/audit?cursor=eA", root.access).hint(),
              "?cursor: not one of ours");
}

TEST_F(AdminUsers, CodesAreMadeListedAndRevoked)
{
    const auto made = rig.post("/api/v1/admin/registration-codes", {{"uses", 3}}, root.access);
    ASSERT_EQ(made.status, 201) << made.text;
    const std::string id = made.body["id"];
    const auto listed = rig.get("/api/v1/admin/registration-codes", root.access);
    ASSERT_EQ(listed.body["codes"].size(), 1U) << listed.text;
    EXPECT_EQ(listed.body["codes"][0]["id"], id);
    EXPECT_EQ(listed.body["codes"][0]["uses_left"], 3);
    EXPECT_EQ(listed.body["codes"][0]["made_by"], "root@a.test");
    EXPECT_EQ(listed.text.find(made.body["code"].get<std::string>()), std::string::npos);
    const auto path = "/api/v1/admin/registration-codes/" + id;
    EXPECT_EQ(rig.request("DELETE", path, json::object(), alice.access).status, 403);
    EXPECT_EQ(rig.request("DELETE", path, json::object(), root.access).status, 204);
    EXPECT_EQ(rig.request("DELETE", path, json::object(), root.access).status, 404);
    EXPECT_EQ(audited(), (std::vector<std::string>{"code.create " + id, "code.revoke " + id}));
}

TEST_F(AdminUsers, ARepeatedCodeIsTheFirstOneAlsoOverARestart)
{
    const auto make = [&](const json& body) {
        return rig.post("/api/v1/admin/registration-codes", body, root.access);
    };
    const json wish{{"txn", uuid(1)}, {"uses", 2}, {"expires_in", 3'600}};
    const auto first = make(wish);
    ASSERT_EQ(first.status, 201) << first.text;
    rig.clock.advance_s(60);
    EXPECT_EQ(make(wish).text, first.text);
    rig.restart();
    EXPECT_EQ(make(wish).text, first.text);
    EXPECT_EQ(rig.get("/api/v1/admin/registration-codes", root.access).body["codes"].size(), 1U);
    EXPECT_EQ(audited().size(), 1U) << "and once in the audit log";

    EXPECT_EQ(make({{"txn", uuid(1)}, {"uses", 3}, {"expires_in", 3'600}}).status, 409);
    EXPECT_EQ(make({{"txn", uuid(1)}, {"uses", 2}, {"expires_in", 3'601}}).status, 409);
    EXPECT_EQ(make({{"txn", "no uuid"}}).status, 400);
    EXPECT_NE(make({{"txn", uuid(2)}, {"uses", 2}, {"expires_in", 3'600}}).body["code"],
              first.body["code"]);
    EXPECT_NE(make({{"uses", 2}}).body["code"], make({{"uses", 2}}).body["code"]);
    // Who has revoked it isn't surprised by it.
    const auto path = "/api/v1/admin/registration-codes/" + first.body["id"].get<std::string>();
    EXPECT_EQ(rig.request("DELETE", path, json::object(), root.access).status, 204);
    EXPECT_EQ(make(wish).text, first.text);
    EXPECT_EQ(rig.request("DELETE", path, json::object(), root.access).status, 404);
}

}  // namespace
}  // namespace entente::api::testing
