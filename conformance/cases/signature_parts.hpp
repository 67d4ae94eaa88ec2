#pragma once

// The files of the group signature, in the order of their ids.

#include <vector>

#include "conformance/judge/case.hpp"

namespace entente::conformance {

// What is missing, what stands twice: sig-01 …
[[nodiscard]] std::vector<Case> signature_part_cases();
// How components, parameters and fields are spelled: sig-26 …
[[nodiscard]] std::vector<Case> signature_form_cases();
// Who signed what, and what the octets of a signature may be: sig-51 …
[[nodiscard]] std::vector<Case> signature_proof_cases();
// Public test vectors: sig-71 …
[[nodiscard]] std::vector<Case> signature_vector_cases();

}  // namespace entente::conformance
