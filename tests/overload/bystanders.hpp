// Those who do nothing unusual while others overload the servers: pairs of people with a
// quiet channel each, on one server or across two. Each message is judged as the bench
// judges it, and timed from when it was due until its writer had it accepted and its reader
// had read it.
#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/load_socket.hpp"
#include "tests/bench/traffic.hpp"
#include "tests/e2e/support/client.hpp"

namespace entente::overload {

// What one stretch of time was like for them; milliseconds.
struct Experience {
    std::size_t messages = 0;
    double p50 = 0, p99 = 0, worst = 0;
    bench::Faults faults;
    [[nodiscard]] std::string text() const;
};

class Bystanders {
 public:
    // `writers` and `readers` name servers, a pair for each place of the two lists. A pair's
    // channel is at its writer's server.
    Bystanders(e2e::World& world, const std::vector<std::string>& writers,
               const std::vector<std::string>& readers);
    ~Bystanders();
    Bystanders(const Bystanders&) = delete;
    Bystanders& operator=(const Bystanders&) = delete;

    // Writes at a quiet pace, from a thread of its own, until stop().
    void start();
    // Waits until all messages are done; Broken where a connection failed.
    Experience stop();
    Experience spend(e2e::Milliseconds time);

 private:
    void run();
    void open(const e2e::World& world, e2e::Client& client, const std::string& channel);

    std::vector<std::unique_ptr<e2e::Client>> clients_;
    std::vector<std::unique_ptr<bench::LoadSocket>> sockets_;
    std::vector<bench::FlowPlan> flows_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
    std::exception_ptr broken_;
    Experience experience_;
};

}  // namespace entente::overload
