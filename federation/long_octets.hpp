// From which size on texts are read, hashed and checked on another thread.
#pragma once

#include <cstddef>

namespace entente::federation {

// A larger transaction or answer is worked on by a reader, one of each origin at a time: four
// megabytes take tens of milliseconds, for which nobody else would be served. A small one
// takes less than the way there and back.
inline constexpr std::size_t long_octets = 64 * 1024;

}  // namespace entente::federation
