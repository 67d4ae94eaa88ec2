// How ententctl shows things to people: tables, times, and text of strangers that can't move
// the terminal's cursor.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"

namespace entente::daemon::ctl {

using Row = std::vector<std::string>;
// Columns as wide as their widest cell, two spaces apart; the first row is the heading.
void print_table(std::ostream& out, const std::vector<Row>& rows);

// "3 s", "12 min", "5 h", "9 d": the largest unit that there is at least one of.
[[nodiscard]] std::string duration(protocol::Millis time);
// "512 B", "3.4 MiB", "120 GiB".
[[nodiscard]] std::string octets_text(std::uintmax_t octets);
// "2025-11-21 00:00:00.000 UTC".
[[nodiscard]] std::string time_text(protocol::Millis at);
// ASCII without control characters; anything else as a JSON escape.
[[nodiscard]] std::string harmless(std::string_view text);

// Percent-encoded, to stand in a query or a path.
[[nodiscard]] std::string query_text(std::string_view text);

}  // namespace entente::daemon::ctl
