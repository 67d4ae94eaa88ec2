// When a run is void, and that the bench then fails.
#include "tests/bench/run.hpp"

#include <gtest/gtest.h>

#include "tests/bench/report.hpp"

namespace entente::bench {
namespace {

RunFigures good_run()
{
    RunFigures figures;
    figures.messages = 1000;
    figures.messages_per_second = 100;
    figures.client_share = 0.3;
    return figures;
}

TEST(Report, AGoodRunIsNoFault)
{
    Report report;
    report.run("good", good_run());
    EXPECT_EQ(report.exit_code(), 0);
}

TEST(Report, ALostMessageFailsTheBenchWhateverTheOthersDid)
{
    auto bad = good_run();
    bad.faults.lost = 1;
    Report report;
    report.run("bad", median_of({good_run(), bad, good_run()}));
    report.run("good", good_run());
    EXPECT_EQ(report.exit_code(), 1);
}

TEST(Report, ARunWithoutMessagesFails)
{
    Report report;
    report.run("empty", RunFigures{});
    EXPECT_EQ(report.exit_code(), 1);
}

TEST(Report, AClientWithoutTimeLeftWasTheBottleneck)
{
    auto figures = good_run();
    figures.client_share = 0.89;
    EXPECT_FALSE(figures.client_was_the_bottleneck());
    figures.client_share = 0.9;
    EXPECT_TRUE(figures.client_was_the_bottleneck());
    Report report;
    report.run("slow client", figures);
    EXPECT_EQ(report.exit_code(), 1);
}

TEST(Report, AClientThatSharesItsCoreIsTheBottleneckAtLess)
{
    auto figures = good_run();
    figures.client_share = 0.55;
    figures.client_held_up = 0.3;
    EXPECT_FALSE(figures.client_was_the_bottleneck());
    figures.client_held_up = 0.4;
    EXPECT_TRUE(figures.client_was_the_bottleneck());
    // It needs little, and others take long: the machine is full, not the client.
    figures.client_share = 0.2;
    figures.client_held_up = 0.75;
    EXPECT_FALSE(figures.client_was_the_bottleneck());
}

TEST(Report, ASenderWithoutTimeLeftFailsTheBench)
{
    InboxFigures figures;
    figures.batch = 100;
    figures.events_per_second = 1000;
    figures.sender_share = 0.89;
    Report quick;
    quick.inbox(figures);
    EXPECT_EQ(quick.exit_code(), 0);
    figures.sender_share = 0.9;
    Report slow;
    slow.inbox(figures);
    EXPECT_EQ(slow.exit_code(), 1);
}

TEST(Report, AMedianIsOfEachFigure)
{
    auto one = good_run(), two = good_run(), three = good_run();
    one.messages_per_second = 10;
    two.messages_per_second = 30;
    three.messages_per_second = 20;
    one.p99 = 5;
    const auto median = median_of({one, two, three});
    EXPECT_EQ(median.messages_per_second, 20);
    EXPECT_EQ(median.p99, 0);
    EXPECT_EQ(median.messages, 3000);
}

}  // namespace
}  // namespace entente::bench
