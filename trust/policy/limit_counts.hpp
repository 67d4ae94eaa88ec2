// How often something was done under each rule's limit, and how often a subject did it lately:
// bounded in memory whoever comes. Decides nothing. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocol/clock.hpp"

namespace entente::trust::policy {

// Of one rule, or of one action's rates. Beyond it all newcomers count together as one, which is
// sooner at the limit than each alone: a crowd of names brings no more than one name.
inline constexpr std::size_t max_counted = 10'000;
// Rules with limits, and actions with rates, that are counted at the same time.
inline constexpr std::size_t max_counters = 512;

// Periods begin with the first that is counted.
class Counter {
 public:
    explicit Counter(protocol::Millis period) : period_(period) {}
    // Within the present period, this one not included.
    [[nodiscard]] std::int64_t count(std::string_view who, protocol::Millis now);
    void add(std::string_view who, protocol::Millis now);
    // Until the present period ends, at least 1 ms.
    [[nodiscard]] protocol::Millis left(std::string_view who, protocol::Millis now);
    [[nodiscard]] std::size_t size() const { return counts_.size(); }
    [[nodiscard]] protocol::Millis last() const { return last_; }

 private:
    struct Period {
        protocol::Millis begin = 0;
        std::int64_t count = 0;
    };
    [[nodiscard]] Period& period_of(std::string_view who, protocol::Millis now);
    void forget_old(protocol::Millis now);

    protocol::Millis period_;
    protocol::Millis last_ = 0;   // of the last call
    protocol::Millis swept_ = 0;  // when old ones were looked for
    std::unordered_map<std::string, Period> counts_;
};

class LimitCounts {
 public:
    // That of a rule's limit, by a name of its own; the one that was unused longest makes room.
    [[nodiscard]] Counter& of(const std::string& name, protocol::Millis period);
    [[nodiscard]] std::size_t size() const { return counters_.size(); }

 private:
    std::unordered_map<std::string, Counter> counters_;
};

}  // namespace entente::trust::policy
