// Section 9's right column as arithmetic: how long a link waits after which failure,
// and which wait ends when the peer is heard. Pure but for the jitter, whose randomness is
// passed in.
#pragma once

#include <chrono>
#include <cstdint>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"

namespace entente::federation {

struct BackoffOptions {
    std::chrono::milliseconds first{1'000};
    std::chrono::milliseconds most{3'600'000};
};

struct Wait {
    std::chrono::milliseconds time{0};
    bool ends_when_heard = false;  // by a proven inbound request of the peer
    bool tell_administrator = false;
    bool halve = false;  // the batch was too large
    bool ends_with_new_work = false;
};

// For a failure of this server's own, or where nobody answered: the time that it names is no
// peer's word, and thousands of links that kept to a bound's one second would never let go.
[[nodiscard]] Error without_time(Error error);

class Backoff {
 public:
    Backoff(BackoffOptions options, protocol::Random& random);
    // The peer has answered, and signed it; or an administrator wants it tried.
    void reset();
    // The wait before the next attempt, `retry_after` in seconds where the peer gave one.
    [[nodiscard]] Wait after(const Error& error);
    // From when on a proven request of the peer may end a wait. Whoever says so may have named
    // a third party's address as his own, so it's ever rarer while nothing is answered: then it
    // gives him no more than the doubling does.
    [[nodiscard]] protocol::Millis next_early_end() const { return next_early_end_; }
    // One ends by that.
    void ended_early(protocol::Millis now);
    // In a row, of those that double the wait.
    [[nodiscard]] int failures() const { return failures_; }

 private:
    [[nodiscard]] std::chrono::milliseconds doubled(std::chrono::milliseconds first,
                                                    int& times) const;
    [[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds time);

    BackoffOptions options_;
    protocol::Random& random_;
    int failures_ = 0;
    int early_ends_ = 0;
    protocol::Millis next_early_end_ = 0;
};

}  // namespace entente::federation
