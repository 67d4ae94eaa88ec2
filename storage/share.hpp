// How much of a bounded place one party may take, so that few can't keep out all others.
#pragma once

#include <algorithm>
#include <cstdint>

namespace entente::storage {

// Of a place for `most`, `all` of them taken, whether one who has `own` of those, and may have
// `most_of_one`, gets another. He never takes more than half of what the others leave: the fuller
// it is, the less for each, and a newcomer gets one until the last is gone.
[[nodiscard]] constexpr bool has_room(std::int64_t most, std::int64_t all, std::int64_t most_of_one,
                                      std::int64_t own)
{
    if (all >= most) return false;
    return own < std::min(most_of_one, std::max<std::int64_t>(1, (most - all) / 2));
}

}  // namespace entente::storage
