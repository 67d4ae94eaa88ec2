// What this machine can do at most, whoever asks: signatures made and verified and
// transactions read in a second of one core's time, and durable commits in a second by the
// clock. The servers' figures are to be held against these.
#pragma once

#include <cstddef>
#include <string>

namespace entente::bench {

struct RawLimits {
    double signs_per_second = 0;     // of 300 octets
    double verifies_per_second = 0;  // of 300 octets
    double commits_per_second = 0;   // one row of 300 octets in SQLite each, on the disk
    double syncs_per_second = 0;     // 4 KiB written over old ones, and fdatasync
};
// About `seconds` for each; files are made and removed in `folder`.
[[nodiscard]] RawLimits measure_limits(const std::string& folder, double seconds);

// Events of 300 octets of text read and checked in a second of one core's time, from
// transactions of so many.
[[nodiscard]] double events_read_per_second(std::size_t events_each, double seconds);

}  // namespace entente::bench
