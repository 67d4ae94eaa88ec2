#include "net/task_group.hpp"

#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

struct Seen {
    int begun = 0;
    int ended = 0;
    bool slept_to_the_end = true;
    std::vector<std::string> bugs;
};

asio::awaitable<void> sleeper(Seen& seen)
{
    ++seen.begun;
    seen.slept_to_the_end = co_await sleep_for(1h);
    ++seen.ended;
}

asio::awaitable<void> endless(Seen& seen)
{
    struct Leaving {
        Seen& seen;
        ~Leaving() { ++seen.ended; }
    } const leaving{seen};
    ++seen.begun;
    while (true) co_await sleep_for(1h);
}

asio::awaitable<void> begin_then_stop(TaskGroup& tasks, Seen& seen)
{
    tasks.spawn(sleeper(seen));
    tasks.spawn(endless(seen));
    const bool empty = co_await tasks.drained(5ms);
    EXPECT_FALSE(empty);
    EXPECT_EQ(seen.begun, 2);
    co_await tasks.stop();
    EXPECT_EQ(seen.ended, 2);
    EXPECT_EQ(tasks.size(), 0U);
    tasks.spawn(sleeper(seen));
    EXPECT_EQ(tasks.size(), 0U);
    EXPECT_EQ(seen.begun, 2);
}

TEST(TaskGroup, StopEndsEveryTaskAndWaitsForIt)
{
    asio::io_context context;
    Seen seen;
    TaskGroup tasks(context.get_executor(), [&](auto) { seen.bugs.emplace_back("bug"); });
    run(context, begin_then_stop(tasks, seen));
    EXPECT_FALSE(seen.slept_to_the_end);
    EXPECT_TRUE(seen.bugs.empty());
}

asio::awaitable<void> buggy()
{
    co_await sleep_for(1ms);
    throw std::runtime_error("bug");
}

asio::awaitable<void> until_drained(TaskGroup& tasks)
{
    tasks.spawn(buggy());
    tasks.spawn(buggy());
    const bool empty = co_await tasks.drained(10s);
    EXPECT_TRUE(empty);
}

TEST(TaskGroup, TellsOfExceptionsThatLeaveATask)
{
    asio::io_context context;
    int bugs = 0;
    TaskGroup tasks(context.get_executor(), [&](auto) { ++bugs; });
    run(context, until_drained(tasks));
    EXPECT_EQ(bugs, 2);
}

asio::awaitable<void> waiter(Wakeup& wakeup, int& woken, int times)
{
    for (int i = 0; i < times; ++i) {
        co_await wakeup.wait();
        ++woken;
    }
}

asio::awaitable<void> notify_and_look(TaskGroup& tasks, Wakeup& wakeup, int& woken)
{
    wakeup.notify();
    wakeup.notify();
    tasks.spawn(waiter(wakeup, woken, 2));
    const bool early = co_await tasks.drained(5ms);
    EXPECT_FALSE(early);
    EXPECT_EQ(woken, 1);  // remembered once
    wakeup.notify();
    const bool done = co_await tasks.drained(10s);
    EXPECT_TRUE(done);
    EXPECT_EQ(woken, 2);
    const bool notified = co_await wakeup.wait_for(1ms);
    EXPECT_FALSE(notified);
    wakeup.notify();
    const bool at_once = co_await wakeup.wait_for(1h);
    EXPECT_TRUE(at_once);
}

TEST(Wakeup, RemembersANotificationUntilTheNextWait)
{
    asio::io_context context;
    TaskGroup tasks(context.get_executor(), nullptr);
    Wakeup wakeup(context.get_executor());
    int woken = 0;
    run(context, notify_and_look(tasks, wakeup, woken));
}

asio::awaitable<void> cancel_a_waiter(TaskGroup& tasks, Wakeup& wakeup, int& woken)
{
    tasks.spawn(waiter(wakeup, woken, 2));
    co_await tasks.drained(5ms);
    co_await tasks.stop();
}

TEST(Wakeup, LetsGoOfACancelledTask)
{
    asio::io_context context;
    TaskGroup tasks(context.get_executor(), nullptr);
    Wakeup wakeup(context.get_executor());
    int woken = 0;
    run(context, cancel_a_waiter(tasks, wakeup, woken));
    EXPECT_EQ(tasks.size(), 0U);
    EXPECT_LT(woken, 2);
}

}  // namespace
}  // namespace entente::net::test
