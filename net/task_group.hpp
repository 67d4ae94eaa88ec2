// Owns every coroutine that the daemon starts: nothing is detached. On stop it cancels
// them all and waits until the last has ended. For one thread: everything here is called
// on the executor.
//
// A cancelled task sees its current wait end early; its next co_await throws
// system_error(operation_aborted), which unwinds it and is no bug. What must happen at the
// end belongs into destructors.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace entente::net {

namespace asio = boost::asio;

class TaskGroup {
 public:
    // An exception that leaves a task is a bug of ours: `on_bug` hears of it.
    TaskGroup(asio::any_io_executor executor, std::function<void(std::exception_ptr)> on_bug);
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    ~TaskGroup();  // requires that no task is left: await stop() first

    // Starts `task` on the executor; after stop() it is dropped unstarted.
    void spawn(asio::awaitable<void> task);
    // Emits cancellation (terminal) to every task.
    void cancel();
    // cancel(), then waits for the last task.
    asio::awaitable<void> stop();
    // Waits, without cancelling, until no task is left or the time is over; true if none is left.
    asio::awaitable<bool> drained(std::chrono::milliseconds limit);
    // Tells `on_bug` of an exception that was caught on its way out of a task.
    void report(std::exception_ptr bug) const;
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] asio::any_io_executor executor() const;

 private:
    struct State;
    std::shared_ptr<State> state_;
};

// Sleeps; returns early, with false, when the task is cancelled.
asio::awaitable<bool> sleep_for(std::chrono::milliseconds time);

// A condition that one coroutine waits for and anyone (on the same executor) sets.
class Wakeup {
 public:
    explicit Wakeup(asio::any_io_executor executor);
    ~Wakeup();
    void notify();  // remembered until the next wait
    asio::awaitable<void> wait();
    // True when notified, false when the time was over.
    asio::awaitable<bool> wait_for(std::chrono::milliseconds time);

 private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the coroutine that waits
};

}  // namespace entente::net
