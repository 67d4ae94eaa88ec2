#include "tests/sim/timeline.hpp"

#include <algorithm>

namespace entente::sim {

Timeline::Timeline()
{
    net::MonotonicClock::replace(this);
}

Timeline::~Timeline()
{
    net::MonotonicClock::replace(nullptr);
}

protocol::Millis Timeline::elapsed_ms() const
{
    return std::chrono::duration_cast<milliseconds>(now_ - TimePoint{std::chrono::hours(24)})
        .count();
}

void Timeline::after(milliseconds time, std::function<void()> happening)
{
    happenings_.emplace(std::pair{now_ + time, next_++}, std::move(happening));
}

bool Timeline::move_on(TimePoint end, std::set<int>& fired)
{
    auto next = TimePoint::max();
    if (!happenings_.empty()) next = happenings_.begin()->first.first;
    if (!armed_.empty()) next = std::min(next, armed_.begin()->first);
    if (next > end) {
        now_ = std::max(now_, end);
        return false;
    }
    now_ = std::max(now_, next);
    while (!armed_.empty() && armed_.begin()->first <= now_) {
        fired.insert(armed_.begin()->second);
        armed_.erase(armed_.begin());
    }
    // What happens may set more of this same moment.
    while (!happenings_.empty() && happenings_.begin()->first.first <= now_) {
        auto node = happenings_.extract(happenings_.begin());
        node.mapped()();
    }
    return true;
}

}  // namespace entente::sim
