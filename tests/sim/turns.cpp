#include "tests/sim/turns.hpp"

namespace entente::sim {

namespace {

// A moment in which so much happens is a storm that feeds itself.
constexpr std::uint64_t most_steps_at_once = 300'000;

}  // namespace

void Turns::run_for(milliseconds time)
{
    const auto end = time_.in(time);
    for (;;) {
        run_ready();
        if (has_given_up_) return;
        std::set<int> fired;
        if (!time_.move_on(end, fired)) return;
        if (after_move_) after_move_();
        for (const auto number : fired) {
            // What nobody's turn has armed may be anybody's.
            if (number >= 0) {
                machines_[static_cast<std::size_t>(number)]->feel_time();
            } else {
                for (auto& machine : machines_) machine->feel_time();
            }
        }
    }
}

void Turns::run_ready()
{
    std::vector<std::size_t> ready(machines_.size());
    for (std::size_t i = 0; i < ready.size(); ++i) ready[i] = i;
    std::uint64_t at_once = 0;
    while (!ready.empty()) {
        const auto place = chance_.below(ready.size());
        const auto index = ready[place];
        if (machines_[index]->step()) {
            ++steps_;
            if (++at_once > most_steps_at_once) {
                trace_.fault("a storm that feeds itself");
                has_given_up_ = true;
                return;
            }
        } else {
            ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(place));
        }
        if (after_step_) after_step_(index);
    }
}

}  // namespace entente::sim
