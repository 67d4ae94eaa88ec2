#pragma once

// What the page of HTML looks like, and the script that filters it. Its policy admits them by their
// hashes, so nothing of a target's could be either.

#include <string_view>

namespace entente::conformance {

[[nodiscard]] std::string_view page_style();
// Everything can be read without it: it adds a row of controls, and nothing else.
[[nodiscard]] std::string_view page_script();

}  // namespace entente::conformance
