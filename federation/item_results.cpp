#include "federation/item_results.hpp"

#include <algorithm>

namespace entente::federation {

using protocol::EventResult;
using protocol::ItemStatus;

bool is_passing(const Error& problem)
{
    return problem.retry_after > 0 || problem.code == Code::internal ||
           problem.code == Code::unavailable || problem.code == Code::key_unavailable ||
           problem.code == Code::rate_limited;
}

EventResult refused_event(std::optional<protocol::Hash> id, const Error& problem)
{
    EventResult result;
    result.event = id;
    const bool later = is_passing(problem);
    result.status = later ? ItemStatus::deferred : ItemStatus::rejected;
    result.retry_after = later ? std::max<std::int64_t>(problem.retry_after, 1) : 0;
    result.problem = problem;
    return result;
}

Error earlier_one_waits()
{
    return {Code::rate_limited, "an earlier event of its sender waits", {}, 1};
}

Result<void> check_not_ahead(Millis at, Millis now)
{
    const auto ahead = at - now - protocol::max_event_ahead_ms;
    if (ahead <= 0) return {};
    if (ahead > protocol::max_event_wait_ms)
        return refuse(Code::malformed, "/at: over an hour ahead of this server's clock");
    const auto seconds = (ahead + 999) / 1000;
    return retry_later(Code::unavailable, "/at: more than 60 s ahead of this server's clock",
                       std::min(seconds, longest_early_retry_seconds));
}

}  // namespace entente::federation
