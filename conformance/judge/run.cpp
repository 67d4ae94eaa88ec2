#include "conformance/judge/run.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

#include "conformance/judge/trial.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

// A target that doesn't serve its document so often, one after the other, has died.
constexpr int silent_attempts = 3;

bool target_answers(World& world)
{
    for (int attempt = 0; attempt < silent_attempts; ++attempt) {
        try {
            world.fetch_document();
            return true;
        } catch (const std::runtime_error&) {
            std::this_thread::sleep_for(Millis(500));
        }
    }
    return false;
}

void settle(Verdict& verdict, const Case& one, const RunOptions& options)
{
    if (one.level == Level::should &&
        (verdict.state == State::fail || verdict.state == State::flaky))
        verdict.state = State::warn;
    const auto expected = options.expected.find(one.id);
    if (expected == options.expected.end()) return;
    verdict.expected_because = expected->second;
    if (verdict.state == State::fail || verdict.state == State::flaky ||
        verdict.state == State::warn)
        verdict.state = State::expected_fail;
    else if (verdict.state == State::pass)
        verdict.state = State::unexpected_pass;
}

// Nothing is judged without accounts: after so many cases in a row that they keep from being run,
// the others would say the same.
constexpr std::size_t max_account_failures = 10;

// What is no pass is looked into: a dead target fails all that comes behind it, and none of that
// says anything.
bool may_have_died(State state)
{
    return state == State::could_not_run || state == State::fail || state == State::flaky;
}

// One trial. False where the machine was too busy to tell, and it is to be measured again.
bool measure(World& world, const Case& one, std::uint64_t seed, Verdict& verdict)
{
    const Draw draw("entente-conformance " + std::to_string(seed) + " " + one.id);
    Trial trial(world, one.id);
    verdict.too_busy = false;
    try {
        one.run(trial);
        verdict.state = State::pass;
        verdict.detail.clear();
    } catch (const Broken& broken) {
        verdict.state = State::fail;
        verdict.assertion = broken.assertion;
        verdict.detail = broken.what();
    } catch (const TooNoisy& reason) {
        verdict.too_busy = true;
        verdict.detail = std::string("this machine is too busy to tell: ") + reason.what();
    } catch (const HookFailed& reason) {
        verdict.failed_hook = reason.hook;
        verdict.detail = reason.what();
    } catch (const CouldNotRun& reason) {
        verdict.detail = reason.what();
    } catch (const AccountError& reason) {
        verdict.account_failed = true;
        verdict.detail = reason.what();
    } catch (const NotApplicable& reason) {
        verdict.state = State::not_applicable;
        verdict.detail = reason.what();
    } catch (const NoSuchAction& reason) {
        verdict.state = State::not_applicable;
        verdict.detail = reason.what();
    } catch (const nlohmann::json::exception& error) {
        // A member of another type than its own: cases read what the target says as it should be.
        verdict.state = State::fail;
        verdict.assertion = "readable";
        verdict.detail = std::string("what the target says can't be read: ") + error.what();
    } catch (const std::exception& error) {
        verdict.assertion = "runner";
        verdict.detail = std::string("a fault of the runner: ") + error.what();
    }
    auto taken = trial.take_exchanges();
    verdict.exchanges = std::move(taken.all);
    verdict.exchanges_left_out = taken.left_out;
    return !verdict.too_busy;
}

// In an order of the seed's: no case may rest on the one before it.
void shuffle(std::vector<std::size_t>& places, std::uint64_t seed)
{
    std::mt19937_64 engine(seed);
    for (auto left_over = places.size(); left_over > 1; --left_over)
        std::swap(places[left_over - 1], places[engine() % left_over]);
}

}  // namespace

std::size_t RunResult::count(State state) const
{
    return static_cast<std::size_t>(std::count_if(
        verdicts.begin(), verdicts.end(), [&](const Verdict& one) { return one.state == state; }));
}

std::size_t RunResult::graded() const
{
    return count(State::pass) + count(State::fail) + count(State::warn) +
           count(State::expected_fail) + count(State::unexpected_pass) + count(State::flaky);
}

std::size_t RunResult::too_busy() const
{
    return static_cast<std::size_t>(std::count_if(verdicts.begin(), verdicts.end(),
                                                  [](const Verdict& one) { return one.too_busy; }));
}

std::vector<const Case*> select(const RunOptions& options)
{
    std::vector<const Case*> chosen;
    for (const auto& one : catalogue()) {
        if (one.profile > options.profile) continue;
        if (options.level == Level::must && one.level != Level::must) continue;
        if (!options.only.empty() && !fits(one.id, options.only)) continue;
        if (!options.skip.empty() && fits(one.id, options.skip)) continue;
        chosen.push_back(&one);
    }
    return chosen;
}

Verdict judge(World& world, const Case& one, std::uint64_t seed)
{
    Verdict verdict;
    verdict.case_id = one.id;
    const auto began = Clock::now();
    for (const auto& hook : one.hooks)
        if (!world.has_hook(hook)) {
            verdict.state = State::not_applicable;
            verdict.detail = "the target's file has no hook " + hook;
            return verdict;
        }
    for (int number = 1; number <= max_measurements && !measure(world, one, seed, verdict);
         ++number)
        verdict.detail = "measured " + std::to_string(number) + " times, " + verdict.detail;
    verdict.milliseconds = std::chrono::duration_cast<Millis>(Clock::now() - began).count();
    return verdict;
}

