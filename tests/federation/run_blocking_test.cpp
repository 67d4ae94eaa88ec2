#include "federation/run_blocking.hpp"

#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

namespace entente::federation {
namespace {

// What a coroutine on `io` has of blocking work on `pool`.
struct Seen {
    std::thread::id worked;
    std::thread::id resumed;
    std::string result;
    std::string thrown;
};

asio::awaitable<void> ask(asio::any_io_executor pool, bool throws, Seen& seen)
{
    auto work = [throws, &seen]() -> std::string {
        seen.worked = std::this_thread::get_id();
        if (throws) throw std::runtime_error("no disk");
        return "done";
    };
    try {
        auto result = co_await run_blocking(std::move(pool), std::move(work));
        seen.result = std::move(result);
    } catch (const std::runtime_error& error) {
        seen.thrown = error.what();
    }
    seen.resumed = std::this_thread::get_id();
}

Seen asked(bool throws)
{
    asio::io_context io;
    asio::thread_pool pool{1};
    Seen seen;
    asio::co_spawn(io, ask(pool.get_executor(), throws, seen),
                   [](const std::exception_ptr& bug) { ASSERT_FALSE(bug); });
    io.run();
    pool.join();
    return seen;
}

TEST(RunBlocking, WorksOnThePoolAndGoesOnWhereTheCallerRuns)
{
    const auto seen = asked(false);
    EXPECT_EQ(seen.result, "done");
    EXPECT_NE(seen.worked, std::this_thread::get_id());
    EXPECT_EQ(seen.resumed, std::this_thread::get_id());
}

TEST(RunBlocking, WhatTheWorkThrowsIsThrownAtWhoWaits)
{
    const auto seen = asked(true);
    EXPECT_EQ(seen.thrown, "no disk");
    EXPECT_EQ(seen.resumed, std::this_thread::get_id());
}

TEST(RunBlocking, TakesOneTurnOfThePool)
{
    asio::io_context io;
    asio::io_context pool;
    Seen seen;
    asio::co_spawn(io, ask(pool.get_executor(), false, seen),
                   [](const std::exception_ptr& bug) { ASSERT_FALSE(bug); });
    io.poll();
    EXPECT_EQ(pool.poll(), 1U);
    io.poll();
    EXPECT_EQ(seen.result, "done");
}

}  // namespace
}  // namespace entente::federation
