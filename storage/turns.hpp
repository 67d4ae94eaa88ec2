// Storage without threads: whoever runs the I/O executor gives it turns, and so decides in
// which order, and how late, it reads, writes and tidies up. For simulations.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace entente::storage {

// `turn` is to be run once, on the I/O executor, when so much time has passed or later. What
// waits for a turn has no other way to go on.
using Turns = std::function<void(std::function<void()> turn, std::chrono::milliseconds after)>;

// What there is to do in a turn; `write` and `read` say whether there was anything.
struct TurnWork {
    std::function<bool()> write;
    std::function<bool()> read;
    std::function<bool()> maintain;  // whether it wants another
    std::chrono::milliseconds maintenance_interval{0};
    int maintenance_calls = 0;  // behind the last write
};

// Asks for the turns. A turn that comes when this is gone does nothing.
class TurnTaker {
 public:
    TurnTaker(Turns turns, TurnWork work);
    ~TurnTaker();
    TurnTaker(const TurnTaker&) = delete;
    TurnTaker& operator=(const TurnTaker&) = delete;

    // A job has come. Writes share a turn; reads have one each, and keep no order.
    void want_write();
    void want_read();
    void want_maintenance();
    // Runs at once all that waits.
    void finish();

 private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace entente::storage
