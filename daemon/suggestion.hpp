// What somebody may have meant who wrote a word that there isn't. Knows no words itself.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace entente::daemon {

// "; did you mean …?" where one of `known` differs by two letters at most, otherwise "; " and
// the advice. Of `unknown` the first 64 octets count.
[[nodiscard]] std::string suggest(std::string_view unknown, const std::set<std::string>& known,
                                  const std::string& advice);

}  // namespace entente::daemon
