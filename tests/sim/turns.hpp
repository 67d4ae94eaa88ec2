// Who does something next: machines have turns, one handler each, in an order that chance
// picks, until nobody has anything to do; then time moves on. What is to happen at a time is
// the timeline's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/machine.hpp"

namespace entente::sim {

class Turns {
 public:
    using Machines = std::vector<std::unique_ptr<Machine>>;
    Turns(Timeline& time, Trace& trace, Chance& chance, Machines& machines)
        : time_(time), trace_(trace), chance_(chance), machines_(machines)
    {
    }

    // After each handler, by the machine's place; and each time that time has moved.
    void after_step(std::function<void(std::size_t)> look) { after_step_ = std::move(look); }
    void after_move(std::function<void()> look) { after_move_ = std::move(look); }

    // Runs all that can be done up to that time, as long as it hasn't given up: where a storm
    // feeds itself, which is a fault.
    void run_for(milliseconds time);
    [[nodiscard]] bool has_given_up() const { return has_given_up_; }
    [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
    void run_ready();

    Timeline& time_;
    Trace& trace_;
    Chance& chance_;
    Machines& machines_;
    std::function<void(std::size_t)> after_step_;
    std::function<void()> after_move_;
    std::uint64_t steps_ = 0;
    bool has_given_up_ = false;
};

}  // namespace entente::sim
