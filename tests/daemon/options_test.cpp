// The command lines.
#include "daemon/options.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace entente::daemon {
namespace {

template <class Parse>
auto with(Parse parse, std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), "program");
    return parse(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Options, DaemonRunsOrChecksWithTheConfigurationBeforeOrBehindTheVerb)
{
    EXPECT_EQ(with(parse_daemon_options, {})->config, "/etc/ententd/ententd.toml");
    const auto run = with(parse_daemon_options, {"--config", "f"});
    ASSERT_TRUE(run);
    EXPECT_EQ(run->action, DaemonOptions::Action::run);
    EXPECT_EQ(run->config, "f");
    for (const auto& arguments : std::vector<std::vector<const char*>>{
             {"check", "--config", "f"}, {"--config", "f", "check"}}) {
        const auto check = with(parse_daemon_options, arguments);
        ASSERT_TRUE(check);
        EXPECT_EQ(check->action, DaemonOptions::Action::check);
        EXPECT_EQ(check->config, "f");
    }
}

TEST(Options, HelpEndsWellAndFaultsOfUsageDoNot)
{
    testing::internal::CaptureStdout();
    EXPECT_EQ(with(parse_daemon_options, {"--help"}).error(), 0);
    EXPECT_EQ(with(parse_daemon_options, {"--version"}).error(), 0);
    EXPECT_EQ(with(parse_control_options, {"setup", "--help"}).error(), 0);
    EXPECT_NE(testing::internal::GetCapturedStdout().find("entente 0."), std::string::npos);
    testing::internal::CaptureStderr();
    EXPECT_NE(with(parse_daemon_options, {"--cofnig", "f"}).error(), 0);
    EXPECT_NE(with(parse_daemon_options, {"start"}).error(), 0);
    EXPECT_NE(with(parse_control_options, {}).error(), 0);
    EXPECT_NE(with(parse_control_options, {"certificate", "--days", "0"}).error(), 0);
    testing::internal::GetCapturedStderr();
}

TEST(Options, ControlSetsUpOrMakesCertificates)
{
    const auto setup = with(parse_control_options,
                            {"setup", "--config", "f", "--admin", "root", "--secrets-file", "s"});
    ASSERT_TRUE(setup);
    EXPECT_EQ(setup->action, ControlOptions::Action::setup);
    EXPECT_EQ(setup->config, "f");
    EXPECT_EQ(setup->admin, "root");
    EXPECT_EQ(setup->secrets_file, "s");
    EXPECT_EQ(with(parse_control_options, {"setup"})->admin, "admin");
    const auto certificate = with(parse_control_options, {"certificate", "--days", "7"});
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->action, ControlOptions::Action::certificate);
    EXPECT_EQ(certificate->days, 7);
}

TEST(Options, IdentityTakesItsFourVerbs)
{
    using Action = IdentityOptions::Action;
    const auto options = [](std::vector<const char*> arguments) {
        arguments.insert(arguments.begin(), "identity");
        return with(parse_control_options, arguments);
    };
    const auto shown = options({"show", "--json", "--config", "f"});
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->action, ControlOptions::Action::identity);
    EXPECT_EQ(shown->identity.action, Action::show);
    EXPECT_TRUE(shown->identity.json);
    EXPECT_EQ(shown->config, "f");
    EXPECT_EQ(options({"rotate"})->identity.action, Action::rotate);
    EXPECT_FALSE(options({"rotate"})->identity.by_recovery);
    EXPECT_TRUE(options({"rotate", "--recovery"})->identity.by_recovery);
    EXPECT_EQ(options({"rotate", "--recovery-file", "r"})->identity.recovery_file, "r");
    // Key ids may begin with a hyphen.
    const auto revoked = options({"revoke", "--kid=-id", "--at", "1", "--reason", "a b"});
    ASSERT_TRUE(revoked);
    EXPECT_EQ(revoked->identity.action, Action::revoke);
    EXPECT_EQ(revoked->identity.key, "-id");
    EXPECT_EQ(revoked->identity.at, "1");
    EXPECT_EQ(revoked->identity.reason, "a b");
    const auto kit = options({"recovery-kit", "--recovery-file", "r", "--secrets-file", "s"});
    EXPECT_EQ(kit->identity.action, Action::recovery_kit);
    EXPECT_EQ(kit->identity.secrets_file, "s");

    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_EQ(options({"revoke", "--help"}).error(), 0);
    EXPECT_NE(options({"revoke"}).error(), 0);
    EXPECT_NE(options({}).error(), 0);
    EXPECT_NE(options({"show", "--recovery-file", "r"}).error(), 0);
    testing::internal::GetCapturedStderr();
    EXPECT_NE(testing::internal::GetCapturedStdout().find("--kid"), std::string::npos);
}

}  // namespace
}  // namespace entente::daemon
