// Settings that are changed while the server runs, and what anybody sees of them.
#include "rig.hpp"

namespace entente::api::testing {
namespace {

constexpr const char* settings_path = "/api/v1/admin/settings";
constexpr const char* config_path = "/api/v1/config";

class SettingsTest : public ::testing::Test {
 protected:
    SettingsTest() : rig(options()), root(with_role("root", "superadmin")) {}

    static ApiOptions options()
    {
        auto made = roomy_options();
        made.contact = "mailto:root@a.test";
        return made;
    }
    Person with_role(const std::string& name, const std::string& role)
    {
        rig.person(name);
        auto done = rig.await(rig.commit().write([&](storage::WriteTransaction& transaction) {
            return transaction.db().execute("UPDATE account_user SET role = '" + role +
                                            "' WHERE localpart = '" + name + "'");
        }));
        EXPECT_TRUE(done);
        const auto login = rig.post("/api/v1/auth/login", credentials(name, "a fine password"));
        return {name + "@a.test", login.body["access_token"], login.body["refresh_token"]};
    }
    Answer set(const json& settings, const Person& by)
    {
        return rig.request("PATCH", settings_path, {{"settings", settings}}, by.access);
    }
    Answer set(const json& settings) { return set(settings, root); }
    json setting(const std::string& key)
    {
        const auto shown = rig.get(settings_path, root.access).body;
        for (const auto& one : shown.at("settings"))
            if (one.at("key") == key) return one;
        return nullptr;
    }
    Answer join(const std::string& name)
    {
        return rig.post("/api/v1/auth/register", credentials(name, "a fine password"));
    }

