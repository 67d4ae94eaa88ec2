// What a second reading of the configuration has otherwise than the one that runs. Says which
// keys, not what comes of it.
#pragma once

#include <string>
#include <vector>

#include "daemon/config.hpp"
#include "daemon/config_value.hpp"

namespace entente::daemon {

// The same text for the same value, wherever it stood.
[[nodiscard]] std::string rendered(const ConfigValue& value);

// Keys whose values differ, or which only one of both has, as "limits.connections" or
// "listener[2].address", sorted. A default that is written out differs from none.
[[nodiscard]] std::vector<std::string> changed_keys(const Config& running, const Config& read);

}  // namespace entente::daemon
