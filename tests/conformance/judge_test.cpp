// How verdicts come about: what is measured again, what is flaky, what a seed decides.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "conformance/judge/machine_watch.hpp"
#include "conformance/judge/run.hpp"
#include "conformance/judge/trial.hpp"
#include "conformance/reference/selftest_bench.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {
namespace {

// A target that cases of these tests don't ask anything.
World& world()
{
    static struct Held {
        ~Held() { std::filesystem::remove_all(reference::bench_root()); }
        reference::Bench bench{reference::NullKind::always_200};
    } held;
    return held.bench.world();
}

// Ends as each of `ends` says, one after another; passes behind the last.
Case ending(std::vector<std::function<void()>> ends)
{
    const auto next = std::make_shared<std::size_t>(0);
    Case one;
    one.id = "win-02";
    one.run = [=](Trial&) {
        if (*next < ends.size()) ends[(*next)++]();
    };
    return one;
}

const std::function<void()> passes = [] {};
const std::function<void()> is_unclear = [] { throw TooNoisy("it is loud"); };
const std::function<void()> breaks = [] { throw Broken("refused", "it isn't"); };

TEST(Judge, MeasuresAgainWhereTheMachineWasTooBusy)
{
    EXPECT_EQ(judge(world(), ending({is_unclear, is_unclear, passes}), 0).state, State::pass);
    const auto verdict = judge(world(), ending({is_unclear, is_unclear, is_unclear, passes}), 0);
    EXPECT_EQ(verdict.state, State::could_not_run);
    EXPECT_NE(verdict.detail.find("it is loud"), std::string::npos);
}

TEST(Judge, ThatTheMachineIsTooBusyIsNoFailureAndNoPass)
{
    const auto exit_after = [](const std::vector<std::function<void()>>& ends,
                               std::size_t min_graded) {
        const auto one = ending(ends);
        RunOptions options;
        options.min_graded = min_graded;
        return exit_of(run(world(), {&one}, options, [](const Case&, const Verdict&) {}), options);
    };
    const std::vector<std::function<void()>> loud(max_measurements, is_unclear);
    EXPECT_EQ(exit_after(loud, 1), Exit::too_busy);
    EXPECT_EQ(exit_after(loud, 2), Exit::incomplete);
    EXPECT_EQ(exit_after({[] { throw CouldNotRun("its control"); }}, 1), Exit::control_failed);
    EXPECT_EQ(exit_after({is_unclear, passes}, 1), Exit::all_pass);
    EXPECT_EQ(exit_after({is_unclear, breaks}, 1), Exit::failed);
}

TEST(Judge, NeverMeasuresAFailureAgain)
{
    const auto verdict = judge(world(), ending({is_unclear, breaks, passes}), 0);
    EXPECT_EQ(verdict.state, State::fail);
    EXPECT_EQ(verdict.assertion, "refused");
}

TEST(Judge, ATimeIsJudgedByWhatTheMachineExplains)
{
    using std::chrono::milliseconds;
    const milliseconds limit{1'000};
    const milliseconds worst{10};
    EXPECT_EQ(timing_of(limit, limit, Millis(0)), Timing::in_time);
    EXPECT_EQ(timing_of(limit + milliseconds(1), limit, Millis(0)), Timing::late);
    EXPECT_EQ(timing_of(limit + hand_offs * worst, limit, worst), Timing::unclear);
    EXPECT_EQ(timing_of(limit + hand_offs * worst + milliseconds(1), limit, worst), Timing::late);
    EXPECT_EQ(timing_of(limit, limit, Millis(5'000)), Timing::in_time);
}

TEST(Judge, AWatchSeesThatTheProcessorsAreBusy)
{
    constexpr unsigned per_processor = 8;
    const MachineWatch watch("/nowhere");
    std::vector<std::jthread> busy;
    for (unsigned n = 0; n < per_processor * std::thread::hardware_concurrency(); ++n)
        busy.emplace_back([](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
            }
        });
    const auto began = Clock::now();
    const auto until = in(std::chrono::seconds(20));
    while (watch.worst_since(began) < Millis(10) && Clock::now() < until)
        std::this_thread::sleep_for(Millis(10));
    EXPECT_GE(watch.worst_since(began), Millis(10));
}

Verdict told(State state)
{
    Verdict verdict;
    verdict.case_id = "win-02";
    verdict.state = state;
    return verdict;
}

State combined_state(const std::vector<State>& states)
{
    std::vector<Verdict> verdicts;
    for (const auto state : states) verdicts.push_back(told(state));
    return combined(verdicts).state;
}

TEST(Judge, WhatPassesOnlySometimesIsFlaky)
{
    EXPECT_EQ(combined_state({State::pass, State::pass}), State::pass);
    EXPECT_EQ(combined_state({State::pass, State::fail}), State::flaky);
    EXPECT_EQ(combined_state({State::fail, State::pass}), State::flaky);
    EXPECT_EQ(combined_state({State::fail, State::fail}), State::fail);
    EXPECT_EQ(combined_state({State::pass, State::could_not_run}), State::could_not_run);
    EXPECT_EQ(combined_state({State::could_not_run, State::fail}), State::fail);
    EXPECT_EQ(combined_state({State::not_applicable}), State::not_applicable);
}

TEST(Judge, RepeatedRunsTellTheFlakyApartAndFailForIt)
{
    const auto one = ending({passes, breaks, passes});
    RunOptions options;
    options.repeat = 3;
    const auto result = run(world(), {&one}, options, [](const Case&, const Verdict&) {});
    ASSERT_EQ(result.verdicts.size(), 1U);
    EXPECT_EQ(result.verdicts[0].state, State::flaky);
    EXPECT_EQ(result.graded(), 1U);
    EXPECT_EQ(exit_of(result, options), Exit::failed);
}

// What a case draws under a seed.
std::string drawn(std::uint64_t seed, const std::string& id)
{
    std::string octets;
    Case one;
    one.id = id;
    one.run = [&](Trial&) { octets = random_octets(16) + random_octets(16); };
    EXPECT_EQ(judge(world(), one, seed).state, State::pass);
    return octets;
}

TEST(Judge, WhatACaseDrawsFollowsFromTheSeedAndItsId)
{
    const auto first = drawn(7, "win-02");
    EXPECT_EQ(drawn(7, "win-02"), first);
    EXPECT_NE(drawn(8, "win-02"), first);
    EXPECT_NE(drawn(7, "win-03"), first);
    EXPECT_NE(first.substr(0, 16), first.substr(16));
}

TEST(Judge, NamesAreNewEvenUnderTheSameSeed)
{
    std::vector<std::string> names;
    Case one;
    one.id = "win-02";
    one.run = [&](Trial& trial) { names.push_back(trial.origin().name()); };
    for (int time = 0; time < 2; ++time) static_cast<void>(judge(world(), one, 7));
    ASSERT_EQ(names.size(), 2U);
    EXPECT_NE(names[0], names[1]);
}

TEST(Judge, TheSeedDecidesTheOrder)
{
    std::vector<Case> cases(50);
    std::vector<const Case*> all;
    for (std::size_t place = 0; place < cases.size(); ++place) {
        cases[place].id = "win-" + std::to_string(place);
        cases[place].run = [](Trial&) {};
        all.push_back(&cases[place]);
    }
    const auto order = [&](std::uint64_t seed) {
        RunOptions options;
        options.seed = seed;
        std::vector<std::string> ids;
        const auto result = run(world(), all, options,
                                [&](const Case& one, const Verdict&) { ids.push_back(one.id); });
        for (std::size_t place = 0; place < all.size(); ++place)
            EXPECT_EQ(result.verdicts[place].case_id, all[place]->id);
        return ids;
    };
    EXPECT_EQ(order(1), order(1));
    EXPECT_NE(order(1), order(2));
}

}  // namespace
}  // namespace entente::conformance
