// Virtual time: it stands still while anything can be done, then moves to what comes next.
// What happens at a time that somebody has set is run here; timers of Asio fire on their
// own executors, which must be told that time has moved (see Machine::feel_time).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "net/monotonic_clock.hpp"
#include "protocol/clock.hpp"

namespace entente::sim {

using std::chrono::milliseconds;

class Timeline final : public net::TimeSource {
 public:
    // In place of the process's steady clock as long as it lives: one at a time.
    Timeline();
    ~Timeline() override;
    Timeline(const Timeline&) = delete;
    Timeline& operator=(const Timeline&) = delete;

    [[nodiscard]] TimePoint now() override { return now_; }
    void armed(TimePoint time) override { armed_.emplace(time, current_); }
    [[nodiscard]] protocol::Millis elapsed_ms() const;

    // `happening` runs when so much time has passed, those of one moment in the order in
    // which they were set.
    void after(milliseconds time, std::function<void()> happening);
    // Whose timers are armed from now on.
    void set_current(int machine) { current_ = machine; }
    // Moves on to the next moment, not beyond `end`, runs what happens then, and gives the
    // machines whose timers may have fired. False where nothing comes before `end`.
    [[nodiscard]] bool move_on(TimePoint end, std::set<int>& fired);
    [[nodiscard]] TimePoint in(milliseconds time) const { return now_ + time; }
    // What was to happen doesn't.
    void forget_all() { happenings_.clear(); }

 private:
    TimePoint now_{std::chrono::hours(24)};
    int current_ = -1;
    std::uint64_t next_ = 0;
    std::map<std::pair<TimePoint, std::uint64_t>, std::function<void()>> happenings_;
    std::set<std::pair<TimePoint, int>> armed_;
};

// A machine's clock of the day: what it shows may be wrong, and jumps.
class DayClock final : public protocol::Clock {
 public:
    explicit DayClock(const Timeline& time) : time_(time) {}
    [[nodiscard]] protocol::Millis now_ms() const override
    {
        return begin_ms + time_.elapsed_ms() + offset_ms;
    }
    protocol::Millis offset_ms = 0;

    static constexpr protocol::Millis begin_ms = 1'800'000'000'000;

 private:
    const Timeline& time_;
};

}  // namespace entente::sim
