// Settings of a running server, by its operator.
#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class Settings : public WorldTest {
 protected:
    Told operate(std::vector<std::string> arguments)
    {
        arguments.insert(arguments.begin(), "settings");
        return control(node("a.test"), std::move(arguments));
    }
    json shown_config() { return json::parse(node("a.test").get("/api/v1/config").body); }
    static std::string value(const Told& told, const std::string& key)
    {
        for (const auto& setting : told.json.at("settings"))
            if (setting.at("key") == key) return setting.at("value").dump();
        return "none";
    }
};

TEST_F(Settings, AreChangedWithoutARestartAndOutliveOne)
{
    open({"a.test"});
    Client alice(node("a.test"), "alice");
    EXPECT_EQ(shown_config().at("registration").at("mode"), "open");
    EXPECT_EQ(operate({"set", "registration.mode", "closed"}).exit_code, 0);
    EXPECT_EQ(shown_config().at("registration").at("mode"), "closed");
    EXPECT_THROW(alice.register_user(), Broken);
    EXPECT_EQ(operate({"set", "branding.name", "A garden & more"}).exit_code, 0);
    EXPECT_EQ(operate({"set", "limits.requests_per_user", "500"}).exit_code, 0);
    node("a.test").kill9();
    node("a.test").start();
    EXPECT_EQ(shown_config().at("branding").at("name"), "A garden & more");
    auto shown = operate({"show"});
    EXPECT_EQ(value(shown, "limits.requests_per_user"), "500");
    EXPECT_EQ(value(shown, "registration.mode"), "\"closed\"");
    shown = operate({"unset", "registration.mode"});
    EXPECT_EQ(value(shown, "registration.mode"), "\"open\"");
    alice.register_user();

    const auto bad = operate({"set", "limits.requests_per_user", "many"});
    EXPECT_EQ(bad.exit_code, 1);
    EXPECT_NE(bad.output.find("an integer from 1 to 1000000 is needed"), std::string::npos)
        << bad.output;
    EXPECT_EQ(operate({"set", "no.such", "1"}).exit_code, 1);
    const auto log = control(node("a.test"), {"audit", "list"}).json.at("entries");
    ASSERT_EQ(log.size(), 5U);
    EXPECT_EQ(log.at(4).at("act"), "settings.change");
    EXPECT_EQ(log.at(4).at("details").at("version"), 4);
}

}  // namespace
}  // namespace entente::e2e
