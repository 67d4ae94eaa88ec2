#pragma once

// The documents of the protocol, built in. The unit behind it is written at build time, by
// protocol_texts.cmake.

#include <string_view>
#include <utility>
#include <vector>

namespace entente::conformance {

// Each file of docs/protocol that holds clauses: its name, and its octets.
[[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> protocol_texts();

}  // namespace entente::conformance
