// Which keys a second reading finds changed, and paths that are secrets of the service's.
#include "daemon/config_changes.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace entente::daemon {
namespace {

const std::string one_listener = "[[listener]]\naddress = \"127.0.0.1:8448\"\n";
const std::string plain_text = "[server]\nname = \"a.example\"\n" + one_listener;

Config as_read(const std::string& toml, const Environment& environment = {})
{
    auto config = parse_config(toml, "/etc/e/e.toml", environment);
    if (!config) {
        for (const auto& problem : config.error()) ADD_FAILURE() << problem.str();
        return {};
    }
    return *config;
}

using Keys = std::vector<std::string>;

TEST(ConfigChanges, AreTheKeysWhoseValuesDiffer)
{
    const auto running =
        as_read(plain_text + "[limits]\nconnections = 5\n[log]\nlevel = \"info\"\n");
    EXPECT_EQ(changed_keys(running, running), Keys{});
    EXPECT_EQ(changed_keys(running, as_read(plain_text + "[log]\nlevel = \"info\"\n[limits]\n"
                                                         "connections = 6\n")),
              Keys{"limits.connections"});
    EXPECT_EQ(changed_keys(running, as_read(plain_text)),
              (Keys{"limits.connections", "log.level"}));
    EXPECT_EQ(changed_keys(as_read(plain_text), running),
              (Keys{"limits.connections", "log.level"}));
}

TEST(ConfigChanges, MovedAndReformattedIsNotChanged)
{
    const auto running = as_read(plain_text +
                                 "[trust]\npeers = { \"b.example\" = \"known\", "
                                 "\"c.example\" = \"blocked\" }\n");
    const auto moved = as_read("\n\n" + plain_text +
                               "[trust.peers]\n\"c.example\" = \"blocked\"\n"
                               "\"b.example\" = \"known\"\n");
    EXPECT_EQ(changed_keys(running, moved), Keys{});
    const auto swapped = as_read(plain_text +
                                 "[trust]\npeers = { \"b.example\" = \"blocked\", "
                                 "\"c.example\" = \"known\" }\n");
    EXPECT_EQ(changed_keys(running, swapped), Keys{"trust.peers"});
}

TEST(ConfigChanges, ListenersAreCounted)
{
    const auto second = "[[listener]]\naddress = \"127.0.0.1:8449\"\n";
    const auto running = as_read(plain_text + second);
    EXPECT_EQ(changed_keys(running, as_read(plain_text + second + "serves = [\"metrics\"]\n")),
              Keys{"listener[2].serves"});
    EXPECT_EQ(changed_keys(running, as_read(plain_text)), Keys{"listener[2].address"});
}

TEST(ConfigChanges, TheEnvironmentCountsInPlaceOfTheFile)
{
    const Environment loud{{"ENTENTE_LOG_LEVEL", "debug"}};
    const auto running = as_read(plain_text + "[log]\nlevel = \"info\"\n", loud);
    EXPECT_EQ(changed_keys(running, as_read(plain_text + "[log]\nlevel = \"error\"\n", loud)),
              Keys{});
    EXPECT_EQ(changed_keys(running, as_read(plain_text)), Keys{"log.level"});
}

TEST(ConfigChanges, NoValueLooksLikeAnother)
{
    const auto list = [](std::vector<std::string> texts) {
        ConfigList values;
        for (auto& text : texts) values.push_back(config_value(std::move(text)));
        return rendered(config_value(std::move(values)));
    };
    EXPECT_NE(list({"a,1:b"}), list({"a", "b"}));
    EXPECT_NE(list({}), list({""}));
    EXPECT_NE(rendered(config_value(std::string("true"))), rendered(config_value(true)));
    EXPECT_NE(rendered(config_value(std::string("5"))), rendered(config_value(std::int64_t{5})));
}

TEST(Credentials, AreFilesOfTheServicesFolder)
{
    const auto toml = plain_text +
                      "certificate = \"tls/chain.pem\"\nkey = \"credential:tls.key\"\n"
                      "[federation]\nca_file = \"credential:ca\"\n";
    const auto inside =
        as_read(toml, {{"CREDENTIALS_DIRECTORY", "/run/credentials/ententd.service"}});
    EXPECT_EQ(inside.listeners.at(0).key, "/run/credentials/ententd.service/tls.key");
    EXPECT_EQ(inside.listeners.at(0).certificate, "/etc/e/tls/chain.pem");
    EXPECT_EQ(inside.federation.ca_file, "/run/credentials/ententd.service/ca");
    EXPECT_FALSE(is_missing_credential(inside.listeners.at(0).key));
    // ententctl reads the same file, and needs none of them.
    const auto outside = as_read(toml);
    EXPECT_TRUE(is_missing_credential(outside.listeners.at(0).key));
    EXPECT_TRUE(is_missing_credential(outside.federation.ca_file));
}

TEST(Credentials, ANameIsNoPath)
{
    const auto refused = [](const std::string& name) {
        const auto config = parse_config(
            plain_text + "certificate = \"c.pem\"\nkey = \"credential:" + name + "\"\n",
            "/etc/e/e.toml", {{"CREDENTIALS_DIRECTORY", "/run/c"}});
        return !config && config.error().at(0).str().find("LoadCredential=") != std::string::npos;
    };
    EXPECT_TRUE(refused(""));
    EXPECT_TRUE(refused("."));
    EXPECT_TRUE(refused(".."));
    EXPECT_TRUE(refused("../keys/identity.json"));
    EXPECT_TRUE(refused(std::string(256, 'a')));
    EXPECT_FALSE(refused(std::string(255, 'a')));
    EXPECT_FALSE(refused("tls.key"));
}

TEST(SocketNames, AreWhatSystemdAllows)
{
    const auto refused = [](const std::string& name) {
        return !parse_config(plain_text + "socket = \"" + name + "\"\n", "/etc/e/e.toml", {});
    };
    EXPECT_EQ(as_read(plain_text + "socket = \"https\"\n").listeners.at(0).socket, "https");
    EXPECT_FALSE(refused(std::string(255, 'a')));
    EXPECT_TRUE(refused(std::string(256, 'a')));
    EXPECT_TRUE(refused(""));
    EXPECT_TRUE(refused("two words"));
    EXPECT_TRUE(refused("a:b"));
    EXPECT_TRUE(refused("\u00e4"));
}

}  // namespace
}  // namespace entente::daemon
