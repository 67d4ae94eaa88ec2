// The keys of trust.budgets, trust.earning and trust.falls: figures alone.
#pragma once

#include <vector>

#include "daemon/config_schema.hpp"

namespace entente::daemon {

void add_trust_figures(std::vector<KeyRule<Config>>& rules);

}  // namespace entente::daemon
