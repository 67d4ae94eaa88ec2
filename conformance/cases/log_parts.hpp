#pragma once

// The parts of the group log, in the order of their ids.

#include <vector>

#include "conformance/judge/case.hpp"

namespace entente::conformance {

// What a follower takes, and what it holds then.
[[nodiscard]] std::vector<Case> log_slice_cases();
// What a follower wants to see proven.
[[nodiscard]] std::vector<Case> log_proof_cases();
// Forks, homes that come and go, keys that nobody can be asked for.
[[nodiscard]] std::vector<Case> log_history_cases();
// What the target shows of a channel that it orders.
[[nodiscard]] std::vector<Case> log_home_cases();
// A log that goes on at another home.
[[nodiscard]] std::vector<Case> log_move_cases();

}  // namespace entente::conformance
