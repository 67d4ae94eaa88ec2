// Registration, login, sessions and tokens, over HTTPS.
#include <chrono>
#include <set>

#include "protocol/octets.hpp"
#include "rig.hpp"
#include "storage/account_admin_store.hpp"

namespace entente::api::testing {
namespace {

constexpr const char* list_path = "/api/v1/channels";
constexpr const char* login_path = "/api/v1/auth/login";
constexpr const char* register_path = "/api/v1/auth/register";
constexpr const char* refresh_path = "/api/v1/auth/refresh";

ApiOptions with(Registration registration)
{
    auto options = roomy_options();
    options.registration = registration;
    return options;
}

void add_code(Rig& rig, const std::string& code, std::int64_t uses, protocol::Seconds life)
{
    auto job = [&](storage::WriteTransaction& transaction) {
        return storage::make_invite_code(transaction.db(),
                                         {protocol::sha256(code), uses, rig.clock.now_ms(),
                                          rig.clock.now_ms() + life * 1000, "operator"});
    };
    const auto added = rig.await(rig.commit().write(std::move(job)));
    ASSERT_TRUE(added) << added.error().detail;
}

TEST(Auth, RegistrationGivesTokensThatOpenTheApi)
{
    Rig rig;
    const auto answer = rig.post(register_path, credentials("alice", "a fine password"));
    ASSERT_EQ(answer.status, 201) << answer.text;
    EXPECT_EQ(answer.body["user"], "alice@a.test");
    EXPECT_EQ(answer.body["role"], "user");
    EXPECT_EQ(answer.body["expires_in"], 900);
    EXPECT_EQ(answer.field("cache-control"), "no-store");
    EXPECT_EQ(rig.get(list_path, answer.body["access_token"]).status, 200);
    EXPECT_EQ(rig.get(list_path).status, 401);
    EXPECT_EQ(rig.get(list_path).field("www-authenticate"), "Bearer");
}

TEST(Auth, TheTokenNamesUserDeviceKeySessionAndRole)
{
    Rig rig;
    const auto answer = rig.post(register_path, credentials("alice", "a fine password", 7));
    const std::string token = answer.body["access_token"];
    const auto first = token.find('.');
    const auto second = token.find('.', first + 1);
    const auto claims =
        json::parse(protocol::from_base64url(token.substr(first + 1, second - first - 1)).value());
    EXPECT_EQ(claims["sub"], "alice@a.test");
    EXPECT_EQ(claims["did"], uuid(7));
    EXPECT_EQ(claims["dfp"], protocol::PublicKey::from_x(device_key(7))->thumbprint().str());
    EXPECT_EQ(claims["sid"], answer.body["session"]);
    EXPECT_EQ(claims["role"], "user");
}

TEST(Auth, RegistrationIsRefusedWhereItIsClosed)
{
    Rig rig{with(Registration::closed)};
    const auto answer = rig.post(register_path, credentials("alice", "a fine password"));
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.code(), "forbidden");
    EXPECT_EQ(rig.post(login_path, credentials("alice", "a fine password")).status, 401);
}

TEST(Auth, ACodeRegistersAsOftenAsItSaysAndNoLongerThanItSays)
{
    Rig rig{with(Registration::invite)};
    add_code(rig, "twice", 2, 3600);
    add_code(rig, "late", 1, 60);
    auto wanted = [](const std::string& name, const std::string& code) {
        auto body = credentials(name, "a fine password");
        body["code"] = code;
        return body;
    };
    EXPECT_EQ(rig.post(register_path, credentials("alice", "a fine password")).status, 403);
    EXPECT_EQ(rig.post(register_path, wanted("alice", "wrong")).status, 403);
    EXPECT_EQ(rig.post(register_path, wanted("alice", "twice")).status, 201);
    // A name that is taken costs no use.
    EXPECT_EQ(rig.post(register_path, wanted("alice", "twice")).status, 409);
    EXPECT_EQ(rig.post(register_path, wanted("bob", "twice")).status, 201);
    EXPECT_EQ(rig.post(register_path, wanted("carol", "twice")).status, 403);
    rig.clock.advance_s(60);
    EXPECT_EQ(rig.post(register_path, wanted("dave", "late")).status, 403);
}

TEST(Auth, OnlyAdministratorsMakeCodes)
{
    Rig rig{with(Registration::invite)};
    auto job = [&](storage::WriteTransaction& transaction) {
        return storage::create_user(transaction.db(), "root", *hash_password("a fine password"),
                                    storage::AccountRole::superadmin, rig.clock.now_ms());
    };
    ASSERT_TRUE(rig.await(rig.commit().write(std::move(job))));
    const std::string root =
        rig.post(login_path, credentials("root", "a fine password")).body["access_token"];
    const auto made = rig.post("/api/v1/admin/registration-codes", {{"uses", 1}}, root);
    ASSERT_EQ(made.status, 201) << made.text;
    auto body = credentials("alice", "a fine password");
    body["code"] = made.body["code"];
    const auto alice = rig.post(register_path, body);
    ASSERT_EQ(alice.status, 201);
    EXPECT_EQ(
        rig.post("/api/v1/admin/registration-codes", {{"uses", 1}}, alice.body["access_token"])
            .status,
        403);
    EXPECT_EQ(rig.post("/api/v1/admin/registration-codes", {{"uses", 0}}, root).hint(),
              "/uses: an integer from 1 to 1000000 is needed");
}

TEST(Auth, PasswordsHaveEightTo256Octets)
{
    Rig rig;
    EXPECT_EQ(rig.post(register_path, credentials("a7", std::string(7, 'x'))).status, 400);
    EXPECT_EQ(rig.post(register_path, credentials("a8", std::string(8, 'x'))).status, 201);
    EXPECT_EQ(rig.post(register_path, credentials("a256", std::string(256, 'x'))).status, 201);
    const auto long_one = rig.post(register_path, credentials("a257", std::string(257, 'x')));
    EXPECT_EQ(long_one.status, 400);
    EXPECT_EQ(long_one.hint(), "/password: at most 256 octets");
}

TEST(Auth, NamesHaveTheFormOfALocalpart)
{
    Rig rig;
    for (const auto* name : {"", "Alice", "-a", "a b", "a@b", "\xc3\xa4"})
        EXPECT_EQ(rig.post(register_path, credentials(name, "a fine password")).code(), "malformed")
            << name;
    EXPECT_EQ(rig.post(register_path, credentials(std::string(64, 'a'), "a fine password")).status,
              201);
    EXPECT_EQ(rig.post(register_path, credentials(std::string(65, 'a'), "a fine password")).status,
              400);
}

TEST(Auth, ATakenNameIsAConflict)
{
    Rig rig;
    rig.person("alice");
    const auto again = rig.post(register_path, credentials("alice", "another password", 2));
    EXPECT_EQ(again.status, 409);
    EXPECT_EQ(again.code(), "conflict");
    EXPECT_EQ(rig.post(login_path, credentials("alice", "another password", 2)).status, 401);
}

TEST(Auth, AWrongPasswordAndAnUnknownNameGetTheSameAnswer)
{
    Rig rig;
    rig.person("alice");
    const auto wrong = rig.post(login_path, credentials("alice", "not the password"));
    const auto unknown = rig.post(login_path, credentials("nobody", "not the password"));
    const auto no_name = rig.post(login_path, credentials("No Name", "not the password"));
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.text, unknown.text);
    EXPECT_EQ(unknown.status, 401);
    EXPECT_EQ(no_name.text, unknown.text);
    EXPECT_EQ(rig.post(login_path, credentials("alice", "a fine password")).status, 200);
}

