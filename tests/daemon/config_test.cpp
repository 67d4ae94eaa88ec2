// The configuration: every key from both sides of its bounds, every fault with its line,
// and the environment before the file.
#include "daemon/config.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace entente::daemon {
namespace {

const std::string minimal =
    "[server]\nname = \"a.example\"\n[[listener]]\naddress = \"127.0.0.1:8448\"\n";

std::string problems_of(const std::string& toml, const Environment& environment = {})
{
    const auto config = parse_config(toml, "/etc/e/e.toml", environment);
    if (config) return "none";
    std::string all;
    for (const auto& problem : config.error()) all += problem.str() + "\n";
    return all;
}

bool config_says(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

Config config_of(const std::string& toml, const Environment& environment = {})
{
    auto config = parse_config(toml, "/etc/e/e.toml", environment);
    EXPECT_TRUE(config.has_value()) << problems_of(toml, environment);
    return config ? *config : Config{};
}

TEST(Config, DefaultsWorkWithANameAndAListener)
{
    const auto config = config_of(minimal);
    EXPECT_EQ(config.server.name.str(), "a.example");
    EXPECT_EQ(config.server.keys, "/var/lib/ententd/keys");
    EXPECT_EQ(config.server.control, "/var/lib/ententd/control.sock");
    EXPECT_EQ(config.storage.sqlite_path(), "/var/lib/ententd/entente.sqlite");
    EXPECT_EQ(config.federation.api, "https://a.example");
    ASSERT_EQ(config.listeners.size(), 1U);
    EXPECT_EQ(config.listeners[0].address.port, 8448);
    EXPECT_TRUE(config.listeners[0].federation);
    EXPECT_TRUE(config.listeners[0].client);
    EXPECT_FALSE(config.listeners[0].metrics);
    EXPECT_TRUE(config.listeners[0].is_plain());
    EXPECT_EQ(config.registration, RegistrationMode::closed);
    EXPECT_EQ(config.trust.table.of(trust::Tier::guest).events, 600);
    EXPECT_EQ(config.trust.table.of(trust::Tier::trusted).bytes, 4'294'967'296);
}

TEST(Config, EveryKeyReachesItsPlace)
{
    const auto config = config_of(R"([server]
name = "a.test"
data = "/d"
keys = "/k"
control = "/c.sock"
contact = "mailto:x@a.test"
[[listener]]
address = "[::1]:1"
certificate = "/c.pem"
key = "/k.pem"
serves = ["metrics"]
trusted_proxies = ["10.0.0.0/8", "::1/128"]
[[listener]]
address = "0.0.0.0:2"
[federation]
enabled = false
api = "https://chat.a.test"
allow_networks = ["127.0.0.0/8"]
resolve = { "b.test" = "127.0.0.1:8449", "*.c.test" = "127.0.0.1:8450" }
ca_file = "/ca.pem"
allow_test_names = true
retry_first_ms = 20
retry_max_ms = 200
discovery_retry_first_ms = 30
discovery_retry_max_ms = 300
[trust]
mode = "reviewed"
[trust.peers]
"c.test" = "blocked"
[trust.budgets]
quarantined = { events = 1, bytes = 2 }
guest = { events = 3, bytes = 4 }
known = { events = 5, bytes = 6 }
[trust.budgets.trusted]
requests = 9
events = 7
bytes = 8
[trust.earning]
days = 21
events = 22
days_after_report = 23
[trust.falls]
first_hours = 24
longest_hours = 25
faults_a_day = 26
reporters = 27
report_days = 28
[storage]
url = "sqlite:/db"
readers = 3
[registration]
mode = "invite"
[limits]
connections = 11
connections_per_source = 12
requests_per_source = 13
requests_per_user = 16
transaction_bytes = 300000
transaction_items = 14
unsent_per_user_and_peer = 15
media_bytes = 16
media_bytes_per_user_and_day = 17
[log]
format = "json"
level = "error"
components = { links = "debug" }
)");
    EXPECT_EQ(config.server.data, "/d");
    EXPECT_EQ(config.server.keys, "/k");
    EXPECT_EQ(config.server.control, "/c.sock");
    EXPECT_EQ(config.server.contact, "mailto:x@a.test");
    ASSERT_EQ(config.listeners.size(), 2U);
    const auto& listener = config.listeners[0];
    EXPECT_EQ(listener.address.address.to_string(), "::1");
    EXPECT_EQ(listener.certificate, "/c.pem");
    EXPECT_EQ(listener.key, "/k.pem");
    EXPECT_FALSE(listener.federation);
    EXPECT_FALSE(listener.client);
    EXPECT_TRUE(listener.metrics);
    EXPECT_EQ(listener.trusted_proxies.size(), 2U);
    EXPECT_EQ(listener.line, 7);
    EXPECT_EQ(config.listeners[1].line, 13);
    const auto& federation = config.federation;
    EXPECT_FALSE(federation.enabled);
    EXPECT_EQ(federation.api, "https://chat.a.test");
    EXPECT_EQ(federation.allow_networks.size(), 1U);
    EXPECT_EQ(federation.resolve.at("b.test").port, 8449);
    EXPECT_EQ(federation.resolve.at("*.c.test").port, 8450);
    EXPECT_EQ(federation.ca_file, "/ca.pem");
    EXPECT_TRUE(federation.allow_test_names);
    EXPECT_EQ(federation.retry_first_ms, 20);
    EXPECT_EQ(federation.retry_max_ms, 200);
    EXPECT_EQ(federation.discovery_retry_first_ms, 30);
    EXPECT_EQ(federation.discovery_retry_max_ms, 300);
    EXPECT_EQ(config.trust.mode, "reviewed");
    EXPECT_EQ(config.trust.peers.at("c.test"), "blocked");
    EXPECT_EQ(config.trust.table.of(trust::Tier::quarantined).events, 1);
    EXPECT_EQ(config.trust.table.of(trust::Tier::quarantined).bytes, 2);
    EXPECT_EQ(config.trust.table.of(trust::Tier::guest).events, 3);
    EXPECT_EQ(config.trust.table.of(trust::Tier::guest).bytes, 4);
    EXPECT_EQ(config.trust.table.of(trust::Tier::known).events, 5);
    EXPECT_EQ(config.trust.table.of(trust::Tier::known).bytes, 6);
    EXPECT_EQ(config.trust.table.of(trust::Tier::trusted).events, 7);
    EXPECT_EQ(config.trust.table.of(trust::Tier::trusted).bytes, 8);
    EXPECT_EQ(config.trust.table.of(trust::Tier::trusted).requests, 9);
    EXPECT_EQ(config.trust.conduct, (trust::ConductFigures{21, 22, 23, 24, 25, 26, 27, 28}));
    EXPECT_EQ(config.storage.sqlite_path(), "/db");
    EXPECT_EQ(config.storage.readers, 3);
    EXPECT_EQ(config.registration, RegistrationMode::invite);
    EXPECT_EQ(config.limits.connections, 11);
    EXPECT_EQ(config.limits.connections_per_source, 12);
    EXPECT_EQ(config.limits.requests_per_source, 13);
    EXPECT_EQ(config.limits.requests_per_user, 16);
    EXPECT_EQ(config.limits.transaction_bytes, 300'000);
    EXPECT_EQ(config.limits.transaction_items, 14);
    EXPECT_EQ(config.limits.unsent_per_user_and_peer, 15);
    EXPECT_EQ(config.limits.media_bytes, 16);
    EXPECT_EQ(config.limits.media_bytes_per_user_and_day, 17);
    EXPECT_EQ(config.log.format, LogFormat::json);
    EXPECT_EQ(config.log.level, protocol::LogLevel::error);
    EXPECT_EQ(config.log.components.at("links"), protocol::LogLevel::debug);
}

TEST(Config, RelativePathsStartAtTheFilesFolder)
{
    const auto config = config_of(
        "[server]\nname = \"a.example\"\ndata = \"var\"\n"
        "[[listener]]\naddress = \"127.0.0.1:1\"\ncertificate = \"../c.pem\"\nkey = \"k.pem\"\n"
        "[storage]\nurl = \"sqlite:x.db\"\n");
    EXPECT_EQ(config.server.data, "/etc/e/var");
    EXPECT_EQ(config.server.keys, "/etc/e/var/keys");
    EXPECT_EQ(config.server.control, "/etc/e/var/control.sock");
    EXPECT_EQ(config.listeners[0].certificate, "/etc/c.pem");
    EXPECT_EQ(config.storage.sqlite_path(), "/etc/e/x.db");
}

TEST(Config, ARelativeFileHasItsPathsBelowItsFolderOnce)
{
    const auto config =
        parse_config(minimal + "[log]\n[trust]\n", "var/e.toml", {{"ENTENTE_SERVER_DATA", "data"}});
    ASSERT_TRUE(config);
    const auto data = std::filesystem::current_path() / "var/data";
    EXPECT_EQ(config->server.data, data);
    EXPECT_EQ(config->server.keys, data / "keys");
    EXPECT_EQ(config->server.control, data / "control.sock");
    EXPECT_EQ(config->storage.sqlite_path(), data / "entente.sqlite");
}

TEST(Config, APartThatWritesNoLogIsNamed)
{
    const auto said = problems_of(minimal + "[log]\ncomponents = { gates = \"debug\" }\n");
    EXPECT_TRUE(config_says(said,
                            "e.toml:6: log.components has gates, which writes no log; "
                            "did you mean gate?"))
        << said;
    EXPECT_TRUE(config_says(problems_of(minimal, {{"ENTENTE_LOG_COMPONENTS", "x=debug"}}),
                            "has x, which writes no log; write one of api, channel_log, daemon"));
}

TEST(Config, EveryFaultIsToldWithItsLineInTheFilesOrder)
{
    EXPECT_EQ(
        problems_of("[server]\n"
                    "name = \"A.example\"\n"
                    "date = 1\n"
                    "[[listener]]\n"
                    "address = \"localhost:80\"\n"
                    "serves = [\"federation\",\n"
                    "  \"clients\"]\n"
                    "[lgo]\n"
                    "[log]\n"
                    "level = 3\n"),
        "/etc/e/e.toml:2: server.name has \"A.example\"; write a lower-case DNS name, as "
        "\"a.example\"\n"
        "/etc/e/e.toml:3: there is no key server.date; did you mean data?\n"
        "/etc/e/e.toml:5: listener.address is \"localhost:80\"; write an IP address and a port, as "
        "\"0.0.0.0:8448\" or \"[::]:8448\"\n"
        "/etc/e/e.toml:7: listener.serves has \"clients\"; write any of federation, client, "
        "metrics\n"
        "/etc/e/e.toml:8: there is no section lgo; did you mean log?\n"
        "/etc/e/e.toml:10: log.level is an integer; write a text in quotes\n");
}

TEST(Config, TextThatIsNotTomlIsToldWithItsLine)
{
    const auto said = problems_of("[server]\nname = \"a.example\"\nx = = 1\n");
    EXPECT_TRUE(config_says(said, "e.toml:3: isn't TOML")) << said;
    EXPECT_TRUE(
        config_says(problems_of("[server]\nname = \"a\"\nname = \"b\"\n"), "e.toml:3: isn't TOML"));
    EXPECT_TRUE(config_says(problems_of("x = " + std::string(5'000, '[')), "isn't TOML"));
    EXPECT_TRUE(config_says(problems_of(std::string("\0\xff", 2)), "isn't TOML"));
    // toml++ takes such letters outside of quotes for impossible.
    EXPECT_TRUE(config_says(problems_of("# \xc3\xa9\n\xc3\xa9 = 1\n"), "e.toml:2: isn't TOML"));
    EXPECT_EQ(problems_of(minimal + "# \xc3\xa9\n[log]\nlevel = \"info\" # \xd2\x8f\n"), "none");
}

TEST(Config, WhatMustBeThereIsAskedFor)
{
    const auto said = problems_of("");
    EXPECT_TRUE(config_says(said, "server.name is missing")) << said;
    EXPECT_TRUE(config_says(said, "there is no listener")) << said;
    EXPECT_TRUE(config_says(problems_of("[server]\nname=\"a.example\"\n[[listener]]\n"),
                            "e.toml:3: a listener has no address"));
    EXPECT_TRUE(
        config_says(problems_of("[server]\nname=\"a.example\"\n[listener]\naddress=\"[::]:1\"\n"),
                    "e.toml:3: listener is a table; write [[listener]]"));
    EXPECT_TRUE(config_says(problems_of(minimal + "certificate = \"c\"\n"),
                            "e.toml:5: a listener has a certificate but no key"));
    EXPECT_TRUE(config_says(problems_of(minimal + "key = \"k\"\n"), "a key but no certificate"));
    EXPECT_TRUE(config_says(problems_of(minimal + "[[listener]]\naddress = \"127.0.0.1:8448\"\n"),
                            "e.toml:6: two listeners have the same address"));
}

TEST(Config, NumbersAreTakenUpToTheirBoundsAndNoFurther)
{
    struct Bound {
        std::string section, key;
        std::int64_t low, high;
    };
    const std::vector<Bound> bounds{
        {"federation", "retry_max_ms", 1'000, 86'400'000},
        {"federation", "retry_first_ms", 10, 3'600'000},
        {"federation", "discovery_retry_first_ms", 10, 3'600'000},
        {"federation", "discovery_retry_max_ms", 10'000, 86'400'000},
        {"trust.budgets.guest", "requests", 0, 1'000'000'000},
        {"trust.earning", "days", 0, 3'650},
        {"trust.earning", "events", 1, 1'000'000'000},
        {"trust.earning", "days_after_report", 0, 3'650},
        {"trust.falls", "first_hours", 1, 6'144},
        {"trust.falls", "longest_hours", 24, 87'600},
        {"trust.falls", "faults_a_day", 0, 1'000'000'000},
        {"trust.falls", "reporters", 2, 1'000},
        {"trust.falls", "report_days", 1, 3'650},
        {"trust.budgets.quarantined", "events", 0, 1'000'000'000},
        {"trust.budgets.guest", "bytes", 0, 1'000'000'000'000},
        {"trust.budgets.quarantined", "claims", 0, 1'000'000'000},
        {"trust.budgets.guest", "signals", 0, 1'000'000'000},
        {"trust.budgets.known", "invitations", 0, 1'000'000'000},
        {"trust.budgets.trusted", "look_ups", 0, 1'000'000'000},
        {"trust.budgets.trusted", "media", 0, 1'000'000'000},
        {"storage", "readers", 1, 64},
        {"limits", "connections", 1, 1'000'000},
        {"limits", "connections_per_source", 1, 1'000'000},
        {"limits", "requests_per_source", 1, 100'000'000},
        {"limits", "requests_per_user", 1, 1'000'000},
        {"limits", "transaction_bytes", 262'144, 67'108'864},
        {"limits", "transaction_items", 1, 100'000},
        {"limits", "unsent_per_user_and_peer", 1, 1'000'000},
        {"limits", "media_bytes", 0, 16'777'216},
        {"limits", "media_bytes_per_user_and_day", 0, 1'000'000'000'000},
    };
    for (const auto& bound : bounds) {
        const auto with = [&](std::int64_t value) {
            return problems_of(minimal + "[" + bound.section + "]\n" + bound.key + " = " +
                               std::to_string(value) + "\n");
        };
        EXPECT_EQ(with(bound.low), "none") << bound.key;
        EXPECT_EQ(with(bound.high), "none") << bound.key;
        EXPECT_TRUE(config_says(with(bound.low - 1), bound.section + "." + bound.key)) << bound.key;
        EXPECT_TRUE(config_says(with(bound.high + 1), bound.section + "." + bound.key))
            << bound.key;
    }
}

TEST(Config, AValueOfAnotherKindIsRefusedForEveryKey)
{
    for (const auto& key : describe_keys()) {
        const auto dot = key.name.rfind('.');
        const auto section = key.name.substr(0, dot);
        const auto name = key.name.substr(dot + 1);
        const auto toml = section == "listener" ? "[[listener]]\n" + name + " = 1.5\n"
                                                : minimal + "[" + section + "x]\n[" + section +
                                                      "]\n" + name + " = 1.5\n";
        const auto said =
            section == "server" ? problems_of("[server]\n" + name + " = 1.5\n") : problems_of(toml);
        EXPECT_TRUE(config_says(said, key.name + " is a fraction; write")) << key.name << "\n"
                                                                           << said;
    }
}

TEST(Config, TextsWithControlCharactersAndEndlessOnesAreRefused)
{
    EXPECT_TRUE(config_says(problems_of(minimal + "[server.x]\n"), "there is no key server.x"));
    EXPECT_TRUE(config_says(problems_of("[server]\nname = \"a.example\"\ndata = \"a\\u0000b\"\n"),
                            "e.toml:3: server.data has a control character"));
    const auto with = [](std::size_t size) {
        return problems_of("[server]\nname = \"a.example\"\ndata = \"" + std::string(size, 'x') +
                           "\"\n[[listener]]\naddress = \"[::]:1\"\n");
    };
    EXPECT_EQ(with(4'096), "none");
    EXPECT_TRUE(config_says(with(4'097), "e.toml:3: server.data is longer than 4096 octets"));
}

TEST(Config, AFileIsTakenUpToAMebibyte)
{
    const auto filled = [](std::size_t size) {
        return minimal + "#" + std::string(size - minimal.size() - 1, 'x');
    };
    EXPECT_EQ(problems_of(filled(max_config_octets)), "none");
    EXPECT_TRUE(config_says(problems_of(filled(max_config_octets + 1)), "larger than 1 MiB"));
}

// [NAME-1]
TEST(Config, NamesForTestsNeedTheirSwitch)
{
    const std::string with_test_name =
        "[server]\nname = \"a.test\"\n[[listener]]\naddress = \"[::]:1\"\n";
    EXPECT_TRUE(config_says(problems_of(with_test_name),
                            "e.toml:2: server.name has \"a.test\"; such names need "
                            "federation.allow_test_names = true"));
    EXPECT_EQ(problems_of(with_test_name + "[federation]\nallow_test_names = true\n"), "none");
    EXPECT_TRUE(config_says(problems_of(minimal + "[trust.peers]\n\"B.example\" = \"known\"\n"),
                            "trust.peers has"));
    EXPECT_TRUE(
        config_says(problems_of(minimal + "[trust.peers]\n\"b.example\" = \"friend\"\n"),
                    "e.toml:6: trust.peers is \"friend\"; write one of blocked, quarantined"));
    EXPECT_TRUE(
        config_says(problems_of(minimal + "[federation.resolve]\n\"b.example\" = \"b:1\"\n"),
                    "e.toml:6: federation.resolve has \"b:1\" for b.example"));
    for (const auto* name : {"*", "*.", "*b.example", "a.*.example", "*.*.example"})
        EXPECT_TRUE(config_says(
            problems_of(minimal + "[federation.resolve]\n\"" + name + "\" = \"127.0.0.1:1\"\n"),
            "federation.resolve has"))
            << name;
}

TEST(Config, AWaitThatIsLongerThanTheLongestIsRefused)
{
    EXPECT_TRUE(
        config_says(problems_of(minimal + "[federation]\nretry_max_ms = 999\n"),
                    "e.toml:6: federation.retry_max_ms is less than federation.retry_first_ms"));
    EXPECT_TRUE(
        config_says(problems_of(minimal + "[trust.falls]\nfirst_hours = 6145\n"),
                    "e.toml:5: trust.falls.longest_hours is less than trust.falls.first_hours"));
    EXPECT_TRUE(
        config_says(problems_of(minimal + "[trust.falls]\nlongest_hours = 23\n"),
                    "e.toml:6: trust.falls.longest_hours is less than trust.falls.first_hours"));
}

TEST(Config, TheEnvironmentGoesBeforeTheFile)
{
    const auto config = config_of(minimal +
                                      "[log]\nlevel = \"error\"\n[federation]\nresolve = { "
                                      "\"c.example\" = \"10.0.0.1:1\" }\n",
                                  {{"ENTENTE_LOG_LEVEL", "debug"},
                                   {"ENTENTE_FEDERATION_ENABLED", "false"},
                                   {"ENTENTE_FEDERATION_RETRY_FIRST_MS", "50"},
                                   {"ENTENTE_FEDERATION_ALLOW_NETWORKS", "10.0.0.0/8,::1/128"},
                                   {"ENTENTE_FEDERATION_RESOLVE", "b.example=127.0.0.1:7"},
                                   {"ENTENTE_TRUST_BUDGETS_GUEST_EVENTS", "9"},
                                   {"ENTENTE_VECTORS", "/somewhere"},
                                   {"HOME", "/root"}});
    EXPECT_EQ(config.log.level, protocol::LogLevel::debug);
    EXPECT_FALSE(config.federation.enabled);
    EXPECT_EQ(config.federation.retry_first_ms, 50);
    EXPECT_EQ(config.federation.allow_networks.size(), 2U);
    EXPECT_EQ(config.federation.resolve.size(), 1U);
    EXPECT_EQ(config.federation.resolve.at("b.example").port, 7);
    EXPECT_EQ(config.trust.table.of(trust::Tier::guest).events, 9);
}

TEST(Config, AWrongVariableIsNamed)
{
    EXPECT_EQ(
        problems_of(minimal, {{"ENTENTE_LOG_LEVLE", "debug"}}),
        "ENTENTE_LOG_LEVLE (environment): there is no such key; did you mean ENTENTE_LOG_LEVEL?\n");
    EXPECT_EQ(problems_of(minimal, {{"ENTENTE_STORAGE_READERS", "two"}}),
              "ENTENTE_STORAGE_READERS (environment): storage.readers is a text; write an integer "
              "from 1 to 64\n");
    EXPECT_EQ(
        problems_of(minimal, {{"ENTENTE_SERVER_NAME", "A"}}),
        "ENTENTE_SERVER_NAME (environment): server.name has \"A\"; write a lower-case DNS name, as "
        "\"a.example\"\n");
    EXPECT_TRUE(config_says(problems_of(minimal, {{"ENTENTE_FEDERATION_ENABLED", "yes"}}),
                            "write true or false"));
}

TEST(Config, EachKeyHasAVariableOfItsOwn)
{
    std::vector<std::string> names;
    for (const auto& key : describe_keys()) {
        if (!key.environment.empty()) names.push_back(key.environment);
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
    EXPECT_GT(names.size(), 30U);
}

TEST(Config, AFileThatCannotBeReadIsNamed)
{
    const auto config = load_config("/nowhere/e.toml", {});
    ASSERT_FALSE(config.has_value());
    EXPECT_TRUE(
        config_says(config.error().at(0).str(), "/nowhere/e.toml: can't be read: No such file"));
    const auto folder = load_config(std::filesystem::temp_directory_path().string(), {});
    ASSERT_FALSE(folder.has_value());
    EXPECT_TRUE(config_says(folder.error().at(0).text, "is a folder"));
}

TEST(SocketAddress, TakesAddressesWithPortsOnly)
{
    EXPECT_TRUE(parse_socket_address("127.0.0.1:0"));
    EXPECT_TRUE(parse_socket_address("[::]:65535"));
    for (const auto* wrong :
         {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", ":80", "::1:80",
          "[127.0.0.1]:80", "[::1]", "a.example:80", "127.0.0.1:8 "}) {
        EXPECT_FALSE(parse_socket_address(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace entente::daemon
