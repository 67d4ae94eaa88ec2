// The fixture of overload tests: servers in stock configuration with budgets out of the
// way, their bystanders, and the bounds that every case keeps to. Short by default, for CI;
// $OVERLOAD_SECONDS makes it full: so many seconds a flood, thousands of connections.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/e2e/support/client.hpp"
#include "tests/overload/bystanders.hpp"

namespace entente::overload {

// Programs that a sanitizer slows down and makes large are held to what is right, not to
// how fast and how small.
[[nodiscard]] bool is_sanitized();

struct Scale {
    bool full = false;
    e2e::Milliseconds flood{2'000};
    std::size_t slow_connections = 300;  // in all three phases together
    std::size_t idle_connections = 1'000;
    e2e::Milliseconds late_answer{1'500};  // of the slow peer
};
[[nodiscard]] const Scale& scale();

// What a server holds, looked at every few ms from a thread until it goes.
class MemoryWatch {
 public:
    explicit MemoryWatch(pid_t pid);
    ~MemoryWatch();
    MemoryWatch(const MemoryWatch&) = delete;
    MemoryWatch& operator=(const MemoryWatch&) = delete;
    // MiB: the most, beyond what was held when the watch began.
    [[nodiscard]] double growth() const;

 private:
    pid_t pid_;
    double before_;
    std::atomic<double> most_;
    std::atomic<bool> ended_ = false;
    std::thread thread_;
};

class OverloadTest : public ::testing::Test {
 protected:
    void SetUp() override;
    void TearDown() override;

    // Servers run; `slow_syncs`: on a disk whose every sync takes so many ms more.
    void open(const std::vector<std::string>& servers, const std::vector<std::string>& others = {},
              int slow_syncs = 0);
    [[nodiscard]] e2e::World& world() { return *world_; }
    [[nodiscard]] e2e::Node& a() { return world()["a.test"]; }
    // Someone on a server, from an address of their own.
    [[nodiscard]] std::unique_ptr<e2e::Client> person(const std::string& server,
                                                      const std::string& name,
                                                      const std::string& source = "127.0.8.1");

    // Quiet pairs: two on a.test, or where there is a b.test one there and one each way.
    void make_bystanders();
    // Runs `flood`, which says when it's over, beside the bystanders; then lets them be alone
    // again. They must have lost nothing and have been served quickly all the while, and
    // a.test must not have grown by more than `most_mib`.
    void endure(double most_mib, const std::function<void()>& flood);

    std::unique_ptr<e2e::World> world_;
    std::unique_ptr<Bystanders> bystanders_;

 private:
    void judge(const char* when, const Experience& now, const Experience& before) const;
};

}  // namespace entente::overload
