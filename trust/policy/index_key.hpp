// By what a rule can be found: an attribute that must have one of a few values for its condition
// to hold. For the .cpp files of this folder only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trust/policy/language.hpp"

namespace entente::trust::policy {

struct IndexKey {
    Attribute attribute{};
    std::uint64_t words = 0;         // of a word or a flag, one bit each
    std::vector<std::string> texts;  // of a text
    double share = 1;                // of requests that have such a value, by guess
};

// The rarest of those that the rule can't hold without; nothing where there is none.
[[nodiscard]] std::optional<IndexKey> index_key(const Rule& rule);

}  // namespace entente::trust::policy
