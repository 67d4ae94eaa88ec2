// How often somebody may ask: a token bucket per key, in memory, bounded in number. What
// a key stands for (an address before, a user after authentication) is the caller's
// business. For one executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"

namespace entente::api {

struct Rate {
    double per_second = 1;
    double burst = 10;
};

class Rates {
 public:
    // Beyond `max_keys`, buckets that are full again are dropped, and where all are in
    // use, all: a flood of keys may reset the count, never the memory.
    Rates(Rate rate, std::size_t max_keys);
    // Takes `cost` or says `rate_limited` with the seconds until it can be had.
    [[nodiscard]] Result<void> take(const std::string& key, protocol::Millis now, double cost = 1);
    // The same verdict without taking anything.
    [[nodiscard]] Result<void> check(const std::string& key, protocol::Millis now) const;
    // From now on; what was taken stays taken.
    void set(Rate rate) { rate_ = rate; }
    [[nodiscard]] std::size_t size() const { return buckets_.size(); }

 private:
    struct Bucket {
        double level = 0;
        protocol::Millis at = 0;
    };
    [[nodiscard]] double level_of(const Bucket& bucket, protocol::Millis now) const;
    [[nodiscard]] Result<void> verdict(double level, double cost) const;
    void make_room(protocol::Millis now);

    Rate rate_;
    std::size_t max_keys_;
    std::unordered_map<std::string, Bucket> buckets_;
};

// How many a key may have a UTC day. In memory: a restart forgets the day's count.
class DailyCount {
 public:
    explicit DailyCount(std::int64_t limit) : limit_(limit) {}
    // `rate_limited` until the day ends.
    [[nodiscard]] Result<void> take(const std::string& key, protocol::Millis now);

    // From now on; today's count goes on.
    void set(std::int64_t limit) { limit_ = limit; }

 private:
    std::int64_t limit_;
    std::int64_t day_ = 0;
    std::unordered_map<std::string, std::int64_t> counts_;
};

}  // namespace entente::api
