// Fifty proven servers that nobody has put anywhere, one of which sends far more than its budget:
// it is refused what is beyond, and the others are answered as before.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "tests/overload/overload_test.hpp"

#include "tests/e2e/support/forger.hpp"

namespace entente::overload {
namespace {

using e2e::Forger;
using Clock = std::chrono::steady_clock;

constexpr std::size_t origins = 50;
constexpr std::size_t threads_of_others = 7;
constexpr std::size_t threads_of_one = 4;
constexpr auto pace = std::chrono::milliseconds(100);  // between two requests of one origin
constexpr auto tick = std::chrono::milliseconds(5);
constexpr e2e::Milliseconds longest_answer{30'000};

// A machine whose very sleeps are this late measures itself.
constexpr double too_busy_ms = 100;
constexpr double least_bound_ms = 150;
constexpr double times_the_quiet = 10;

double ms(Clock::duration time)
{
    return std::chrono::duration<double, std::milli>(time).count();
}

double p99(std::vector<double> times)
{
    if (times.empty()) return 0;
    std::ranges::sort(times);
    return times[std::min(times.size() - 1, times.size() * 99 / 100)];
}

// One origin's connection, from an address of its own.
class Line {
 public:
    Line(const Forger& forger, const e2e::Node& to, std::string source)
        : forger_(forger), to_(to), source_(std::move(source)), socket_(to.connect(source_))
    {
    }
    // A signed transaction; "200", or the status and the problem.
    std::string ask(const std::string& transaction = R"({"signals":[]})")
    {
        auto craft = forger_.craft(to_, transaction);
        socket_.write(Forger::octets(to_, craft));
        auto message = e2e::read_message(socket_, buffer_, longest_answer);
        if (!message) throw e2e::Broken("an origin's connection was closed");
        const e2e::Answered answered{std::move(*message), {}};
        const auto problem = answered.problem();
        return std::to_string(answered.status()) + (problem.empty() ? "" : " " + problem);
    }

 private:
    const Forger& forger_;
    const e2e::Node& to_;
    std::string source_;
    e2e::TlsSocket socket_;
    std::string buffer_;
};

struct Measured {
    std::vector<double> answers;   // ms, from when a request was due until it was answered
    std::vector<double> lateness;  // ms that a thread which only sleeps wakes too late
    std::map<std::string, std::size_t> said;
};

class Origins : public OverloadTest {
 protected:
    void start()
    {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < origins; ++i)
            names.push_back("s" + std::to_string(i) + ".test");
        world_ = std::make_unique<e2e::World>(std::vector<std::string>{"a.test"}, names, "",
                                              e2e::Tuning::strangers);
        world_->start_all();
        for (const auto& name : names) {
            forgers_.push_back(std::make_unique<Forger>(world(), name));
            lines_.push_back(std::make_unique<Line>(*forgers_.back(), a(), source(lines_.size())));
            ASSERT_EQ(lines_.back()->ask(), "200") << name;
        }
    }
    static std::string source(std::size_t number)
    {
        return "127.41.0." + std::to_string(1 + number);
    }

    // All but the first, each at its pace.
    Measured measure_others(e2e::Milliseconds time)
    {
        Measured all;
        std::mutex mutex;
        const auto end = Clock::now() + time;
        std::vector<std::thread> threads;
        std::string complaint;
        for (std::size_t first = 0; first < threads_of_others; ++first) {
            threads.emplace_back([&, first] {
                Measured mine;
                try {
                    ask_in_turn(1 + first, end, mine);
                } catch (const e2e::Broken& broken) {
                    const std::lock_guard lock(mutex);
                    complaint = broken.what();
                }
                const std::lock_guard lock(mutex);
                all.answers.insert(all.answers.end(), mine.answers.begin(), mine.answers.end());
                for (const auto& [said, count] : mine.said) all.said[said] += count;
            });
        }
        while (Clock::now() < end) {
            const auto due = Clock::now() + tick;
            std::this_thread::sleep_until(due);
            all.lateness.push_back(ms(Clock::now() - due));
        }
        for (auto& thread : threads) thread.join();
        if (!complaint.empty()) throw e2e::Broken(complaint);
        return all;
    }

    // The others' time, quiet and while the first origin sends `transaction` without a pause; what
    // that one was answered.
    struct Outcome {
        Measured quiet, loud;
        std::map<std::string, std::size_t> said;
    };
    Outcome flood_with(const std::string& transaction)
    {
        const auto time = scale().full ? scale().flood : e2e::Milliseconds(2'000);
        Outcome outcome;
        outcome.quiet = measure_others(time);
        std::atomic<bool> over = false;
        std::mutex mutex;
        std::vector<std::thread> flood;
        for (std::size_t i = 0; i < threads_of_one; ++i) {
            flood.emplace_back([&, i] {
                const auto mine = send_until(over, source(100 + i), transaction);
                const std::lock_guard lock(mutex);
                for (const auto& [answer, count] : mine) outcome.said[answer] += count;
            });
        }
        outcome.loud = measure_others(2 * time);
        over = true;
        for (auto& thread : flood) thread.join();
        print(outcome);
        return outcome;
    }
    // The others are each within their budgets: nobody is refused for what another sends, or waits
    // for it.
    static void expect_others_served(const Outcome& outcome)
    {
        const auto& [quiet, loud, said] = outcome;
        EXPECT_EQ(quiet.said.size(), 1U);
        EXPECT_EQ(loud.said, (std::map<std::string, std::size_t>{{"200", loud.answers.size()}}));
        if (is_sanitized()) return;
        const auto late = std::max(p99(quiet.lateness), p99(loud.lateness));
        if (late > too_busy_ms) GTEST_SKIP() << "the machine is too busy to measure";
        EXPECT_LT(p99(loud.answers),
                  std::max(least_bound_ms, times_the_quiet * std::max(p99(quiet.answers), late)));
    }

    std::vector<std::unique_ptr<Forger>> forgers_;
    std::vector<std::unique_ptr<Line>> lines_;

 private:
    // A connection that was closed on it is made anew.
    std::map<std::string, std::size_t> send_until(const std::atomic<bool>& over,
                                                  const std::string& from,
                                                  const std::string& transaction)
    {
        std::map<std::string, std::size_t> answers;
        std::unique_ptr<Line> line;
        while (!over) {
            try {
                if (!line) line = std::make_unique<Line>(*forgers_[0], a(), from);
                ++answers[line->ask(transaction)];
            } catch (const e2e::Broken& broken) {
                ++answers[broken.what()];
                line.reset();
            }
        }
        return answers;
    }
    static void print(const Outcome& outcome)
    {
        const auto& [quiet, loud, said] = outcome;
        std::cout << "quiet:     " << quiet.answers.size() << " answers, p99 " << p99(quiet.answers)
                  << " ms; sleeps late " << p99(quiet.lateness)
                  << " ms\nmeanwhile: " << loud.answers.size() << " answers, p99 "
                  << p99(loud.answers) << " ms; sleeps late " << p99(loud.lateness) << " ms\n";
        for (const auto& [answer, count] : said)
            std::cout << "the one:   " << count << " answered " << answer << "\n";
        std::cout << std::flush;
    }

    void ask_in_turn(std::size_t first, Clock::time_point end, Measured& mine)
    {
        for (auto round = Clock::now(); round < end; round += pace) {
            const auto share = (origins - 1) / threads_of_others;
            std::size_t asked = 0;
            for (auto at = first; at < origins; at += threads_of_others) {
                const auto due = round + pace * asked++ / (share + 1);
                std::this_thread::sleep_until(due);
                ++mine.said[lines_[at]->ask()];
                mine.answers.push_back(ms(Clock::now() - due));
            }
        }
    }
};

TEST_F(Origins, OneOverItsBudgetAmongFiftyCostsTheOthersNothing)
{
    start();
    auto outcome = flood_with(R"({"signals":[]})");
    auto& said = outcome.said;
    // The one gets its budget of a minute, and what refills, and no more.
    EXPECT_GE(said["200"], 500U);
    EXPECT_LE(said["200"], 800U);
    EXPECT_GT(said["429 rate-limited"], said["200"]);
    EXPECT_EQ(said.size(), 2U);
    expect_others_served(outcome);
}

TEST_F(Origins, OneOverItsBytesAmongFiftyCostsTheOthersNothing)
{
    start();
    const std::string padding(900'000, 'x');
    auto outcome = flood_with(R"({"signals":[],"padding":")" + padding + "\"}");
    // A guest's 20 MiB are 23 of them; on each connection one more may be on its way.
    auto& said = outcome.said;
    EXPECT_GE(said["200"], 15U);
    EXPECT_LE(said["200"], 40U);
    EXPECT_GT(said["429 rate-limited"], 0U);
    expect_others_served(outcome);
}

}  // namespace
}  // namespace entente::overload
