// Time and randomness as the rest of the tree sees them: passed in, so that tests
// and simulation can hold them still.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace entente::protocol {

using Millis = std::int64_t;   // since 1970 UTC
using Seconds = std::int64_t;  // since 1970 UTC

inline constexpr Millis day_ms = 86'400'000;

class Clock {
 public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Millis now_ms() const = 0;
    [[nodiscard]] Seconds now_s() const { return now_ms() / 1000; }
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
    [[nodiscard]] Millis now_ms() const override;
};

class Random {
 public:
    virtual ~Random() = default;
    // `size` octets fit for keys and nonces. Thread-safe.
    [[nodiscard]] virtual std::string octets(std::size_t size) = 0;
};

// libsodium's generator.
class SystemRandom final : public Random {
 public:
    [[nodiscard]] std::string octets(std::size_t size) override;
};

}  // namespace entente::protocol
