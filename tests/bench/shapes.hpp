// The shapes of a federated load: who writes to whom, in channels of which server, and how
// much is in flight. Making one makes its people and channels; running it is run.hpp's.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/bench/crowd.hpp"
#include "tests/bench/traffic.hpp"

namespace entente::bench {

struct Shape {
    // A WebSocket: whose, and which channels it follows.
    struct Seat {
        std::size_t person = 0;
        std::vector<std::string> follow;
    };
    std::string name;
    std::vector<Seat> seats;
    std::vector<FlowPlan> flows;  // between seats
};

// Pairs of a person on A, who writes, and one on B, who reads; `in_flight` messages each.
// Every other channel is homed at A; a single pair has two, with half of the window each.
[[nodiscard]] Shape pairs_shape(Crowd& crowd, std::size_t pairs, std::size_t in_flight);

// Direct channels of two, one message in flight in each, written on A and read on B. Each
// person is in so many of them, all with others, over one WebSocket.
constexpr std::size_t direct_channels_each = 10;
[[nodiscard]] Shape direct_shape(Crowd& crowd, std::size_t channels);

// One channel of A with as many members on each side, all of whom follow it; some of each
// side write, and each message has to reach every member.
constexpr std::size_t group_members = 20;  // on each side
constexpr std::size_t group_writers = 5;   // on each side
[[nodiscard]] Shape group_shape(Crowd& crowd, std::size_t in_flight);

}  // namespace entente::bench
