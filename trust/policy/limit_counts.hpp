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

// Of one rule, or of one action's rates: own users, and users and servers elsewhere, each for
// itself. Beyond it, and beyond what one server elsewhere may have, newcomers count together with
// all newcomers of their server, which are sooner at the limit than each alone: a crowd of names
// brings no more than these, and takes nothing from others.
inline constexpr std::size_t max_counted = 10'000;
inline constexpr std::size_t max_counted_of_server = 1'000;
// Servers whose newcomers count together; beyond it all newcomers of further ones are one.
inline constexpr std::size_t max_crowds = 10'000;
// Rules with limits, and actions with rates, that are counted at the same time.
inline constexpr std::size_t max_counters = 512;

// Periods begin with the first that is counted.
class Counter {
 public:
    struct Who {
        std::string_view name, server;
        bool is_local = false;  // or of no server
    };
    explicit Counter(protocol::Millis period) : period_(period) {}
    // Within the present period, this one not included.
    [[nodiscard]] std::int64_t count(const Who& who, protocol::Millis now);
    void add(const Who& who, protocol::Millis now);
    // Until the present period ends, at least 1 ms.
    [[nodiscard]] protocol::Millis left(const Who& who, protocol::Millis now);
    [[nodiscard]] std::size_t size() const { return named_.size() + crowds_.size(); }
    [[nodiscard]] protocol::Millis last() const { return last_; }

 private:
    struct Period {
        protocol::Millis begin = 0;
        std::int64_t count = 0;
    };
    struct Named {
        Period period;
        std::string server;  // empty of who is local
    };
    [[nodiscard]] Period& period_of(const Who& who, protocol::Millis now);
    [[nodiscard]] Period& find_or_add(const Who& who, protocol::Millis now);
    [[nodiscard]] bool has_room(const Who& who) const;
    [[nodiscard]] Period& crowd_of(const Who& who);
    void forget_old(protocol::Millis now);

    protocol::Millis period_;
    protocol::Millis last_ = 0;   // of the last call
    protocol::Millis swept_ = 0;  // when old ones were looked for
    std::unordered_map<std::string, Named> named_;
    std::size_t local_ = 0;                                   // of those
    std::unordered_map<std::string, std::size_t> of_server_;  // of those, by server
    std::unordered_map<std::string, Period> crowds_;          // by server
    Period rest_;
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
