// Rotation and recovery between real servers [KEY-1 to KEY-4, LOG-10]: messages go on, old
// events can be verified for ever, and an older copy of the keys is never used.
#include <algorithm>
#include <array>
#include <fstream>

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/support/keys.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

namespace fs = std::filesystem;

class Keys : public WorldTest {
 protected:
    void expect_no_conflict(const std::string& at)
    {
        EXPECT_EQ(node(at).log_text().find("key-conflict"), std::string::npos) << at;
    }
    void rotate(const std::string& server)
    {
        must_control(node(server), {"identity", "rotate"});
        reload_keys(node(server));
    }
};

// [KEY-2]
TEST_F(Keys, AServerRotatesAndMessagesGoOnInBothDirections)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    expect_both_ways(alice, bob, channel);

    const auto old = published_key(node("a.test"));
    must_control(node("a.test"), {"identity", "rotate"});
    // Not before it is told to.
    EXPECT_EQ(published_key(node("a.test")), old);
    reload_keys(node("a.test"));
    const auto document = document_of(node("a.test"));
    EXPECT_NE(published_key(node("a.test")), old);
    EXPECT_EQ(document.at("old_keys").at(0).at("kid"), old);
    EXPECT_EQ(document.at("old_keys").at(0).at("until"), document.at("keys").at(0).at("from"));
    const auto set =
        json::parse(node("a.test").get("/.well-known/http-message-signatures-directory").body);
    ASSERT_EQ(set.at("keys").size(), 1U);
    EXPECT_EQ(set.at("keys").at(0).at("kid"), published_key(node("a.test")));
    expect_both_ways(alice, bob, channel);

    rotate("b.test");
    expect_both_ways(alice, bob, channel);
    node("a.test").kill9();
    node("b.test").kill9();
    node("a.test").start();
    node("b.test").start();
    expect_both_ways(alice, bob, channel);
    expect_no_conflict("a.test");
    expect_no_conflict("b.test");
    // That his last one stands at the home he may hear a moment later.
    wait_until("both hold the same", [&] {
        const auto followed = bob.log(channel);
        return alice.log(channel, followed.front().seq - 1) == followed;
    });
}

TEST_F(Keys, ANewcomerVerifiesWhatWasSealedUnderOldKeys)
{
    open({"a.test", "b.test", "c.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    auto carol = person("c.test", "carol");
    const auto channel = alice.create_channel("garden", {{"history", "all"}});
    alice.invite(channel, bob.user());
    bob.join(channel);
    expect_both_ways(alice, bob, channel);
    const auto sealed_by = published_key(node("b.test"));
    rotate("a.test");
    expect_both_ways(alice, bob, channel);
    rotate("b.test");
    must_control(node("b.test"), {"identity", "revoke", "--kid=" + sealed_by, "--recovery-file",
                                  secrets_of(node("b.test")), "--at", "2025-01-31T09:00:00Z"});
    rotate("b.test");
    expect_both_ways(alice, bob, channel);

    alice.invite(channel, carol.user());
    carol.join(channel);
    wait_until("carol has it all", [&] { return carol.log(channel) == alice.log(channel); });
    EXPECT_GE(carol.texts(channel).size(), 6U);
    expect_both_ways(alice, carol, channel);
    for (const auto* server : {"a.test", "b.test", "c.test"}) expect_no_conflict(server);
}

TEST_F(Keys, WhatRotatedWhileStoppedOrWasKilledBeforeTheReloadSignsWithTheNewKey)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    EXPECT_EQ(node("a.test").terminate(), 0);
    must_control(node("a.test"), {"identity", "rotate"});
    node("a.test").start();
    EXPECT_EQ(published_key(node("a.test")), stored_key(node("a.test")));
    expect_both_ways(alice, bob, channel);
    must_control(node("a.test"), {"identity", "rotate"});
    node("a.test").kill9();
    node("a.test").start();
    EXPECT_EQ(published_key(node("a.test")), stored_key(node("a.test")));
    expect_both_ways(alice, bob, channel);
    expect_no_conflict("b.test");
}

TEST_F(Keys, ADamagedOrOlderKeyFolderIsNotTakenOnReload)
{
    open({"a.test"});
    auto& a = node("a.test");
    fs::copy_file(identity_file(a), a.folder() + "/first");
    rotate("a.test");
    const auto key = published_key(a);
    const auto refusals = [&] {
        std::size_t found = 0;
        const auto text = a.log_text();
        const std::string what = "the keys could not be reloaded";
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
            ++found;
        return found;
    };
    fs::copy_file(identity_file(a), a.folder() + "/second");
    std::ofstream(identity_file(a)) << "{";
    a.signal(SIGHUP);
    wait_until("the damaged file is refused", [&] { return refusals() == 1; });
    fs::copy_file(a.folder() + "/first", identity_file(a), fs::copy_options::overwrite_existing);
    a.signal(SIGHUP);
    wait_until("the older file is refused", [&] { return refusals() == 2; });
    EXPECT_EQ(published_key(a), key);

    EXPECT_EQ(a.terminate(), 0);
    a.spawn();
    EXPECT_NE(a.wait_for_exit(), 0);
    EXPECT_NE(a.log_text().find("the key folder is older"), std::string::npos);
    fs::copy_file(a.folder() + "/second", identity_file(a), fs::copy_options::overwrite_existing);
    a.start();
    EXPECT_EQ(published_key(a), key);
}

// [LOG-10]
TEST_F(Keys, AServerThatLostItsNewestKeysComesBackByItsRecoveryKey)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    auto& a = node("a.test");
    fs::copy_file(identity_file(a), a.folder() + "/older");
    rotate("a.test");
    expect_both_ways(alice, bob, channel);
    const auto lost = published_key(a);

    EXPECT_EQ(a.terminate(), 0);
    fs::copy_file(a.folder() + "/older", identity_file(a), fs::copy_options::overwrite_existing);
    const auto refused = a.control({"identity", "rotate"});
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_NE(refused.output.find("recovery secret"), std::string::npos) << refused.output;
    must_control(a, {"identity", "rotate", "--recovery-file", secrets_of(a)});
    a.start();
    EXPECT_NE(published_key(a), lost);
    expect_both_ways(alice, bob, channel);
    expect_no_conflict("b.test");
    // b.test has seen it: the lost key is out.
    EXPECT_EQ(document_of(a).at("statements").size(), 1U);
}