    Rig rig;
    Person root;
};

TEST_F(SettingsTest, AChangeHoldsAtOnceAndAfterARestartAndCanBeUndone)
{
    EXPECT_EQ(setting("registration.mode")["value"], "open");
    const auto changed = set({{"registration.mode", "closed"}});
    ASSERT_EQ(changed.status, 200) << changed.text;
    EXPECT_EQ(changed.body["version"], 1);
    EXPECT_EQ(join("alice").status, 403);
    EXPECT_EQ(setting("registration.mode"), (json{{"key", "registration.mode"},
                                                  {"value", "closed"},
                                                  {"default", "open"},
                                                  {"set", "closed"},
                                                  {"by", "root@a.test"},
                                                  {"at", "2025-11-21T00:00:00.000Z"}}));
    rig.restart();
    EXPECT_EQ(join("alice").status, 403);
    EXPECT_EQ(rig.get(config_path).body["registration"]["mode"], "closed");
    EXPECT_EQ(set({{"registration.mode", nullptr}}).body["version"], 2);
    EXPECT_EQ(join("alice").status, 201);
    EXPECT_FALSE(setting("registration.mode").contains("set"));

    const auto log = rig.get("/api/v1/admin/audit", root.access).body.at("entries");
    ASSERT_EQ(log.size(), 2U);
    EXPECT_EQ(log[1]["act"], "settings.change");
    EXPECT_EQ(
        log[1]["details"],
        (json{{"version", 1},
              {"changes", {{"registration.mode", {{"before", nullptr}, {"after", "closed"}}}}}}));
}

TEST_F(SettingsTest, AllOfAChangeOrNone)
{
    const auto refused = set({{"branding.name", "Garden"}, {"registration.mode", "shut"}});
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.hint(), "/settings/registration.mode: open, invite or closed is needed");
    EXPECT_TRUE(setting("branding.name")["value"].is_null());
    EXPECT_EQ(set({{"no.such", 1}}).hint(), "/settings/no.such: no such setting");
    EXPECT_EQ(set({{"no.such", nullptr}}).hint(), "/settings/no.such: no such setting");
    EXPECT_EQ(set(json::array()).hint(), "/settings: an object is needed");
    EXPECT_EQ(rig.request("PATCH", settings_path, json::object(), root.access).hint(),
              "/settings: is required");
    EXPECT_EQ(rig.get(settings_path, root.access).body["version"], 0);
    // What is so already is no change.
    EXPECT_EQ(set({{"branding.name", "Garden"}}).body["version"], 1);
    EXPECT_EQ(set({{"branding.name", "Garden"}}).body["version"], 1);
    EXPECT_EQ(set({{"branding.colour", nullptr}}).body["version"], 1);
}

TEST_F(SettingsTest, WhoChangesMaySayWhatHeHasSeen)
{
    const auto at = [&](std::int64_t version, const char* name) {
        return rig.request("PATCH", settings_path,
                           {{"version", version}, {"settings", {{"branding.name", name}}}},
                           root.access);
    };
    EXPECT_EQ(at(0, "one").status, 200);
    EXPECT_EQ(at(0, "two").status, 409);
    EXPECT_EQ(at(0, "two").hint(), "/version: the settings have changed since");
    EXPECT_EQ(at(1, "two").status, 200);
}

TEST_F(SettingsTest, SuperadminsChangeAdministratorsLook)
{
    const auto admin = with_role("bob", "admin");
    const auto user = rig.person("alice");
    EXPECT_EQ(rig.get(settings_path, admin.access).status, 200);
    EXPECT_EQ(set({{"branding.name", "x"}}, admin).hint(), "no policy rule allows it");
    EXPECT_EQ(rig.get(settings_path, user.access).status, 403);
    EXPECT_EQ(set({{"branding.name", "x"}}, user).hint(), "no policy rule allows it");
    EXPECT_EQ(rig.get(settings_path).status, 401);
}

TEST_F(SettingsTest, LimitsHoldFromTheNextRequestOn)
{
    const auto alice = rig.person("alice");
    int txn = 0;
    const auto report = [&] {
        return rig
            .post("/api/v1/reports", {{"txn", uuid(++txn)}, {"user", "root@a.test"}}, alice.access)
            .status;
    };
    const auto upload = [&](std::size_t octets) {
        return rig
            .post_text("/api/v1/media", std::string(octets, static_cast<char>('a' + ++txn)),
                       "image/png", alice.access)
            .status;
    };
    EXPECT_EQ(report(), 201);
    EXPECT_EQ(set({{"limits.reports_per_user_and_day", 1}}).status, 200);
    EXPECT_EQ(report(), 429) << "today's count goes on";
    EXPECT_EQ(set({{"limits.reports_per_user_and_day", 2}}).status, 200);
    EXPECT_EQ(report(), 201);
    EXPECT_EQ(report(), 429);

    EXPECT_EQ(upload(101), 201);
    EXPECT_EQ(set({{"limits.media_bytes", 100}}).status, 200);
    EXPECT_EQ(upload(100), 201);
    EXPECT_EQ(upload(101), 413);
    EXPECT_EQ(set({{"limits.media_bytes", 100'000}}).status, 200);
    EXPECT_EQ(set({{"limits.media_bytes", 100'001}}).status, 400) << "what the process was given";
    EXPECT_EQ(set({{"limits.media_bytes_per_user_and_day", 300}}).status, 200);
    EXPECT_EQ(upload(99), 201);
    EXPECT_EQ(upload(1), 429);

    EXPECT_EQ(set({{"limits.requests_per_user", 1}}).status, 200);
    EXPECT_EQ(rig.get("/api/v1/channels", alice.access).status, 200);
    EXPECT_EQ(rig.get("/api/v1/channels", alice.access).status, 429);
}

TEST_F(SettingsTest, AnybodySeesThePublicPartAndAsksForItAgainCheaply)
{
    const auto first = rig.get(config_path);
    ASSERT_EQ(first.status, 200);
    EXPECT_EQ(first.body["server"], "a.test");
    EXPECT_EQ(first.body["registration"]["mode"], "open");
    EXPECT_EQ(first.body["branding"], (json{{"contact", "mailto:root@a.test"}}));
    EXPECT_EQ(first.body["limits"]["media_bytes"], 100'000);
    EXPECT_EQ(first.field("cache-control"), "public, max-age=60");
    const auto again = [&](const std::string& tags) {
        return rig.get_with(config_path, {{"If-None-Match", tags}});
    };
    const auto etag = first.field("etag");
    EXPECT_EQ(again(etag).status, 304);
    EXPECT_EQ(again(etag).text, "");
    EXPECT_EQ(again("\"other\", W/" + etag).status, 304);
    EXPECT_EQ(again("*").status, 304);
    EXPECT_EQ(again("\"other\"").status, 200);

    EXPECT_EQ(set({{"branding.name", "Garden"}, {"branding.description", "two\nlines"}}).status,
              200);
    const auto changed = again(etag);
    EXPECT_EQ(changed.status, 200);
    EXPECT_NE(changed.field("etag"), etag);
    EXPECT_EQ(changed.body["branding"]["name"], "Garden");
    EXPECT_EQ(changed.text.find("\"by\""), std::string::npos);
    EXPECT_FALSE(changed.body.contains("version")) << "who set what when is nobody else's";
}

// As after a downgrade, or where the configuration allows less than it did.
TEST_F(SettingsTest, AStoredValueThatIsntValidHasNoEffectAndCanBeUnset)
{
    auto done = rig.await(rig.commit().write([](storage::WriteTransaction& transaction) {
        return transaction.db().execute(
            "INSERT INTO setting VALUES ('limits.media_bytes', '100001', 'root@a.test', 1), "
            "('no.such', '1', 'root@a.test', 1), ('branding.name', '\"Garden\"', 'x', 1)");
    }));
    ASSERT_TRUE(done);
    rig.restart();
    EXPECT_EQ(setting("branding.name")["value"], "Garden");
    EXPECT_EQ(setting("limits.media_bytes")["value"], 100'000);
    EXPECT_EQ(setting("limits.media_bytes")["valid"], false);
    EXPECT_EQ(set({{"no.such", nullptr}, {"limits.media_bytes", nullptr}}).status, 200);
    EXPECT_FALSE(setting("limits.media_bytes").contains("valid"));
}

}  // namespace
}  // namespace entente::api::testing
