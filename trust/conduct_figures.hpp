// What other servers' conduct earns and costs, in figures: those shipped, and the struct that holds
// what the configuration says in their place. What follows from them is standing.hpp's.
#pragma once

#include <cstdint>

#include "protocol/clock.hpp"

namespace entente::trust {

using protocol::Millis;

// As shipped; ConductFigures has what the configuration says.
// guest → known, and never further by itself.
inline constexpr Millis days_to_known_ms = 7 * protocol::day_ms;
inline constexpr std::int64_t events_to_known = 100;
// A fall ends by itself; each is twice as long as the one before, up to the longest.
inline constexpr Millis first_fall_ms = protocol::day_ms;
inline constexpr Millis longest_fall_ms = 256 * protocol::day_ms;
// Malformed and unentitled items that a server may send in a day before it falls: a program with
// a fault is no enemy yet. Anything else fells at once.
inline constexpr std::int64_t faults_a_day = 10;
// Reports that moderators have upheld and that the server's own signature proves. One bars from
// known for that time. So many different reporters, about as many different messages within the
// window, are a fall: one reporter alone never brings it about.
inline constexpr Millis upheld_bars_ms = 30 * protocol::day_ms;
inline constexpr Millis upheld_window_ms = 7 * protocol::day_ms;
inline constexpr std::int64_t upheld_to_fall = 3;

// What conduct earns and what it costs.
struct ConductFigures {
    std::int64_t known_days = days_to_known_ms / protocol::day_ms;  // since the first event
    std::int64_t known_events = events_to_known;
    std::int64_t report_bars_days = upheld_bars_ms / protocol::day_ms;
    std::int64_t first_fall_hours = first_fall_ms * 24 / protocol::day_ms;
    std::int64_t longest_fall_hours = longest_fall_ms * 24 / protocol::day_ms;
    std::int64_t daily_faults = faults_a_day;
    std::int64_t fall_reporters = upheld_to_fall;
    std::int64_t report_window_days = upheld_window_ms / protocol::day_ms;
    friend bool operator==(const ConductFigures&, const ConductFigures&) = default;
};

}  // namespace entente::trust
