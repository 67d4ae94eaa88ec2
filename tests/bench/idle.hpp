// What a server costs that has nothing to do: the time to start, the memory it holds, and
// the memory that each idle WebSocket adds.
#pragma once

#include <cstddef>

#include "tests/bench/crowd.hpp"
#include "tests/bench/servers.hpp"

namespace entente::bench {

struct IdleFigures {
    double start_ms = 0, rss_mib = 0;
};
// Medians of `starts` starts of A, memory being read a second after each. B has to be away
// or quiet. What A holds is as it was.
[[nodiscard]] IdleFigures measure_idle(Servers& servers, std::size_t starts);

// KiB that each of `count` TLS WebSockets adds to A, each following one channel, none
// receiving anything, all read from until A is quiet.
[[nodiscard]] double measure_idle_websocket(Servers& servers, Crowd& crowd, std::size_t count);

// Lets this process, and servers started from now on, have as many files as they may.
void raise_file_limit();

}  // namespace entente::bench
