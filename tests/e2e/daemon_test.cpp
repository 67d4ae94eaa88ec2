// The daemon as an operator meets it: stopping, reloading, checking, refusing to start.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "net/tls.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

using Daemon = WorldTest;

TEST_F(Daemon, SigtermLetsARequestUnderWayFinish)
{
    open({"a.test"});
    const std::string body =
        R"({"name":"alice","password":"correct horse battery","device":{"id":")" + new_uuid() +
        R"(","key":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","name":"x"}})";
    const auto text = write_request("POST", "/api/v1/auth/register", "a.test",
                                    {{"Content-Type", "application/json"}}, body);
    auto socket = node("a.test").connect();
    socket.write(std::string_view(text).substr(0, text.size() - 20));
    // Known to be under way once a later connection has been served.
    EXPECT_EQ(node("a.test").get("/health").status(), 200);
    node("a.test").signal(SIGTERM);
    wait_until("nobody new is let in", [&] {
        try {
            return node("a.test").get("/ready").status() != 200;
        } catch (const Broken&) {
            return true;
        }
    });
    socket.write(std::string_view(text).substr(text.size() - 20));
    std::string buffer;
    const auto answer = read_message(socket, buffer, Milliseconds(10'000));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status(), 201);
    EXPECT_EQ(node("a.test").wait_for_exit(), 0);

    node("a.test").start();
    Client alice(node("a.test"), "alice");
    EXPECT_EQ(alice.request("POST", "/auth/register", json::parse(body)).problem(), "conflict");
}

TEST_F(Daemon, SigtermSaysGoodbyeToWebSocketsAndEndsWithThem)
{
    open({"a.test"});
    auto alice = person("a.test", "alice");
    auto idle = node("a.test").connect();
    const auto began = std::chrono::steady_clock::now();
    {
        auto live = alice.open_socket();
        live.send({{"ping", true}});
        live.read_until("pong");
        node("a.test").signal(SIGTERM);
        EXPECT_THROW(live.read(Milliseconds(5'000)), Broken);
    }
    EXPECT_EQ(node("a.test").wait_for_exit(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(8));
}

TEST_F(Daemon, SighupTakesARenewedCertificateIntoUse)
{
    open({"a.test"});
    auto old = node("a.test").connect();
    const auto before = old.certificate_digest();
    ASSERT_TRUE(
        net::make_self_signed(world().certificate("a.test"), world().key("a.test"), {"a.test"}, 3)
            .has_value());
    EXPECT_EQ(node("a.test").connect().certificate_digest(), before);
    std::filesystem::copy_file(world().certificate("a.test"), world().ca_file(),
                               std::filesystem::copy_options::overwrite_existing);
    node("a.test").signal(SIGHUP);
    wait_until("the new certificate is shown", [&] {
        try {
            return node("a.test").connect().certificate_digest() != before;
        } catch (const Broken&) {
            return false;  // the old one, which is trusted no more
        }
    });
    // A connection made with the old one goes on.
    old.write(write_request("GET", "/health", "a.test", {}, ""));
    std::string buffer;
    const auto answer = read_message(old, buffer, Milliseconds(10'000));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status(), 200);
}

TEST_F(Daemon, ABadCertificateAtSighupLeavesTheOldInUse)
{
    open({"a.test"});
    const auto before = node("a.test").connect().certificate_digest();
    std::ofstream(world().certificate("a.test")) << "no certificate\n";
    node("a.test").signal(SIGHUP);
    wait_until("the log says so", [&] {
        return node("a.test").log_text().find("could not be reloaded") != std::string::npos;
    });
    EXPECT_EQ(node("a.test").connect().certificate_digest(), before);
}

TEST_F(Daemon, CheckNamesTheLineAndTheRemedy)
{
    open({"a.test"});
    const auto& file = node("a.test").config_file();
    const auto good = run_program({"ententd", "check", "--config", file});
    EXPECT_EQ(good.exit_code, 0) << good.output;
    std::size_t lines = 0;
    {
        std::ifstream config(file);
        for (std::string line; std::getline(config, line);) ++lines;
    }
    std::ofstream(file, std::ios::app) << "\n[limits]\nconnectoins = 5\n";
    const auto bad = run_program({"ententd", "check", "--config", file});
    EXPECT_EQ(bad.exit_code, 1);
    EXPECT_NE(bad.output.find(file + ":" + std::to_string(lines + 3) + ": "), std::string::npos)
        << bad.output;
    EXPECT_NE(bad.output.find("connections"), std::string::npos) << bad.output;
    const auto refused = run_program({"ententd", "--config", file});
    EXPECT_NE(refused.exit_code, 0);
}

TEST_F(Daemon, LooseKeysKeepItFromStarting)
{
    open({"a.test"});
    const auto keys = node("a.test").folder() + "/data/keys";
    const auto& file = node("a.test").config_file();
    EXPECT_EQ(node("a.test").terminate(), 0);
    const auto expect_refusal = [&](const std::string& path, mode_t loose, mode_t right) {
        ASSERT_EQ(::chmod(path.c_str(), loose), 0);
        const auto refused = run_program({"ententd", "--config", file});
        EXPECT_NE(refused.exit_code, 0);
        EXPECT_NE(refused.output.find("chmod"), std::string::npos) << refused.output;
        EXPECT_NE(refused.output.find(path), std::string::npos) << refused.output;
        ASSERT_EQ(::chmod(path.c_str(), right), 0);
    };
    expect_refusal(keys, 0750, 0700);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(keys)) {
        if (!entry.is_regular_file()) continue;
        ++files;
        expect_refusal(entry.path().string(), 0640, 0600);
    }
    EXPECT_GT(files, 0U);
    node("a.test").start();
    EXPECT_EQ(node("a.test").get("/health").status(), 200);
}

TEST_F(Daemon, SetupIsDoneOnceAndShowsItsSecretsInOneFileOnly)
{
    open({"a.test"});
    const auto secrets = node("a.test").folder() + "/secrets";
    struct stat status{};
    ASSERT_EQ(::stat(secrets.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    std::ifstream file(secrets);
    std::size_t found = 0;
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(": ");
        if (line.starts_with('#') || colon == std::string::npos) continue;
        if (!line.starts_with("password") && !line.starts_with("recovery")) continue;
        ++found;
        EXPECT_EQ(node("a.test").log_text().find(line.substr(colon + 2)), std::string::npos);
    }
    EXPECT_EQ(found, 2U);
    const auto again = run_program({"ententctl", "setup", "--config", node("a.test").config_file(),
                                    "--secrets-file", secrets + "2"});
    EXPECT_NE(again.exit_code, 0);
    EXPECT_FALSE(std::filesystem::exists(secrets + "2"));
}

// It has run before: an empty database in silence would be the end of all that others know of it.
TEST_F(Daemon, WithoutItsDatabaseItDoesNotStartUntilItIsGivenAnother)
{
    open({"a.test"});
    auto& a = node("a.test");
    const auto database = a.folder() + "/data/entente.sqlite";
    EXPECT_EQ(a.terminate(), 0);
    const std::vector<std::string> start{"ententd", "--config", a.config_file()};
    for (const bool is_empty : {false, true}) {
        std::filesystem::remove(database);
        if (is_empty) std::ofstream(database) << "";
        const auto refused = run_program(start);
        EXPECT_EQ(refused.exit_code, 78) << refused.output;
        EXPECT_NE(refused.output.find(database + " is missing or empty"), std::string::npos)
            << refused.output;
        EXPECT_EQ(std::filesystem::exists(database), is_empty) << "nothing is made on the way";
    }
    const auto made = run_program({"ententctl", "setup", "--new-database", "--config",
                                   a.config_file(), "--secrets-file", a.folder() + "/secrets2"});
    EXPECT_EQ(made.exit_code, 0) << made.output;
    a.start();
    EXPECT_EQ(a.get("/ready").status(), 200);
    auto alice = person("a.test", "alice");
    EXPECT_EQ(alice.request("GET", "/users/me").status, 200);
}

}  // namespace
}  // namespace entente::e2e