TEST(Auth, ADeviceKeepsItsKey)
{
    Rig rig;
    rig.person("alice");
    auto other = credentials("alice", "a fine password", 1);
    other["device"]["key"] = device_key(2);
    EXPECT_EQ(rig.post(login_path, other).code(), "conflict");
    EXPECT_EQ(rig.post(login_path, credentials("alice", "a fine password", 2)).status, 200);
}

TEST(Auth, ASmallOrderDeviceKeyIsRefused)
{
    Rig rig;
    auto body = credentials("alice", "a fine password");
    body["device"]["key"] = protocol::to_base64url("\x01" + std::string(31, '\0'));
    const auto answer = rig.post(register_path, body);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.hint(), "/device/key: an Ed25519 public key in base64url is needed");
}

TEST(Auth, AChangedTokenOpensNothing)
{
    Rig rig;
    const auto alice = rig.person("alice");
    ASSERT_EQ(rig.get(list_path, alice.access).status, 200);
    const auto first = alice.access.find('.');
    const auto second = alice.access.find('.', first + 1);
    for (const auto at : {std::size_t{3}, first + 10, second - 3, second + 5}) {
        auto changed = alice.access;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        EXPECT_EQ(rig.get(list_path, changed).status, 401) << at;
    }
    const auto none = protocol::to_base64url(R"({"alg":"none","typ":"JWT"})");
    EXPECT_EQ(rig.get(list_path, none + alice.access.substr(first, second - first + 1)).status,
              401);
    EXPECT_EQ(rig.get(list_path, alice.access.substr(0, second)).status, 401);
    EXPECT_EQ(rig.get(list_path, alice.access + ".x").status, 401);
}

