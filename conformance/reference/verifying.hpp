#pragma once

// Ed25519 as [SIG-7] has it, and as mutants have it: each lets one thing pass that is forbidden.

#include <string_view>

#include "conformance/reference/flags.hpp"

namespace entente::conformance::reference {

[[nodiscard]] bool is_right_signature(std::string_view octets, std::string_view signature,
                                      std::string_view public_octets, const Flags& flags);

}  // namespace entente::conformance::reference
