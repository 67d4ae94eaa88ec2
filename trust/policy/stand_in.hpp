// What holds in the place of a stored policy that this program can't hold: what it denied must not
// be allowed because nobody can read it any more.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust/policy/compiled.hpp"

namespace entente::trust::policy {

// Where refusals by it say whose they are: "(left-out)@0/own". No policy can have this name.
inline constexpr std::string_view stand_in_policy = "(left-out)";

// Rules called `id` that deny whatever actions the text names, all where any of it can't be made
// out; what follows from a log's order alone goes on. Of these policy.*, settings.* and audit.read
// are denied only to whoever is no administrator, so that it can be put right.
[[nodiscard]] std::vector<Rule> stand_in(std::string_view id, std::string_view text);

}  // namespace entente::trust::policy