// [KEY-4]
// [KEY-4] Keys that nothing leads to, as after a careless restoration: told, and held until
// the document agrees.
TEST_F(Keys, AKeyWithoutItsStatementIsAConflictUntilTheStatementIsThere)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    expect_both_ways(alice, bob, channel);
    auto& a = node("a.test");
    EXPECT_EQ(a.terminate(), 0);
    must_control(a, {"identity", "rotate"});
    std::ifstream stream(identity_file(a));
    const auto right = json::parse(stream);
    auto wrong = right;
    wrong["statements"] = json::array();
    std::ofstream(identity_file(a)) << wrong.dump();
    a.start();
    const std::string early = "under a key that nothing leads to";
    alice.post(channel, early);
    wait_until("b.test tells of the conflict",
               [&] { return node("b.test").log_text().find("key-conflict") != std::string::npos; });
    EXPECT_FALSE(reads(bob, channel, early));

    std::ofstream(identity_file(a)) << right.dump();
    reload_keys(a);
    expect_both_ways(alice, bob, channel);
    EXPECT_TRUE(reads(bob, channel, early));
    EXPECT_NE(node("b.test").log_text().find("key-conflict-ended"), std::string::npos);
}

// What comes from a program on a terminal of its own that is told `input` when it asks.
Finished run_on_terminal(const std::vector<std::string>& arguments, const std::string& input)
{
    int terminal = -1;
    const auto program = bin_folder() + "/" + arguments.at(0);
    std::vector<char*> argv;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const auto pid = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    if (pid == 0) {
        ::execv(program.c_str(), argv.data());
        ::_exit(127);
    }
    Finished finished;
    std::array<char, 256> octets{};
    bool is_told = false;
    for (ssize_t got = 0; (got = ::read(terminal, octets.data(), octets.size())) > 0;) {
        finished.output.append(octets.data(), static_cast<std::size_t>(got));
        if (is_told || finished.output.find("recovery secret: ") == std::string::npos) continue;
        is_told = true;
        EXPECT_EQ(::write(terminal, input.data(), input.size()),
                  static_cast<ssize_t>(input.size()));
    }
    ::close(terminal);
    int status = 0;
    ::waitpid(pid, &status, 0);
    finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return finished;
}

TEST_F(Keys, TheRecoverySecretIsAskedForOnTheTerminalAndNotShown)
{
    World one({"a.test"});
    auto& a = one["a.test"];
    std::ifstream stream(secrets_of(a));
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto secret = text.substr(text.find("recovery secret: ") + 17, 43);
    const auto rotated = run_on_terminal(
        {"ententctl", "identity", "rotate", "--recovery", "--config", a.config_file()},
        secret + "\n");
    EXPECT_EQ(rotated.exit_code, 0) << rotated.output;
    EXPECT_EQ(rotated.output.find(secret), std::string::npos);
    EXPECT_EQ(shown_keys(a).at("statements").at(0).at("signed_by"), "recovery key");

    const auto kit = run_on_terminal(
        {"ententctl", "identity", "recovery-kit", "--config", a.config_file()}, secret + "\n");
    EXPECT_EQ(kit.exit_code, 0) << kit.output;
    EXPECT_EQ(kit.output.find(secret), std::string::npos);
    const auto at = kit.output.rfind("recovery secret: ");
    ASSERT_NE(at, std::string::npos) << kit.output;
    const auto fresh = kit.output.substr(at + 17, 43);
    const auto again = run_on_terminal(
        {"ententctl", "identity", "rotate", "--recovery", "--config", a.config_file()},
        fresh + "\n");
    EXPECT_EQ(again.exit_code, 0) << again.output;
    const auto wrong = run_on_terminal(
        {"ententctl", "identity", "rotate", "--recovery", "--config", a.config_file()},
        secret + "\n");
    EXPECT_EQ(wrong.exit_code, 1);
    EXPECT_NE(wrong.output.find("isn't the recovery secret"), std::string::npos) << wrong.output;
}

}  // namespace
}  // namespace entente::e2e
