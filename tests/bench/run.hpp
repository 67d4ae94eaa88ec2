// One measured run of a shape: opens its WebSockets, warms up, measures, waits until
// nothing is under way any more, and judges every message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/bench/servers.hpp"
#include "tests/bench/shapes.hpp"

namespace entente::bench {

// Of a core: who drives a load and takes as much has no time left.
inline constexpr double bottleneck_share = 0.9;

struct RunOptions {
    double seconds = 60;
    double warm_up = 2;  // seconds
    // The most posts in a frame: what has become free at once is sent at once.
    std::size_t posts_a_frame = 1;
    double paced = 0;           // messages a second in place of full windows
    std::int64_t messages = 0;  // ends after so many in place of after `seconds`
};

// CPU in µs a message; latencies in ms.
struct RunFigures {
    double messages_per_second = 0;
    double cpu_a = 0, cpu_b = 0, cpu_client = 0;
    double client_share = 0, servers_share = 0;  // of one core; of all cores
    double others_share = 0;                     // of all cores: neither servers nor client
    double client_held_up = 0;  // part of the time in which the client waited for a core
    double p50 = 0, p99 = 0;
    double syncs_a = 0, syncs_b = 0;  // fsync and fdatasync calls a message, where counted
    std::int64_t messages = 0;
    Faults faults;
    [[nodiscard]] double cpu_servers() const { return cpu_a + cpu_b; }
    // The client's thread had no time left: the servers may be able to do more.
    [[nodiscard]] bool client_was_the_bottleneck() const;
};

[[nodiscard]] RunFigures run_shape(Servers& servers, Crowd& crowd, const Shape& shape,
                                   const RunOptions& options);

// Of each figure the median; the faults of all.
[[nodiscard]] RunFigures median_of(const std::vector<RunFigures>& runs);

}  // namespace entente::bench
