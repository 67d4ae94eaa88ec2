#pragma once

// The files of which the group http consists.

#include <vector>

#include "conformance/judge/case.hpp"

namespace entente::conformance {

// Where a body ends: Content-Length, Transfer-Encoding, chunks.
[[nodiscard]] std::vector<Case> http_framing_cases();
[[nodiscard]] std::vector<Case> http_chunk_cases();
// Requests inside of, and behind, others.
[[nodiscard]] std::vector<Case> http_smuggling_cases();
// Lines, fields, targets, versions, sizes of a head.
[[nodiscard]] std::vector<Case> http_head_cases();
// As large a head as everybody takes.
[[nodiscard]] std::vector<Case> http_full_head_cases();
// What a body says that it is.
[[nodiscard]] std::vector<Case> http_body_cases();

}  // namespace entente::conformance