Verdict combined(const std::vector<Verdict>& verdicts)
{
    const auto count = [&](State state) {
        return std::count_if(verdicts.begin(), verdicts.end(),
                             [&](const Verdict& one) { return one.state == state; });
    };
    const auto first = [&](State state) {
        return *std::find_if(verdicts.begin(), verdicts.end(),
                             [&](const Verdict& one) { return one.state == state; });
    };
    const auto failed = count(State::fail);
    const auto passed = count(State::pass);
    if (failed > 0) {
        auto verdict = first(State::fail);
        if (passed > 0) {
            verdict.state = State::flaky;
            verdict.detail = "passes " + std::to_string(passed) + " of " +
                             std::to_string(verdicts.size()) + " times; else " + verdict.detail;
        }
        return verdict;
    }
    return count(State::could_not_run) > 0 ? first(State::could_not_run) : verdicts.front();
}

RunResult run(World& world, const std::vector<const Case*>& cases, const RunOptions& options,
              const std::function<void(const Case&, const Verdict&)>& on_verdict)
{
    RunResult result;
    result.began = system_milliseconds();
    result.verdicts.resize(cases.size());
    std::mutex mutex;
    // Why the rest isn't run; null as long as it is.
    std::atomic<const char*> stopped{nullptr};
    std::size_t account_failures = 0;

    const auto judge_at = [&](std::size_t place) {
        const auto& one = *cases[place];
        Verdict verdict;
        verdict.case_id = one.id;
        if (const char* reason = stopped) {
            verdict.state = State::not_run;
            verdict.detail = reason;
        } else if (one.destructive && !options.destructive) {
            verdict.state = State::not_applicable;
            verdict.detail = "needs --destructive";
        } else {
            std::vector<Verdict> all;
            do {
                all.push_back(judge(world, one, options.seed));
            } while (all.size() < options.repeat && all.back().state != State::not_applicable);
            verdict = combined(all);
            // Several at once notice it: the first tells.
            if (may_have_died(verdict.state) && !target_answers(world)) {
                const std::lock_guard lock(mutex);
                if (!result.target_died) result.died_at = one.id;
                result.target_died = true;
                stopped = "the target had stopped answering";
                verdict.detail += "; the target has stopped answering";
            }
        }
        settle(verdict, one, options);
        const std::lock_guard lock(mutex);
        if (verdict.assertion == "runner") result.runner_bug = true;
        if (verdict.account_failed) {
            if (++account_failures == max_account_failures && stopped == nullptr)
                stopped = "the target's accounts had failed too often";
        } else if (verdict.state != State::not_applicable) {
            account_failures = 0;
        }
        on_verdict(one, verdict);
        result.verdicts[place] = std::move(verdict);
    };

    std::vector<std::size_t> together;
    std::vector<std::size_t> waiting;
    std::vector<std::size_t> alone;
    for (std::size_t place = 0; place < cases.size(); ++place) {
        const auto& one = *cases[place];
        (one.alone ? alone : one.waits ? waiting : together).push_back(place);
    }
    shuffle(together, options.seed);
    std::atomic<std::size_t> next{0};
    {
        std::vector<std::jthread> workers;
        for (const auto place : waiting) workers.emplace_back([&, place] { judge_at(place); });
        for (std::size_t job = 0; job < std::max<std::size_t>(options.jobs, 1); ++job)
            workers.emplace_back([&] {
                for (auto mine = next++; mine < together.size(); mine = next++)
                    judge_at(together[mine]);
            });
    }
    for (const auto place : alone) judge_at(place);
    result.ended = system_milliseconds();
    return result;
}

Exit exit_of(const RunResult& result, const RunOptions& options)
{
    if (result.runner_bug) return Exit::runner_bug;
    if (result.target_died) return Exit::target_died;
    if (result.verdicts.empty()) return Exit::incomplete;
    if (result.count(State::fail) > 0 || result.count(State::unexpected_pass) > 0 ||
        result.count(State::flaky) > 0)
        return Exit::failed;
    const auto busy = result.too_busy();
    if (result.count(State::could_not_run) > busy) return Exit::control_failed;
    if (result.graded() + busy < options.min_graded || result.graded() + busy == 0)
        return Exit::incomplete;
    return busy > 0 ? Exit::too_busy : Exit::all_pass;
}

std::map<std::string, std::string> read_expected(const std::string& path)
{
    std::ifstream file(path);
    if (!file) throw UsageError(path + " can't be read");
    std::map<std::string, std::string> expected;
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        const auto place = path + ":" + std::to_string(number) + ": ";
        const auto hash = line.find('#');
        auto id = line.substr(0, hash);
        while (!id.empty() && id.back() == ' ') id.pop_back();
        if (id.empty()) continue;
        if (find_case(id) == nullptr) throw UsageError(place + "there is no case " + id);
        if (hash == std::string::npos || line.find_first_not_of(' ', hash + 1) == std::string::npos)
            throw UsageError(place + "say why it is expected to fail: " + id + "  # …");
        expected[id] = line.substr(line.find_first_not_of(' ', hash + 1));
    }
    return expected;
}

}  // namespace entente::conformance