TEST(Auth, AnAccessTokenLastsFifteenMinutes)
{
    Rig rig;
    const auto alice = rig.person("alice");
    rig.clock.advance_s(899);
    EXPECT_EQ(rig.get(list_path, alice.access).status, 200);
    rig.clock.advance_s(1);
    EXPECT_EQ(rig.get(list_path, alice.access).code(), "unauthenticated");
}

TEST(Auth, ALogoutEndsTheSessionAtOnceAndNoOther)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const std::string other =
        rig.post(login_path, credentials("alice", "a fine password", 2)).body["access_token"];
    ASSERT_EQ(rig.get(list_path, alice.access).status, 200);
    EXPECT_EQ(rig.post("/api/v1/auth/logout", json::object(), alice.access).status, 204);
    EXPECT_EQ(rig.get(list_path, alice.access).status, 401);
    EXPECT_EQ(rig.post(refresh_path, {{"refresh_token", alice.refresh}}).status, 401);
    EXPECT_EQ(rig.get(list_path, other).status, 200);
}

TEST(Auth, LogoutAllEndsEverySessionOfTheUser)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto bob = rig.person("bob");
    const std::string other =
        rig.post(login_path, credentials("alice", "a fine password", 2)).body["access_token"];
    ASSERT_EQ(rig.get(list_path, other).status, 200);
    EXPECT_EQ(rig.post("/api/v1/auth/logout-all", json::object(), alice.access).status, 204);
    EXPECT_EQ(rig.get(list_path, alice.access).status, 401);
    EXPECT_EQ(rig.get(list_path, other).status, 401);
    EXPECT_EQ(rig.get(list_path, bob.access).status, 200);
}

TEST(Auth, ARefreshRotatesTheToken)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto fresh = rig.post(refresh_path, {{"refresh_token", alice.refresh}});
    ASSERT_EQ(fresh.status, 200) << fresh.text;
    EXPECT_NE(fresh.body["refresh_token"], alice.refresh);
    EXPECT_EQ(fresh.body["user"], "alice@a.test");
    EXPECT_EQ(rig.get(list_path, fresh.body["access_token"]).status, 200);
    EXPECT_EQ(rig.post(refresh_path, {{"refresh_token", fresh.body["refresh_token"]}}).status, 200);
}

TEST(Auth, AnOldRefreshTokenThatComesAgainEndsTheSession)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto fresh = rig.post(refresh_path, {{"refresh_token", alice.refresh}});
    ASSERT_EQ(rig.get(list_path, fresh.body["access_token"]).status, 200);
    EXPECT_EQ(rig.post(refresh_path, {{"refresh_token", alice.refresh}}).status, 401);
    EXPECT_EQ(rig.get(list_path, fresh.body["access_token"]).status, 401);
    EXPECT_EQ(rig.get(list_path, alice.access).status, 401);
    EXPECT_EQ(rig.post(refresh_path, {{"refresh_token", fresh.body["refresh_token"]}}).status, 401);
    EXPECT_EQ(rig.post(login_path, credentials("alice", "a fine password")).status, 200);
}

TEST(Auth, ARefreshTokenIsForgottenAfterThirtyDays)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto bob = rig.person("bob");
    rig.clock.advance_s(30 * 86'400 - 1);
    EXPECT_EQ(rig.post(refresh_path, {{"refresh_token", alice.refresh}}).status, 200);
    rig.clock.advance_s(1);
    EXPECT_EQ(rig.post(refresh_path, {{"refresh_token", bob.refresh}}).status, 401);
}

TEST(Auth, TokensAndSessionsSurviveARestart)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto bob = rig.person("bob");
    rig.post("/api/v1/auth/logout", json::object(), bob.access);
    rig.restart();
    EXPECT_EQ(rig.get(list_path, alice.access).status, 200);
    EXPECT_EQ(rig.get(list_path, bob.access).status, 401);
    EXPECT_EQ(rig.post(refresh_path, {{"refresh_token", alice.refresh}}).status, 200);
}

TEST(Auth, AnAddressMayTryAsOftenAsItsBudgetSays)
{
    auto options = roomy_options();
    options.address = {0.1, 3};
    Rig rig{options};
    const auto body = credentials("nobody", "not the password");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(rig.post(login_path, body).status, 401);
    const auto over = rig.post(login_path, body);
    EXPECT_EQ(over.status, 429);
    EXPECT_EQ(over.code(), "rate-limited");
    EXPECT_EQ(over.field("retry-after"), "10");
    rig.clock.advance_s(10);
    EXPECT_EQ(rig.post(login_path, body).status, 401);
}

