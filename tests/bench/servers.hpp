// The two servers under test, a.test and b.test: real processes in the stock configuration
// that trust each other. Knows when each was ready, what memory it holds, and, where that
// was asked for, how often it has called the disk to order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/measure.hpp"
#include "tests/e2e/support/node.hpp"

namespace entente::bench {

enum class Side : std::uint8_t { a, b };

// How often fsync and fdatasync were called by the processes that a counter was handed to:
// a library that is loaded into them counts in memory shared with us (sync_counter.cpp).
class SyncCounter {
 public:
    explicit SyncCounter(const std::string& file);
    ~SyncCounter();
    SyncCounter(const SyncCounter&) = delete;
    SyncCounter& operator=(const SyncCounter&) = delete;
    [[nodiscard]] std::int64_t count() const;
    // What is in the environment of processes that are started between the two.
    void hand_out() const;
    static void take_back();

 private:
    std::string file_;
    std::int64_t* shared_ = nullptr;
};

class Servers {
 public:
    explicit Servers(const std::string& extra_config = "",
                     const std::vector<std::string>& others = {});

    void start();
    void stop();
    // From the next start on.
    void count_syncs();
    [[nodiscard]] std::int64_t syncs(Side side) const;  // 0 where they aren't counted

    // Stops A and starts it: ms from the process's beginning until /ready says so, with a
    // TLS connection of its own for each question.
    [[nodiscard]] double restart_a();

    [[nodiscard]] e2e::World& world() { return world_; }
    [[nodiscard]] e2e::Node& a() { return world_["a.test"]; }
    [[nodiscard]] e2e::Node& b() { return world_["b.test"]; }
    [[nodiscard]] std::string name(Side side) const;

 private:
    void start(Side side);

    e2e::World world_;
    std::unique_ptr<SyncCounter> counters_[2];
};

}  // namespace entente::bench
