// Reads a rule's `when`. For the .cpp files of this folder only.
#pragma once

#include <cstddef>

#include "trust/policy/language.hpp"
#include "trust/policy/place.hpp"

namespace entente::trust::policy {

// What conditions of one policy have cost so far.
struct NodeCount {
    std::size_t nodes = 0;
    // `too_large` beyond max_policy_nodes.
    [[nodiscard]] Result<void> add(const Place& place);
};

[[nodiscard]] Result<Condition> read_condition(const Place& place, NodeCount& count);

// Every attribute that it reads.
[[nodiscard]] Attributes attributes_of(const Condition& condition);

}  // namespace entente::trust::policy
