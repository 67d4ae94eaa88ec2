// File descriptors, shared out before any socket is open: whoever opens connections must
// not be able to take those that the stores need for their files, since a store that can't
// open one counts as a failed disk.
#pragma once

#include <cstddef>

#include "protocol/result.hpp"

namespace entente::daemon {

// Lets this process have as many as the system allows it; how many that are.
[[nodiscard]] std::size_t raise_descriptor_limit();

struct DescriptorShares {
    std::size_t connections = 0;  // to all listeners
    std::size_t outgoing = 0;     // to other servers, idle ones included
};
// `unavailable` where `limit` leaves too little.
[[nodiscard]] Result<DescriptorShares> share_descriptors(std::size_t limit, std::size_t readers);

}  // namespace entente::daemon
