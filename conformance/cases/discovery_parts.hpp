#pragma once

// The parts of the group discovery, in the order of their ids, and what they share.

#include <functional>
#include <vector>

#include "conformance/cases/groups.hpp"
#include "conformance/judge/arrival.hpp"

namespace entente::conformance {

// Answers fetches of the document, and nothing else, in the origin's place.
[[nodiscard]] Origin::Handler at_discovery(std::function<Reply(const Request&)> reply);

// Delegations, certificates, time and size.
[[nodiscard]] std::vector<Case> discovery_fetch_cases();
// How often is fetched, and what is remembered.
[[nodiscard]] std::vector<Case> discovery_cache_cases();
// Names that are none.
[[nodiscard]] std::vector<Case> discovery_name_cases();
// Addresses that must not be connected to.
[[nodiscard]] std::vector<Case> discovery_address_cases();

}  // namespace entente::conformance
