// Figures of the daemon in the Prometheus text format 0.0.4: counters and histograms that
// rooms keep, and values that are asked for when somebody scrapes. Serves nothing itself.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace entente::api {

// Thread-safe.
class Counter {
 public:
    void add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<std::uint64_t> value_{0};
};

// Seconds, in buckets from 1 ms to 10 s. Thread-safe.
class Histogram {
 public:
    static constexpr std::array<double, 9> bounds{0.001, 0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10};
    void observe(double seconds);
    void write(std::string& out, const std::string& name, const std::string& labels) const;

 private:
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> buckets_{};
    std::atomic<std::uint64_t> microseconds_{0};
};

class Metrics {
 public:
    // `labels` as they stand between the braces, `listener="client"`, or empty: constants
    // of ours, never what a stranger sent. The same name and labels give the same object.
    Counter& counter(const std::string& name, const std::string& help,
                     const std::string& labels = {});
    Histogram& histogram(const std::string& name, const std::string& help,
                         const std::string& labels = {});
    // Asked on the thread that calls text(). `type` is "gauge" or "counter".
    void ask(const std::string& name, const std::string& help, const std::string& type,
             const std::string& labels, std::function<double()> value);
    [[nodiscard]] std::string text() const;

 private:
    struct Series {
        std::string labels;
        std::unique_ptr<Counter> counter;
        std::unique_ptr<Histogram> histogram;
        std::function<double()> value;
    };
    struct Family {
        std::string help;
        std::string type;
        std::vector<std::unique_ptr<Series>> series;
    };
    Series& series(const std::string& name, const std::string& help, const std::string& type,
                   const std::string& labels);

    mutable std::mutex mutex_;  // the list of families, not the values
    std::map<std::string, Family> families_;
};

}  // namespace entente::api
