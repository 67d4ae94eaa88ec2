#pragma once

// Lines for a terminal, of which a target may have chosen words: none holds a control character.

#include <string>

#include "conformance/judge/case.hpp"
#include "conformance/judge/verdict.hpp"

namespace entente::conformance {

// "fail           key-10 [KEY-2 MUST] What the case proves: what was found"
[[nodiscard]] std::string verdict_line(const Case& one, const Verdict& verdict);

// What was sent, what came back, and both signature bases, in lines.
[[nodiscard]] std::string exchange_lines(const Exchange& one);

}  // namespace entente::conformance
