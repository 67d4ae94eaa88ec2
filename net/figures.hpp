// Counters and histograms that a room keeps of its own work. Adding to one takes no lock and no
// memory. How they are shown is api/metrics' business.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace entente::net {

// Thread-safe.
class Counter {
 public:
    void add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<std::uint64_t> value_{0};
};

inline constexpr std::size_t most_bounds = 9;
inline constexpr std::array<double, most_bounds> bounds_of_seconds{0.001, 0.005, 0.01, 0.025, 0.1,
                                                                   0.25,  1,     2.5,  10};
inline constexpr std::array<double, most_bounds> bounds_of_counts{1,  2,   5,   10, 20,
                                                                  50, 100, 200, 512};

// In as many buckets as there are bounds, and one beyond. Thread-safe.
class Histogram {
 public:
    explicit Histogram(std::span<const double, most_bounds> bounds = bounds_of_seconds)
        : bounds_(bounds)
    {
    }

    void observe(double value)
    {
        std::size_t bucket = 0;
        while (bucket < bounds_.size() && value > bounds_[bucket]) ++bucket;
        buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
        millionths_.fetch_add(static_cast<std::uint64_t>(std::max(value, 0.0) * 1e6),
                              std::memory_order_relaxed);
    }

    [[nodiscard]] std::span<const double, most_bounds> bounds() const { return bounds_; }
    // Of bounds()[i]; of what is beyond them all, the last.
    [[nodiscard]] std::uint64_t count_in(std::size_t bucket) const
    {
        return buckets_[bucket].load(std::memory_order_relaxed);
    }
    [[nodiscard]] double sum() const
    {
        return static_cast<double>(millionths_.load(std::memory_order_relaxed)) / 1e6;
    }

 private:
    std::span<const double, most_bounds> bounds_;
    std::array<std::atomic<std::uint64_t>, most_bounds + 1> buckets_{};
    std::atomic<std::uint64_t> millionths_{0};
};

// Seconds since it was made, into a histogram.
class Stopwatch {
 public:
    // Where `histogram` is null nothing is measured.
    explicit Stopwatch(Histogram* histogram)
        : histogram_(histogram), began_(std::chrono::steady_clock::now())
    {
    }
    void stop()
    {
        if (histogram_ == nullptr) return;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
        histogram_->observe(took.count());
        histogram_ = nullptr;
    }

 private:
    Histogram* histogram_;
    std::chrono::steady_clock::time_point began_;
};

}  // namespace entente::net
