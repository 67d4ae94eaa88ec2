#pragma once

// The files of which the group load consists.

#include <vector>

#include "conformance/judge/case.hpp"

namespace entente::conformance {

// Connections that are slow, or idle.
[[nodiscard]] std::vector<Case> load_connection_cases();
// Requests: too many of one server, in another's name, of servers that nobody knows.
[[nodiscard]] std::vector<Case> load_request_cases();

}  // namespace entente::conformance
