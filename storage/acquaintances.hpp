// Who has to do with whom by the channels that they are in: what a server may be told, and
// whose messages a person gets. Read-only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/names.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// Whether both are members of a channel that is held here, or invited into it, or `other` has
// invited `own` into one that isn't.
[[nodiscard]] Result<bool> are_acquainted(Connection& db, std::string_view own,
                                          std::string_view other);

}  // namespace entente::storage
