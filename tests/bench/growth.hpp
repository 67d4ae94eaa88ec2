// How a server behaves as one of its channels grows: the speed of writing and the time of a
// page, at some sizes. A peer of our own fills the channel through the inbox.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace entente::bench {

struct GrowthFigures {
    std::size_t messages = 0;  // that the channel held
    double writes_per_second = 0;
    double cpu_us_per_write = 0;              // of the server
    double page_p50_ms = 0, page_p99_ms = 0;  // of 50 entries, anywhere in the channel
    double stored_mib = 0;                    // the server's data on the disk
};

// `sizes` rise. Each is told as soon as it is measured.
void measure_growth(const std::vector<std::size_t>& sizes,
                    const std::function<void(const GrowthFigures&)>& tell);

}  // namespace entente::bench
