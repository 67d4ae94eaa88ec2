#include "federation/links/backoff.hpp"

#include <algorithm>

namespace entente::federation {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int most_doublings = 20;

}  // namespace

Error without_time(Error error)
{
    error.retry_after = 0;
    return error;
}

Backoff::Backoff(BackoffOptions options, protocol::Random& random)
    : options_(options), random_(random)
{
}

void Backoff::reset()
{
    failures_ = early_ends_ = 0;
    next_early_end_ = 0;
}

void Backoff::ended_early(protocol::Millis now)
{
    next_early_end_ = now + doubled(options_.first, early_ends_).count();
}

milliseconds Backoff::doubled(milliseconds first, int& times) const
{
    const auto steps = std::min(times++, most_doublings);
    return std::min(options_.most, first * (std::int64_t{1} << steps));
}

// ±20 %, so that the peers of a server that comes back don't all come at once.
milliseconds Backoff::jittered(milliseconds time)
{
    const auto octet = static_cast<std::uint8_t>(random_.octets(1).front());
    return time * (800 + octet * 400 / 255) / 1000;
}

Wait Backoff::after(const Error& error)
{
    const auto asked =
        milliseconds(std::clamp<std::int64_t>(error.retry_after, 0, 24 * 3600) * 1000);
    switch (error.code) {
        case Code::malformed:
        case Code::digest_mismatch:
        case Code::wrong_destination:
        case Code::signature_incomplete:
        case Code::signature_invalid:
        case Code::key_revoked:
        case Code::unsupported:
        case Code::method_not_allowed:
        case Code::conflict:
        case Code::unauthenticated:
        case Code::forbidden:
        case Code::not_member:
        case Code::not_home:
        case Code::not_found:
        case Code::equivocation:
        case Code::superseded:
        case Code::channel_full:
            return {std::min<milliseconds>(options_.most, hours(1)), false, true, false, false};
        case Code::unknown_key:
            return {doubled(std::min<milliseconds>(options_.most, seconds(60)), failures_), false,
                    true, false, false};
        case Code::clock_skew:
            return {jittered(doubled(options_.first, failures_)), true, true, false, false};
        case Code::key_conflict:
            return {std::min<milliseconds>(options_.most, hours(1)), false, true, false, false};
        case Code::blocked: return {hours(24), false, true, false, false};
        case Code::too_large: return {milliseconds(0), false, false, true, false};
        case Code::rate_limited:
            return {std::max<milliseconds>(asked, seconds(1)), false, false, false, false};
        case Code::key_unavailable:
        case Code::unavailable:
        case Code::timeout:
        case Code::internal:
        case Code::replayed: {
            // A time that the peer names is the time; else our own doubling.
            if (asked.count() > 0) return {asked, false, false, false, false};
            return {jittered(doubled(options_.first, failures_)), true, false, false, false};
        }
    }
    return {jittered(doubled(options_.first, failures_)), true, false, false, false};
}

}  // namespace entente::federation
