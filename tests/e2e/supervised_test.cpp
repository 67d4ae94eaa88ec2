// The daemon under a supervisor that speaks systemd's protocol: what it says and when, the
// sockets that it is handed, secrets, and what a reload tells.
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/notified.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class Supervised : public WorldTest {
 protected:
    Node& a() { return node("a.test"); }
    void set_up_a(const std::string& extra = "")
    {
        set_up({"a.test"}, {}, extra, Tuning::brisk);
        told_ = std::make_unique<Notified>(a().folder() + "/notify");
    }
    void run_a(std::vector<std::string> environment = {})
    {
        environment.push_back("NOTIFY_SOCKET=" + a().folder() + "/notify");
        a().run_as("ententd", std::move(environment));
    }
    void wait_for(const std::string& text) { told_->wait_for(text); }
    void reload_and_wait_for_ready()
    {
        a().signal(SIGHUP);
        wait_for("RELOADING=1\nMONOTONIC_USEC=");
        wait_for("READY=1");
    }
    [[nodiscard]] bool has_logged(const std::string& text)
    {
        return a().log_text().find(text) != std::string::npos;
    }

    std::unique_ptr<Notified> told_;
};

TEST_F(Supervised, ReadyIsSaidOnceItListensAndStoppingWhenItEnds)
{
    set_up_a();
    run_a();
    a().spawn();
    wait_for("READY=1\nSTATUS=serving a.test");
    // No waiting: it listens by now.
    EXPECT_EQ(a().get("/ready").status(), 200);
    EXPECT_EQ(a().terminate(), 0);
    wait_for("STOPPING=1");
}

TEST_F(Supervised, WhatCantStartIsNeverReady)
{
    set_up_a("[[listener]]\naddress = \"192.0.2.1:9\"\nserves = [\"metrics\"]\n");
    run_a();
    a().spawn();
    EXPECT_EQ(a().wait_for_exit(), 70);
    EXPECT_EQ(told_->all().find("READY=1"), std::string::npos) << told_->all();
}

TEST_F(Supervised, SignsOfLifeComeAsOftenAsTheyAreWanted)
{
    set_up_a();
    run_a({"WATCHDOG_USEC=300000"});
    a().start();
    for (int i = 0; i < 4; ++i) wait_for("WATCHDOG=1");
}

TEST_F(Supervised, AReloadTakesLevelsAndNamesWhatWaitsForARestart)
{
    set_up_a();
    run_a();
    a().start();
    wait_for("READY=1");
    reload_and_wait_for_ready();
    EXPECT_TRUE(has_logged("reload is done"));
    EXPECT_FALSE(has_logged("only a restart"));

    const auto file = a().config_file();
    std::ofstream(file, std::ios::app)
        << "components = { gate = \"error\" }\n[limits]\nconnections = 77\n";
    reload_and_wait_for_ready();
    EXPECT_TRUE(has_logged("the configuration is reloaded keys=log.components")) << a().log_text();
    EXPECT_TRUE(has_logged("only a restart takes it into use keys=limits.connections"))
        << a().log_text();

    std::ofstream(file, std::ios::app) << "connectoins = 5\n";
    reload_and_wait_for_ready();
    EXPECT_TRUE(has_logged("the configuration can't be reloaded"));
    EXPECT_EQ(a().get("/ready").status(), 200);
}

TEST_F(Supervised, KeysAndCertificatesMayBeSecretsOfTheService)
{
    set_up_a();
    const auto file = a().config_file();
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    auto changed = text.str();
    const auto key = world().key("a.test");
    changed.replace(changed.find(key), key.size(), "credential:tls.key");
    std::ofstream(file) << changed;
    const auto outside = run_program({"ententd", "check", "--config", file});
    EXPECT_EQ(outside.exit_code, 0);
    EXPECT_NE(outside.output.find("can't be looked at from here"), std::string::npos)
        << outside.output;
    const auto by_hand = run_program({"ententd", "--config", file});
    EXPECT_EQ(by_hand.exit_code, 78);
    EXPECT_NE(by_hand.output.find("LoadCredential="), std::string::npos) << by_hand.output;

    const auto secrets = a().folder() + "/credentials";
    std::filesystem::create_directory(secrets);
    std::filesystem::copy_file(key, secrets + "/tls.key");
    run_a({"CREDENTIALS_DIRECTORY=" + secrets});
    a().start();
    EXPECT_EQ(a().get("/ready").status(), 200);
    EXPECT_EQ(a().control({"channel", "list"}).exit_code, 0);
    // The doctor stands outside, too, and finds no fault in that.
    const auto looked = control(a(), {"doctor"});
    for (const auto& finding : looked.json.at("findings"))
        EXPECT_FALSE(finding.at("subject") == "installation" && finding.at("kind") == "fault")
            << finding;
}

// A process that was handed the socket, as systemd does it: from descriptor 3 on.
pid_t start_with_socket(int socket, const std::string& name, const std::vector<std::string>& words,
                        const std::string& log)
{
    const auto program = bin_folder() + "/ententd";
    std::vector<char*> argv{const_cast<char*>("ententd")};
    for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const auto pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::dup2(out, STDERR_FILENO);
    ::dup2(socket, 3);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_FDNAMES", name.c_str(), 1);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
}

int listen_at(std::uint16_t port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
    EXPECT_EQ(::listen(fd, 64), 0);
    return fd;
}

class SocketActivated : public Supervised {
 protected:
    // The listener of the World's configuration names a socket.
    void name_socket(const std::string& name)
    {
        set_up_a();
        std::stringstream text;
        text << std::ifstream(a().config_file()).rdbuf();
        auto changed = text.str();
        changed.insert(changed.find("certificate = "), "socket = \"" + name + "\"\n");
        std::ofstream(a().config_file()) << changed;
    }
    pid_t start(int socket, const std::string& name)
    {
        return start_with_socket(socket, name, {"--config", a().config_file()},
                                 a().folder() + "/log");
    }
};

TEST_F(SocketActivated, TheSocketThatIsHandedOverIsServedAndOutlivesTheDaemon)
{
    name_socket("https");
    const int socket = listen_at(a().port());
    for (int round = 0; round < 2; ++round) {
        const auto pid = start(socket, "https");
        // Nobody is sent away meanwhile: the connection waits in the socket that we hold.
        EXPECT_EQ(a().get("/health").status(), 200);
        ::kill(pid, SIGTERM);
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        EXPECT_EQ(WEXITSTATUS(status), 0) << a().log_text();
    }
    ::close(socket);
}

TEST_F(SocketActivated, OneThatNobodyNamesIsSaidAndClosed)
{
    name_socket("https");
    const ReservedPort other;
    const int socket = listen_at(other.number());
    const auto pid = start(socket, "unknown");
    wait_until("it is said", [&] { return has_logged("no listener names a socket"); });
    wait_until("it is ready", [&] { return has_logged("daemon: ready"); });
    EXPECT_EQ(a().get("/health").status(), 200);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    ::close(socket);
}

TEST_F(SocketActivated, OneAtAnotherAddressKeepsItFromStarting)
{
    name_socket("https");
    const ReservedPort other;
    const int socket = listen_at(other.number());
    const auto pid = start(socket, "https");
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WEXITSTATUS(status), 70);
    EXPECT_TRUE(has_logged("write the same into listener.address and ListenStream="))
        << a().log_text();
    ::close(socket);
}

}  // namespace
}  // namespace entente::e2e
