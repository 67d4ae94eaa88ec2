#pragma once

// The peer's clock, which a hook can set. What was set outlives a restart.

#include <atomic>
#include <cstdint>
#include <string>

namespace entente::conformance::reference {

class PeerClock {
 public:
    // `file` holds how many ms it is ahead of the machine's; it needn't be there.
    explicit PeerClock(std::string file);

    // ms since 1970.
    [[nodiscard]] std::int64_t now() const;
    [[nodiscard]] std::int64_t seconds() const { return now() / 1000; }
    // May be negative.
    void set_ahead(std::int64_t milliseconds);

 private:
    const std::string file_;
    std::atomic<std::int64_t> ahead_{0};
};

}  // namespace entente::conformance::reference
