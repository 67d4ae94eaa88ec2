// What no policy can change, since a policy could be wrong: who may never act on whom, and that
// somebody can always put policies right. Decides from what a request says; that all sessions end
// with a ban and that every administrative act is recorded is done by who carries it out.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "trust/policy/compiled.hpp"
#include "trust/policy/request.hpp"

namespace entente::trust::policy {

// The name of the invariant that the request would break, empty where none:
// "not-oneself" and "not-above" (bans, suspensions, kicks, other roles, deletions), "not-beyond"
// (a role above one's own given to somebody), "last-superadmin", and "facts-missing" where the
// point didn't say what the others need: then nothing is done.
[[nodiscard]] std::string_view broken_invariant(const Request& request);
inline constexpr std::string_view facts_missing = "facts-missing";
// What the others need and the request doesn't say.
[[nodiscard]] Attributes missing_facts(const Request& request);

// That at least one of the superadmins, users of `self` that aren't suspended, may change policies
// whatever the time, the network, the device or the group: what isn't known beforehand could be
// otherwise just then. Before there is any, that one called anything may. `forbidden`, the hint
// names the rule. Also to be asked before a superadmin is taken away.
[[nodiscard]] Result<void> check_not_locked_out(const Compiled& policies, std::string_view self,
                                                std::span<const std::string> superadmins);

}  // namespace entente::trust::policy
