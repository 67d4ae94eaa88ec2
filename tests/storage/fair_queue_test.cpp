#include "storage/fair_queue.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace entente::storage {
namespace {

FairQueueLimits limits()
{
    FairQueueLimits small;
    small.jobs = 100;
    small.octets = 100'000;
    small.much = 40'000;
    small.little = 10'000;
    small.jobs_of_one = 20;
    return small;
}

std::vector<int> take_all(FairQueue<int>& queue)
{
    std::vector<int> taken;
    while (queue.has_next()) taken.push_back(queue.take().job);
    return taken;
}

TEST(FairQueue, KeepsTheOrderOfOneCause)
{
    FairQueue<int> queue(limits());
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue.push("alice", i, 10));
    EXPECT_EQ(take_all(queue), (std::vector{0, 1, 2, 3, 4}));
    EXPECT_EQ(queue.jobs(), 0U);
    EXPECT_EQ(queue.octets(), 0U);
}

TEST(FairQueue, WhoHadNothingWaitingComesFirst)
{
    FairQueue<int> queue({});
    for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(queue.push("flooder", i, 5'000));
    (void)queue.take();
    (void)queue.take();
    ASSERT_TRUE(queue.push("quiet", -1, 10));
    const auto first = queue.take().job, second = queue.take().job;
    EXPECT_TRUE(first == -1 || second == -1);
}

TEST(FairQueue, SharesTheTurnsByOctets)
{
    FairQueue<int> queue({});
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(queue.push("large", 1, 200'000));
        ASSERT_TRUE(queue.push("small", 0, 1'000));
    }
    // All of the small ones pass while a few of the large do.
    int large = 0;
    for (int small = 0; small < 100;) (queue.take().job == 1 ? large : small) += 1;
    EXPECT_GE(large, 1);
    EXPECT_LE(large, 10);
}

TEST(FairQueue, WhoComesAnewEachTimeDoesNotStarveThoseWhoWait)
{
    FairQueue<int> queue({});
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(queue.push("patient", 1, 10));
    int patient = 0;
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(queue.push("passer-by " + std::to_string(i), 0, 10));
        ASSERT_TRUE(queue.push("", 0, 10));
        patient += queue.take().job;
        patient += queue.take().job;
    }
    EXPECT_EQ(patient, 10);
}

TEST(FairQueue, GivesOneCauseAShareAndLittleWhereHalfIsTaken)
{
    FairQueue<int> queue(limits());
    const auto fill = [&](const std::string& cause) {
        std::size_t octets = 0;
        while (queue.push(cause, 0, 4'000)) octets += 5'024;
        return octets;
    };
    const auto first = fill("first");
    EXPECT_LE(first, 40'000U);
    EXPECT_GT(first, 34'000U);
    EXPECT_LE(fill("second"), 20'000U);
    EXPECT_LE(fill("third"), 10'000U + 1);
    // Who has nothing there gets in.
    EXPECT_TRUE(queue.push("late", 0, 4'000));
    EXPECT_LE(queue.octets(), 100'000U);
}

TEST(FairQueue, RefusesBeyondItsBoundsAndTakesAgainBelowThem)
{
    FairQueue<int> queue(limits());
    int pushed = 0;
    while (queue.push("cause " + std::to_string(pushed), pushed, 0)) ++pushed;
    EXPECT_EQ(queue.octets(), static_cast<std::size_t>(pushed) * 1'024);
    EXPECT_LE(queue.octets(), 100'000U);
    EXPECT_GE(queue.octets(), 98'000U);
    (void)queue.take();
    EXPECT_TRUE(queue.push("late", 0, 0));
    EXPECT_FALSE(queue.push("later", 0, 0));

    FairQueue<int> one(limits());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(one.push("alice", i, 0));
    EXPECT_FALSE(one.push("alice", 20, 0));
    EXPECT_TRUE(one.push("bob", 0, 0));
}

TEST(FairQueue, TakesAJobOfAnySizeWhereNothingWaits)
{
    FairQueue<int> queue(limits());
    EXPECT_TRUE(queue.push("alice", 1, 1'000'000));
    EXPECT_FALSE(queue.push("bob", 2, 10));
    EXPECT_EQ(queue.take().job, 1);
    EXPECT_TRUE(queue.push("bob", 2, 10));
}

TEST(FairQueue, WhatDoesNotFitStaysAndLetsNewcomersPass)
{
    FairQueue<int> queue({});
    ASSERT_TRUE(queue.push("large", 1, 500'000));
    ASSERT_TRUE(queue.push("large", 2, 500'000));
    EXPECT_EQ(queue.take_within(600'000)->job, 1);
    EXPECT_FALSE(queue.take_within(100'000));
    EXPECT_FALSE(queue.take_within(100'000));
    ASSERT_TRUE(queue.push("small", 3, 10));
    EXPECT_EQ(queue.take_within(100'000)->job, 3);
    EXPECT_FALSE(queue.take_within(100'000));
    EXPECT_EQ(queue.take().job, 2);
    EXPECT_FALSE(queue.has_next());

    ASSERT_TRUE(queue.push("large", 4, 500'000));
    EXPECT_FALSE(queue.take_within(100'000));
    EXPECT_EQ(queue.take().job, 4);
}

TEST(FairQueue, OneAtATimeHoldsACauseBackUntilItsJobIsDone)
{
    FairQueue<int> queue({}, true);
    ASSERT_TRUE(queue.push("alice", 1, 0));
    ASSERT_TRUE(queue.push("alice", 2, 0));
    EXPECT_EQ(queue.take().job, 1);
    EXPECT_FALSE(queue.has_next());
    ASSERT_TRUE(queue.push("bob", 3, 0));
    ASSERT_TRUE(queue.push("alice", 4, 0));
    EXPECT_EQ(queue.take().job, 3);
    EXPECT_FALSE(queue.has_next());
    queue.finished("alice");
    EXPECT_EQ(queue.take().job, 2);
    EXPECT_FALSE(queue.has_next());
    queue.finished("nobody");
    EXPECT_FALSE(queue.has_next());
    queue.hold_nothing_back();
    EXPECT_EQ(queue.take().job, 4);
    EXPECT_FALSE(queue.has_next());
}

TEST(FairQueue, JobsWithoutACauseHoldEachOtherBackInNothing)
{
    FairQueue<int> queue({}, true);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.push("", i, 0));
    EXPECT_EQ(take_all(queue), (std::vector{0, 1, 2}));
    EXPECT_EQ(queue.causes(), 0U);
}

RC_GTEST_PROP(FairQueue, HandsOutEachJobOnceInTheOrderOfItsCause, ())
{
    const bool one_at_a_time = *rc::gen::arbitrary<bool>();
    FairQueue<int> queue({}, one_at_a_time);
    std::map<std::string, std::vector<int>> pushed, taken;
    std::vector<std::string> under_way;
    const auto take = [&] {
        if (!queue.has_next()) return;
        auto next = queue.take();
        taken[next.cause].push_back(next.job);
        if (one_at_a_time) under_way.push_back(next.cause);
    };
    const auto steps = *rc::gen::inRange(0, 300);
    for (int i = 0; i < steps; ++i) {
        const auto cause = std::string(1, *rc::gen::inRange('a', 'f'));
        switch (*rc::gen::inRange(0, 4)) {
            case 0:
            case 1:
                RC_ASSERT(queue.push(cause, i, *rc::gen::inRange<std::size_t>(0, 200'000)));
                pushed[cause].push_back(i);
                break;
            case 2: take(); break;
            default:
                if (under_way.empty()) break;
                queue.finished(under_way.back());
                under_way.pop_back();
        }
    }
    queue.hold_nothing_back();
    while (queue.has_next()) take();
    RC_ASSERT(queue.jobs() == 0U);
    RC_ASSERT(queue.octets() == 0U);
    std::erase_if(pushed, [](const auto& entry) { return entry.second.empty(); });
    RC_ASSERT(taken == pushed);
}

}  // namespace
}  // namespace entente::storage