TEST(Auth, BadTokensUseUpTheAddressAndGoodOnesDoNot)
{
    auto options = roomy_options();
    options.address = {0.1, 3};
    Rig rig{options};
    const auto alice = rig.person("alice");  // costs one
    for (int i = 0; i < 5; ++i) EXPECT_EQ(rig.get(list_path, alice.access).status, 200);
    EXPECT_EQ(rig.get(list_path, "bad").status, 401);
    EXPECT_EQ(rig.get(list_path, "bad").status, 401);
    EXPECT_EQ(rig.get(list_path, "bad").status, 429);
}

TEST(Auth, AUserMayAskAsOftenAsHisBudgetSays)
{
    auto options = roomy_options();
    options.user = {1, 5};
    Rig rig{options};
    const auto alice = rig.person("alice");
    const auto bob = rig.person("bob");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(rig.get(list_path, alice.access).status, 200);
    EXPECT_EQ(rig.get(list_path, alice.access).status, 429);
    EXPECT_EQ(rig.get(list_path, bob.access).status, 200);
    rig.clock.advance_s(1);
    EXPECT_EQ(rig.get(list_path, alice.access).status, 200);
}

TEST(Auth, ABadBodyIsToldWhereItIsBad)
{
    Rig rig;
    const auto text = [&](const std::string& body) { return rig.post_text(login_path, body); };
    EXPECT_EQ(text("{").code(), "malformed");
    EXPECT_EQ(text("[]").hint(), "/: an object is needed");
    EXPECT_EQ(text(R"({"name":"a","name":"b"})").code(), "malformed");
    EXPECT_EQ(text(R"({"name":"a"})").hint(), "/password: is required");
    EXPECT_EQ(text(R"({"name":1,"password":"x"})").hint(), "/name: a string is needed");
    EXPECT_EQ(text(R"({"name":"a","password":"x"})").hint(), "/device: is required");
    EXPECT_EQ(text(R"({"name":"a","password":"x","device":{"id":"no","key":"x"}})").hint(),
              "/device/id: a UUID in lower case is needed");
    EXPECT_EQ(rig.post_text(login_path, "{}", "text/plain").status, 415);
    EXPECT_EQ(rig.post_text(login_path, "{}", "").status, 415);
    EXPECT_EQ(rig.post_text(login_path, std::string(16 * 1024 + 1, ' ')).status, 413);
    EXPECT_EQ(rig.post_text(login_path, "{}" + std::string(16 * 1024 - 2, ' ')).status, 400);
    EXPECT_EQ(rig.get(login_path).status, 405);
}

TEST(Auth, NothingOfASecretIsInTheStore)
{
    Rig rig;
    const auto alice = rig.person("alice");
    auto job = [](storage::Connection& db) -> Result<std::string> {
        auto account = storage::find_user(db, "alice");
        if (!account) return fail(account);
        return account->password_hash;
    };
    const auto hash = rig.await(rig.commit().read(std::move(job)));
    ASSERT_TRUE(hash);
    EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
    const auto refreshed = [&](const protocol::Hash& stored) {
        auto rotate = [stored, &rig](storage::WriteTransaction& transaction) {
            return storage::rotate_refresh(transaction.db(), stored, protocol::sha256("new"),
                                           rig.clock.now_ms(), rig.clock.now_ms() + 1000);
        };
        return rig.await(rig.commit().write(std::move(rotate)))->outcome;
    };
    EXPECT_EQ(refreshed(protocol::sha256("unknown")), storage::RefreshOutcome::unknown);
    EXPECT_EQ(refreshed(protocol::sha256(alice.refresh)), storage::RefreshOutcome::rotated);
}

TEST(Auth, EndedSessionsAreSweptAndNoneThatLives)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto bob = rig.person("bob");
    rig.post("/api/v1/auth/logout", json::object(), alice.access);
    const auto swept_before = [&](protocol::Millis before) {
        auto job = [before](storage::WriteTransaction& transaction) {
            return storage::sweep_sessions(transaction.db(), before, 10);
        };
        return rig.await(rig.commit().write(std::move(job))).value();
    };
    EXPECT_EQ(swept_before(rig.clock.now_ms()), 0);
    EXPECT_EQ(swept_before(rig.clock.now_ms() + 1), 1);
    EXPECT_EQ(rig.post(refresh_path, {{"refresh_token", bob.refresh}}).status, 200);
}

}  // namespace
}  // namespace entente::api::testing
