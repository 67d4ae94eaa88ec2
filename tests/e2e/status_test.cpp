// ententctl status and doctor against running servers.
#include <cstdlib>

#include <unistd.h>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class Status : public WorldTest {
 protected:
    static const json* find(const Told& told, const std::string& subject)
    {
        for (const auto& finding : told.json.at("findings"))
            if (finding.at("subject") == subject) return &finding;
        return nullptr;
    }
    static std::string kind_of(const Told& told, const std::string& subject)
    {
        const auto* finding = find(told, subject);
        return finding == nullptr ? "missing in " + told.output
                                  : finding->at("kind").get<std::string>();
    }
    // Where a.test itself is found; read by ententctl alone.
    void resolve_a_too()
    {
        ::setenv("ENTENTE_FEDERATION_RESOLVE",
                 ("a.test=127.0.0.1:" + std::to_string(node("a.test").port())).c_str(), 1);
    }
    void TearDown() override
    {
        ::unsetenv("ENTENTE_FEDERATION_RESOLVE");
        WorldTest::TearDown();
    }
};

TEST_F(Status, SaysWhoIsBehindAndHowTheServerIs)
{
    open({"a.test", "b.test"});
    auto& a = node("a.test");
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    wait_until("nothing is owed", [&] {
        const auto told = control(a, {"status"});
        return told.exit_code == 0 && told.json.at("peers").at("behind") == 0;
    });
    auto told = control(a, {"status"});
    EXPECT_EQ(told.json.at("server"), "a.test");
    EXPECT_EQ(told.json.at("ready"), true);
    EXPECT_EQ(told.json.at("peers").at("known"), 1);
    EXPECT_FALSE(told.json.at("peers").contains("worst"));
    EXPECT_LE(told.json.at("started"), told.json.at("now"));
    EXPECT_GT(told.json.at("last_called"), told.json.at("started"));
    EXPECT_GT(told.json.at("storage").at("database"), 0);
    EXPECT_GT(told.json.at("storage").at("window"), 0);
    EXPECT_GT(told.json.at("storage").at("free"), 0);
    EXPECT_TRUE(told.json.at("writes").contains("microseconds"));
    ASSERT_EQ(told.json.at("certificates").size(), 1U);
    EXPECT_EQ(told.json.at("certificates")[0].at("listener"),
              "127.0.0.1:" + std::to_string(a.port()));
    EXPECT_TRUE(told.json.at("clock").contains("synchronised"));

    node("b.test").kill9();
    alice.post(channel, "unheard");
    wait_until("b.test is behind", [&] {
        told = control(a, {"status"});
        return told.json.at("peers").value("failing", 0) == 1;
    });
    EXPECT_EQ(told.json.at("peers").at("behind"), 1);
    EXPECT_EQ(told.json.at("peers").at("worst").at("server"), "b.test");
    EXPECT_EQ(told.json.at("peers").at("worst").at("entries"), 1);

    const auto shown = a.control({"status"});
    EXPECT_EQ(shown.exit_code, 0);
    EXPECT_NE(shown.output.find("1 known, 1 behind, 1 failing; the worst is b.test: 1 entries"),
              std::string::npos)
        << shown.output;
}

TEST_F(Status, IsntToldWhereNobodyAnswers)
{
    open({"a.test"});
    EXPECT_EQ(node("a.test").terminate(), 0);
    EXPECT_EQ(control(node("a.test"), {"status"}).exit_code, 3);
}

TEST_F(Status, TheDoctorFindsAServerHealthyThatIsReached)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    (void)shared_channel(alice, {&bob});
    resolve_a_too();
    const auto told = control(node("a.test"), {"doctor"});
    EXPECT_EQ(told.exit_code, 0) << told.output;
    for (const auto* subject : {"installation", "daemon", "writes", "server document", "reach"})
        EXPECT_EQ(kind_of(told, subject), "fine") << told.output;
    EXPECT_EQ(kind_of(told, "dns"), "warning");
    for (const auto& finding : told.json.at("findings"))
        EXPECT_EQ(finding.at("kind") == "fine", !finding.contains("remedy")) << finding;
}

TEST_F(Status, TheDoctorSaysWhatIsWrongWithOneThatIsStopped)
{
    open({"a.test"});
    auto& a = node("a.test");
    resolve_a_too();
    EXPECT_EQ(a.terminate(), 0);
    auto told = control(a, {"doctor"});
    EXPECT_EQ(told.exit_code, 1);
    EXPECT_EQ(kind_of(told, "daemon"), "fault");
    EXPECT_EQ(kind_of(told, "server document"), "fault");
    EXPECT_EQ(kind_of(told, "database"), "fine");
    ASSERT_EQ(::truncate((a.folder() + "/data/entente.sqlite").c_str(), 5000), 0);
    told = control(a, {"doctor"});
    EXPECT_EQ(kind_of(told, "database"), "fault") << told.output;
    const auto shown = a.control({"doctor"});
    EXPECT_EQ(shown.exit_code, 1);
    EXPECT_NE(shown.output.find("curl -v https://a.test/.well-known/entente"), std::string::npos)
        << shown.output;
}

// Where another server answers under this one's name, others would take it for this one.
TEST_F(Status, TheDoctorNoticesAStrangerUnderItsName)
{
    open({"a.test", "b.test"});
    ::setenv("ENTENTE_FEDERATION_RESOLVE",
             ("a.test=127.0.0.1:" + std::to_string(node("b.test").port())).c_str(), 1);
    const auto told = control(node("a.test"), {"doctor"});
    EXPECT_EQ(told.exit_code, 1);
    EXPECT_EQ(kind_of(told, "server document"), "fault") << told.output;
}

}  // namespace
}  // namespace entente::e2e
