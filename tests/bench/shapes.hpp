// The shapes of a federated load and what one run of them came to. A shape says who writes
// to whom and how much is in flight; a run opens the WebSockets, warms up, measures, waits
// until nothing is under way, and judges every message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/crowd.hpp"
#include "tests/bench/traffic.hpp"

namespace entente::bench {

// Sockets by person, and the flows between them.
struct Shape {
    std::string name;
    struct Seat {
        std::size_t person = 0;
        std::vector<std::string> follow;
    };
    std::vector<Seat> seats;
    std::vector<FlowPlan> flows;
};

// Pairs of a person on A, who writes, and one on B, who reads; `in_flight` messages each.
// Every other channel is homed at A; a single pair has two, with half of the window each.
[[nodiscard]] Shape pairs_shape(Crowd& crowd, std::size_t pairs, std::size_t in_flight);

struct RunOptions {
    double seconds = 60;
    double warm_up = 2;  // seconds
    std::size_t posts_a_frame = 500;
    double paced = 0;  // messages a second in place of full windows
};

// CPU in µs a message; latencies in ms.
struct RunFigures {
    double messages_per_second = 0;
    double cpu_a = 0, cpu_b = 0, cpu_client = 0;
    double client_share = 0, servers_share = 0;  // of one core, of all cores
    double p50 = 0, p99 = 0;
    std::int64_t messages = 0;
    Faults faults;
    [[nodiscard]] double cpu_servers() const { return cpu_a + cpu_b; }
    [[nodiscard]] bool client_was_the_bottleneck() const;
};

[[nodiscard]] RunFigures run_shape(e2e::World& world, Crowd& crowd, const Shape& shape,
                                   const RunOptions& options);

}  // namespace entente::bench
