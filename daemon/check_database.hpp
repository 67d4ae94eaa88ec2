// What `ententd check` finds out by opening the database, before ententd does: whether it is one,
// of which version, whether the keys are as new as it remembers [LOG-10], and whether the disk
// has room for a start. Reads only.
#pragma once

#include <string>
#include <vector>

#include "daemon/config.hpp"

namespace entente::daemon {

// What a start writes before it serves: the index of the WAL, and files of the replay window.
inline constexpr std::uintmax_t least_room_octets = 1 << 20;

// Sentences with the remedy; empty where nothing keeps ententd from starting. Requires: the
// database and the key folder are there and readable.
[[nodiscard]] std::vector<std::string> check_database(const Config& config);

}  // namespace entente::daemon
