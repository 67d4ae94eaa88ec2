// Section 9's right column as arithmetic: how long a link waits after which failure.
// Pure but for the jitter, whose randomness is passed in.
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
    bool ends_when_heard = false;  // a proven inbound request of the peer ends it at once
    bool tell_administrator = false;
    bool halve = false;  // the batch was too large
    bool ends_with_new_work = false;
};

class Backoff {
 public:
    Backoff(BackoffOptions options, protocol::Random& random);
    void reset();
    // The wait before the next attempt, `retry_after` in seconds where the peer gave one.
    [[nodiscard]] Wait after(const Error& error);
    // In a row, of those that double the wait.
    [[nodiscard]] int failures() const { return failures_; }

 private:
    [[nodiscard]] std::chrono::milliseconds doubled(std::chrono::milliseconds first);
    [[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds time);

    BackoffOptions options_;
    protocol::Random& random_;
    int failures_ = 0;
};

}  // namespace entente::federation
