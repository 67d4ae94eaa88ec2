#pragma once

// Until when something may take. Every wait of the runner has one: it never trusts its target.

#include <algorithm>
#include <chrono>

namespace entente::conformance {

using Clock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;
using Deadline = Clock::time_point;

[[nodiscard]] inline Deadline in(Millis time)
{
    return Clock::now() + time;
}

// What is left, rounded up, at least 0.
[[nodiscard]] inline Millis left(Deadline deadline)
{
    return std::max(Millis(0), std::chrono::ceil<Millis>(deadline - Clock::now()));
}

}  // namespace entente::conformance
