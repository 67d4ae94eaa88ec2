#include "net/task_group.hpp"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "net/await.hpp"
#include "net/monotonic_clock.hpp"

namespace entente::net {

namespace {

// Asio ends a cancelled coroutine by throwing this at its next co_await.
bool is_cancellation(const std::exception_ptr& thrown)
{
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

void arm(MonotonicTimer& timer, MonotonicClock::time_point time)
{
    timer.expires_at(time);
    if (time != MonotonicClock::time_point::max()) MonotonicClock::tell_armed(time);
}

}  // namespace

struct TaskGroup::State {
    asio::any_io_executor executor;
    std::function<void(std::exception_ptr)> on_bug;
    // A signal outlives its task's coroutine: the completion handler below removes it.
    std::map<std::uint64_t, std::shared_ptr<asio::cancellation_signal>> tasks;
    std::uint64_t next_id = 0;
    bool stopped = false;
    std::vector<MonotonicTimer*> waiting;  // for the group to be empty

    void ended(std::uint64_t id, const std::exception_ptr& thrown)
    {
        tasks.erase(id);
        if (thrown && on_bug && !is_cancellation(thrown)) on_bug(thrown);
        if (!tasks.empty()) return;
        for (auto* timer : waiting) timer->cancel();
    }
};

namespace {

template <class State>
asio::awaitable<bool> wait_until_empty(std::shared_ptr<State> state,
                                       MonotonicClock::time_point until)
{
    while (!state->tasks.empty() && MonotonicClock::now() < until) {
        MonotonicTimer timer(state->executor);
        arm(timer, until);
        // Out of the list also when this coroutine is destroyed while it waits.
        auto leave = [&waiting = state->waiting](MonotonicTimer* gone) {
            std::erase(waiting, gone);
        };
        const std::unique_ptr<MonotonicTimer, decltype(leave)> listed(&timer, leave);
        state->waiting.push_back(&timer);
        co_await timer.async_wait(as_result);
    }
    co_return state->tasks.empty();
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor, std::function<void(std::exception_ptr)> on_bug)
    : state_(std::make_shared<State>())
{
    state_->executor = std::move(executor);
    state_->on_bug = std::move(on_bug);
}

TaskGroup::~TaskGroup()
{
    // Nothing is left where the owner kept the contract; else this is the best we can do.
    state_->on_bug = nullptr;
    cancel();
}

void TaskGroup::spawn(asio::awaitable<void> task)
{
    if (state_->stopped) return;
    const auto id = state_->next_id++;
    auto signal = std::make_shared<asio::cancellation_signal>();
    state_->tasks.emplace(id, signal);
    auto ended = [state = state_, signal, id](const std::exception_ptr& thrown) {
        state->ended(id, thrown);
    };
    asio::co_spawn(state_->executor, std::move(task),
                   asio::bind_cancellation_slot(signal->slot(), std::move(ended)));
}

void TaskGroup::cancel()
{
    // A copy: what a signal sets off may spawn or end tasks.
    const auto tasks = state_->tasks;
    for (const auto& [id, signal] : tasks) signal->emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> TaskGroup::stop()
{
    auto state = state_;
    state->stopped = true;
    cancel();
    // Goes on waiting when the waiter itself is cancelled: leaving earlier would let tasks
    // outlive what they use.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await wait_until_empty(state, MonotonicClock::time_point::max());
    co_await asio::this_coro::reset_cancellation_state();
}

asio::awaitable<bool> TaskGroup::drained(std::chrono::milliseconds limit)
{
    auto state = state_;
    const auto until = MonotonicClock::now() + limit;
    const bool empty = co_await wait_until_empty(state, until);
    co_return empty;
}

void TaskGroup::report(std::exception_ptr bug) const
{
    if (state_->on_bug && !is_cancellation(bug)) state_->on_bug(std::move(bug));
}

std::size_t TaskGroup::size() const
{
    return state_->tasks.size();
}

asio::any_io_executor TaskGroup::executor() const
{
    return state_->executor;
}

asio::awaitable<bool> sleep_for(std::chrono::milliseconds time)
{
    auto executor = co_await asio::this_coro::executor;
    MonotonicTimer timer(executor);
    arm(timer, MonotonicClock::now() + time);
    auto [error] = co_await timer.async_wait(as_result);
    co_return !error;
}

struct Wakeup::State {
    explicit State(const asio::any_io_executor& executor) : timer(executor) {}
    MonotonicTimer timer;
    bool notified = false;
};

Wakeup::Wakeup(asio::any_io_executor executor) : state_(std::make_shared<State>(executor)) {}

Wakeup::~Wakeup()
{
    state_->timer.cancel();
}

void Wakeup::notify()
{
    state_->notified = true;
    state_->timer.cancel();
}

asio::awaitable<void> Wakeup::wait()
{
    auto state = state_;
    if (!state->notified) {
        arm(state->timer, MonotonicClock::time_point::max());
        co_await state->timer.async_wait(as_result);
    }
    state->notified = false;
}

asio::awaitable<bool> Wakeup::wait_for(std::chrono::milliseconds time)
{
    auto state = state_;
    if (!state->notified) {
        arm(state->timer, MonotonicClock::now() + time);
        co_await state->timer.async_wait(as_result);
    }
    co_return std::exchange(state->notified, false);
}

}  // namespace entente::net
