#pragma once

// The groups of cases, one file (or a few) each. Every function gives its cases in the order of
// their ids.

#include <vector>

#include "conformance/judge/case.hpp"

namespace entente::conformance {

[[nodiscard]] std::vector<Case> discovery_cases();
[[nodiscard]] std::vector<Case> key_cases();
[[nodiscard]] std::vector<Case> signature_cases();
[[nodiscard]] std::vector<Case> digest_cases();
[[nodiscard]] std::vector<Case> window_cases();
[[nodiscard]] std::vector<Case> replay_cases();
[[nodiscard]] std::vector<Case> event_cases();
[[nodiscard]] std::vector<Case> log_cases();
[[nodiscard]] std::vector<Case> http_cases();
[[nodiscard]] std::vector<Case> load_cases();
[[nodiscard]] std::vector<Case> outbound_cases();

}  // namespace entente::conformance
