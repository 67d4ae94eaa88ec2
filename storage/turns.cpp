#include "storage/turns.hpp"

#include <utility>

namespace entente::storage {

struct TurnTaker::State : std::enable_shared_from_this<TurnTaker::State> {
    State(Turns given, TurnWork to_do) : turns(std::move(given)), work(std::move(to_do)) {}

    void ask_for(void (State::*turn)(), std::chrono::milliseconds after)
    {
        turns(
            [weak = weak_from_this(), turn] {
                if (const auto self = weak.lock()) ((*self).*turn)();
            },
            after);
    }
    void ask_to_write()
    {
        if (!std::exchange(write_comes, true)) ask_for(&State::write, {});
    }
    void write()
    {
        write_comes = false;
        if (!work.write()) return;
        // One batch a turn: there may be more than it takes.
        ask_to_write();
        calls_left = work.maintenance_calls;
        ask_to_maintain();
    }
    void ask_to_maintain()
    {
        if (!std::exchange(maintenance_comes, true))
            ask_for(&State::maintain, work.maintenance_interval);
    }
    void read() { static_cast<void>(work.read()); }
    void maintain()
    {
        maintenance_comes = false;
        calls_left -= 1;
        if (work.maintain() || calls_left > 0) ask_to_maintain();
    }

    Turns turns;
    TurnWork work;
    bool write_comes = false;
    bool maintenance_comes = false;
    int calls_left = 0;
};

TurnTaker::TurnTaker(Turns turns, TurnWork work)
    : state_(std::make_shared<State>(std::move(turns), std::move(work)))
{
}

TurnTaker::~TurnTaker() = default;

void TurnTaker::want_write()
{
    state_->ask_to_write();
}

void TurnTaker::want_read()
{
    state_->ask_for(&State::read, {});
}

void TurnTaker::want_maintenance()
{
    state_->ask_to_maintain();
}

void TurnTaker::finish()
{
    while (state_->work.write()) {
    }
    while (state_->work.read()) {
    }
}

}  // namespace entente::storage
