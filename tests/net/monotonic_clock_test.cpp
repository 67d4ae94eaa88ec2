#include "net/monotonic_clock.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "net/task_group.hpp"

namespace entente::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class StandingStill final : public TimeSource {
 public:
    StandingStill() { MonotonicClock::replace(this); }
    ~StandingStill() override { MonotonicClock::replace(nullptr); }
    TimePoint now() override { return time; }
    void armed(TimePoint until) override { told.push_back(until); }

    TimePoint time{hours(1)};
    std::vector<TimePoint> told;
};

asio::awaitable<void> sleep(milliseconds time, bool& is_over)
{
    is_over = co_await sleep_for(time);
}

// A timer that is over already makes Asio look at the time.
void poll(asio::io_context& io)
{
    MonotonicTimer timer(io);
    bool has_come = false;
    timer.expires_at(MonotonicClock::time_point::min());
    timer.async_wait([&has_come](boost::system::error_code) { has_come = true; });
    io.restart();
    while (!has_come) io.poll_one();
    io.poll();
}

TEST(MonotonicClock, AWaitGoesByATimeThatWasPutInItsPlace)
{
    StandingStill time;
    asio::io_context io;
    bool is_over = false;
    asio::co_spawn(io, sleep(milliseconds(3'600'000), is_over), asio::detached);
    poll(io);
    ASSERT_EQ(time.told, (std::vector{time.time + hours(1)}));
    EXPECT_FALSE(is_over);
    time.time += hours(1) - milliseconds(1);
    poll(io);
    EXPECT_FALSE(is_over);
    time.time += milliseconds(1);
    poll(io);
    EXPECT_TRUE(is_over);
}

TEST(MonotonicClock, IsTheMachinesAgainBehindIt)
{
    {
        const StandingStill time;
        EXPECT_EQ(MonotonicClock::now(), MonotonicClock::time_point{hours(1)});
    }
    const auto before = std::chrono::steady_clock::now();
    EXPECT_GE(MonotonicClock::now(), before);
}

}  // namespace
}  // namespace entente::net
