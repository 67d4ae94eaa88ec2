// Real servers for a test: a World is a temporary folder with certificates and ports for
// some names; a Node is one ententd of it, a process that can be stopped, killed and
// started again on the same port and data. Every process ends with the test program.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/e2e/support/tls_socket.hpp"

namespace entente::e2e {

// Where the programs under test are: $ENTENTE_BIN, else the folder of this program.
[[nodiscard]] std::string bin_folder();

// Polls until `condition` holds; throws Broken with `what` when the time is over.
void wait_until(const std::string& what, const std::function<bool()>& condition,
                Milliseconds time = Milliseconds(20'000));

struct Finished {
    int exit_code = -1;  // 128 + signal where one ended it
    std::string output;  // both streams
};
// Runs a program of bin_folder() to its end.
[[nodiscard]] Finished run_program(const std::vector<std::string>& arguments);

// A port that no other test on this machine has, outside of the range that the kernel
// gives to outgoing connections, so that a killed server finds it free again.
class ReservedPort {
 public:
    ReservedPort();
    ~ReservedPort();
    ReservedPort(const ReservedPort&) = delete;
    ReservedPort& operator=(const ReservedPort&) = delete;
    [[nodiscard]] std::uint16_t number() const { return number_; }

 private:
    int lock_ = -1;
    std::uint16_t number_ = 0;
};

class World;

// What a server's configuration says beside names, addresses and peers: `brisk` waits
// shortly and logs much, as tests want it, and trusts the world's other names; `strangers` is
// brisk and puts nobody into a tier; `stock` leaves every default but the peers alone.
enum class Tuning : std::uint8_t { brisk, strangers, stock };

class Node {
 public:
    Node(const World& world, std::string name, Tuning tuning, std::string extra_config);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    // From the next start on: another program of bin_folder(), with NAME=VALUE beside ours.
    void run_as(std::string program, std::vector<std::string> environment);
    void set_up();  // ententctl setup, once
    // ententctl with this server's configuration.
    [[nodiscard]] Finished control(std::vector<std::string> arguments) const;
    // From the next start on: the system grants it so many files, sockets included.
    void limit_files(std::size_t count) { files_ = count; }
    void start();     // returns once /ready says so
    void spawn();     // returns at once
    void kill9();     // returns once the process is gone
    int terminate();  // SIGTERM; returns the exit code
    void signal(int number) const;
    [[nodiscard]] bool is_running() const { return pid_ > 0; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    // Waits for the process to end by itself.
    int wait_for_exit(Milliseconds time = Milliseconds(20'000));

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::string folder() const;
    [[nodiscard]] std::string config_file() const { return folder() + "/ententd.toml"; }
    [[nodiscard]] std::string log_text() const;
    [[nodiscard]] TlsSocket connect(const std::string& source = "127.0.0.1") const;
    // A request without credentials, on a connection of its own.
    [[nodiscard]] HttpMessage get(const std::string& target) const;

 private:
    void write_config(Tuning tuning, const std::string& extra) const;
    bool reap(bool block);

    const World& world_;
    std::string name_;
    std::string program_ = "ententd";
    std::vector<std::string> environment_;
    std::size_t files_ = 0;  // 0: as many as we have
    pid_t pid_ = -1;
    int exit_code_ = -1;
};

class World {
 public:
    // Servers are set up but not started; `others` only get a port and a certificate.
    explicit World(const std::vector<std::string>& servers,
                   const std::vector<std::string>& others = {},
                   const std::string& extra_config = "", Tuning tuning = Tuning::brisk);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    void start_all();
    [[nodiscard]] Node& operator[](const std::string& server) { return *nodes_.at(server); }
    [[nodiscard]] const std::string& folder() const { return folder_; }
    [[nodiscard]] std::string ca_file() const { return folder_ + "/ca.pem"; }
    [[nodiscard]] std::string certificate(const std::string& name) const;
    [[nodiscard]] std::string key(const std::string& name) const;
    [[nodiscard]] std::uint16_t port(const std::string& name) const;
    [[nodiscard]] std::vector<std::string> names() const;
    // The end of each node's log, for who looks into a failure.
    [[nodiscard]] std::string logs() const;

 private:
    std::string folder_;
    std::map<std::string, std::unique_ptr<ReservedPort>> ports_;
    std::map<std::string, std::unique_ptr<Node>> nodes_;
};

}  // namespace entente::e2e
