// The loop under a run: waits for sockets, hands their frames to Traffic, and lets it send.
// One thread; with what it spends the load client is judged.
#pragma once

#include <functional>
#include <vector>

#include "tests/bench/load_socket.hpp"
#include "tests/bench/traffic.hpp"

namespace entente::bench {

class Drive {
 public:
    Drive(std::vector<LoadSocket*> sockets, Traffic& traffic);
    ~Drive();
    Drive(const Drive&) = delete;
    Drive& operator=(const Drive&) = delete;

    // Until `deadline`, or until `done` says so after a round.
    void run(Nanoseconds deadline, const std::function<bool()>& done = {});
    // Posts `a_second` messages until `deadline`, one flow after the other, at times that
    // don't wait for answers.
    void run_paced(Nanoseconds deadline, double a_second);

 private:
    // Waits until `until` at the longest.
    void round(Nanoseconds until);
    void watch_writes(std::size_t index);

    std::vector<LoadSocket*> sockets_;
    std::vector<bool> watched_;  // for room to write
    Traffic& traffic_;
    int epoll_ = -1;
};

}  // namespace entente::bench
