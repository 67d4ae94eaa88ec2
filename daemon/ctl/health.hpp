// What ententctl doctor makes of the facts it has gathered: one finding each, with the remedy.
// Pure functions; what asks is doctor_verb.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/config.hpp"
#include "protocol/clock.hpp"
#include "protocol/server_document.hpp"

namespace entente::daemon::ctl {

struct Finding {
    enum class Kind : std::uint8_t { fine, unknown, warning, fault };
    std::string subject;  // "dns", "disk"
    Kind kind = Kind::fine;
    std::string found;
    std::string remedy;  // empty where it is fine
};
[[nodiscard]] std::string_view to_text(Finding::Kind kind);

// The kernel's word on its clock.
struct ClockState {
    bool is_synchronised = false;
    std::int64_t most_wrong_us = 0;  // its own bound
};
[[nodiscard]] std::optional<ClockState> kernel_clock();

inline constexpr protocol::Millis most_clock_error_us = 5'000'000;
inline constexpr std::uintmax_t little_room_octets = std::uintmax_t{1} << 30U;
inline constexpr std::int64_t slow_write_us = 1'000'000;
inline constexpr std::int64_t days_to_renew = 14;
inline constexpr protocol::Millis long_behind = protocol::day_ms;

[[nodiscard]] Finding judge_clock(const std::optional<ClockState>& clock);
// `addresses` are those of `host` in DNS; `given` where federation.resolve says it instead.
[[nodiscard]] Finding judge_addresses(const std::string& host,
                                      const std::vector<std::string>& addresses, bool given);
[[nodiscard]] Finding judge_disk(std::uintmax_t free, std::uintmax_t disk);
// `listener`'s certificate.
[[nodiscard]] Finding judge_certificate(const std::string& listener, protocol::Millis not_after,
                                        protocol::Millis now);
// The server document as another server would get it. `key`: the running daemon's, or "".
[[nodiscard]] Finding judge_document(const Config& config,
                                     const Result<protocol::ServerDocument>& document,
                                     const std::string& key);
// No time where the daemon says none.
[[nodiscard]] Finding judge_writes(const std::optional<std::int64_t>& microseconds);
// `last_called`: when another server last proved itself here, 0 for never since `started`.
[[nodiscard]] Finding judge_reach(std::size_t peers, protocol::Millis last_called,
                                  protocol::Millis started, protocol::Millis now);

// What is owed to others, and how their links stand.
struct PeerSums {
    std::size_t known = 0;
    std::size_t behind = 0;   // something is owed
    std::size_t failing = 0;  // the last attempt failed
    std::size_t skewed = 0;   // they say that our clock is wrong, or we that theirs is
    std::int64_t entries = 0, submissions = 0, direct = 0;
    protocol::Millis oldest_at = 0;  // of all that is owed; 0: nothing
    std::string worst;               // to whom that is owed
    std::int64_t worst_entries = 0;
};
[[nodiscard]] Finding judge_peers(const PeerSums& peers, protocol::Millis now);

}  // namespace entente::daemon::ctl
