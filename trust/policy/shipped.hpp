// The policies that come with the program: roles of this server, roles of channels, and what
// tiers permit. As texts in the language that administrators write, which may take their place.
//
// What an entry does to a channel stays code (protocol/fold.cpp): every server must come to the
// same state from the same log, so no server may have its own rules of that. `channel-roles` says
// the same beforehand, of events that a server is asked to make or to order; a policy can ask for
// more than the fold does, never for less.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "trust/policy/compiled.hpp"

namespace entente::trust::policy {

struct ShippedPolicy {
    std::string_view id, text;
};
[[nodiscard]] const std::array<ShippedPolicy, 3>& shipped_policies();
// Read, as version 0.
[[nodiscard]] std::vector<Source> shipped_sources();

}  // namespace entente::trust::policy
