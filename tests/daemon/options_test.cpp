// The command lines.
#include "daemon/options.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/ctl/verbs.hpp"

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
    EXPECT_EQ(with(ctl::parse, {"setup", "--help"}).error(), 0);
    EXPECT_NE(testing::internal::GetCapturedStdout().find("entente 0."), std::string::npos);
    testing::internal::CaptureStderr();
    // The library's own codes, such as 109 and 106, are no business of an init system.
    for (const auto& arguments :
         std::vector<std::vector<const char*>>{{"--cofnig", "f"}, {"start"}, {"--config"}})
        EXPECT_EQ(with(parse_daemon_options, arguments).error(), exit_bad_usage);
    EXPECT_EQ(with(ctl::parse, {}).error(), ctl::exit_usage);
    EXPECT_EQ(with(ctl::parse, {"certificate", "--days", "0"}).error(), ctl::exit_usage);
    testing::internal::GetCapturedStderr();
}

TEST(Options, ControlTakesTheConfigurationBeforeOrBehindTheVerb)
{
    const auto setup =
        with(ctl::parse, {"setup", "--config", "f", "--admin", "root", "--secrets-file", "s"});
    ASSERT_TRUE(setup);
    EXPECT_EQ(setup->verb, "setup");
    EXPECT_EQ(setup->settings.config, "f");
    const auto certificate = with(ctl::parse, {"--config", "f", "certificate", "--days", "7"});
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->verb, "certificate");
    EXPECT_EQ(certificate->settings.config, "f");
    EXPECT_EQ(with(ctl::parse, {"setup"})->settings.config, "/etc/ententd/ententd.toml");
}

}  // namespace
}  // namespace entente::daemon
