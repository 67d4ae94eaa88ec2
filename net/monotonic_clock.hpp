// The clock behind every wait of the rooms above: the machine's steady clock, or the one of
// a simulation, which then moves time by itself. Deadlines of sockets go by the machine's.
#pragma once

#include <chrono>

#include <boost/asio/basic_waitable_timer.hpp>

namespace entente::net {

// Time in place of the machine's. On the one thread that runs all executors.
class TimeSource {
 public:
    using TimePoint = std::chrono::steady_clock::time_point;
    virtual ~TimeSource() = default;
    [[nodiscard]] virtual TimePoint now() = 0;
    // A wait has begun that ends at `time` unless something else ends it earlier.
    virtual void armed(TimePoint time) = 0;
};

// A clock as std::chrono and Asio want one.
class MonotonicClock {
 public:
    using duration = std::chrono::steady_clock::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = TimeSource::TimePoint;
    static constexpr bool is_steady = true;

    [[nodiscard]] static time_point now()
    {
        return source_ == nullptr ? std::chrono::steady_clock::now() : source_->now();
    }
    // For the whole process, before anything waits; null: the machine's.
    static void replace(TimeSource* source) { source_ = source; }
    static void tell_armed(time_point time)
    {
        if (source_ != nullptr) source_->armed(time);
    }

 private:
    inline static TimeSource* source_ = nullptr;
};

using MonotonicTimer = boost::asio::basic_waitable_timer<MonotonicClock>;

}  // namespace entente::net
