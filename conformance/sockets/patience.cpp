#include "conformance/sockets/patience.hpp"

#include <atomic>

namespace entente::conformance {

namespace {

std::atomic<Millis::rep> longest_wait{0};

}  // namespace

void set_patience(Millis longest)
{
    longest_wait = longest.count();
}

Deadline within_patience(Deadline deadline)
{
    const auto longest = Millis(longest_wait);
    return longest.count() == 0 ? deadline : std::min(deadline, in(longest));
}

}  // namespace entente::conformance
