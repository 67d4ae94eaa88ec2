// What `ententd check` looks at beyond the configuration's text: files that are named but
// missing or unfit, keys that others could read, listeners that look like a mistake. Opens
// no socket and changes nothing. What is in the database is check_database's business.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "daemon/config.hpp"
#include "protocol/clock.hpp"

namespace entente::daemon {

// Sentences for the operator, each with its remedy. Errors keep ententd from starting. It looks
// itself before each start; only the database is left to the start then.
struct CheckReport {
    std::vector<std::string> errors;
    std::vector<std::string> warnings;
};
[[nodiscard]] CheckReport check_installation(const Config& config, const std::string& file,
                                             const protocol::Clock& clock);

// The whole of `ententd check`: 0 where ententd would start, 1 else.
[[nodiscard]] int run_check(const std::string& file, const Environment& environment,
                            const protocol::Clock& clock, std::ostream& out);

}  // namespace entente::daemon
