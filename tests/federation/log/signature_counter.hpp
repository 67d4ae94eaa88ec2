// How many signatures this process has verified: what somebody else's body costs, as a count
// instead of a time.
#pragma once

#include <cstdint>

namespace entente::federation::log_rig {

[[nodiscard]] std::uint64_t signatures_verified();

}  // namespace entente::federation::log_rig
