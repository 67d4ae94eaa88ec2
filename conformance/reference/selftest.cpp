// selftest: the runner is shown to be able to fail. The clean peer passes everything, each mutant
// fails at the assertion that names it, and no negative case passes on a server that says nothing.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "conformance/cli/options.hpp"
#include "conformance/reference/flags.hpp"
#include "conformance/reference/selftest_bench.hpp"
#include "conformance/sockets/patience.hpp"

namespace entente::conformance {

namespace {

// Cases of one clean peer; a share of all, so that several peers can work at once.
constexpr std::ptrdiff_t clean_share = 40;
constexpr std::size_t clean_jobs = 4;
// Peers of one job: most of the time of a mutant, or of a case that wants its peer alone, is
// waiting.
constexpr std::size_t peers_of_job = 4;
// A null server takes hardly any work.
constexpr std::size_t null_jobs = 8;

// How long anything is waited for: a mutant may never say what a case waits for, and a null server
// never does.
constexpr Millis mutant_patience{12'000};
constexpr Millis null_patience{400};

struct Tally {
    // For the hook verify.
    std::vector<std::string> vectors;
    std::atomic<std::size_t> clean{0};
    std::atomic<std::size_t> clean_of{0};
    std::atomic<std::size_t> killed{0};
    std::atomic<std::size_t> mutants{0};
    std::atomic<std::size_t> nulls{0};
    std::atomic<std::size_t> fooled{0};
    // Of a topology, or with files, that selftest hasn't got.
    std::atomic<std::size_t> not_applicable{0};
    // That this machine was too busy to measure: no findings.
    std::atomic<std::size_t> too_busy{0};
    std::atomic<std::size_t> findings{0};
    std::mutex mutex;

    void find(const std::string& what, const Verdict& verdict)
    {
        if (verdict.too_busy) {
            ++too_busy;
            say(what);
        } else {
            find(what);
        }
    }
    void find(const std::string& what)
    {
        ++findings;
        say(what);
    }

 private:
    void say(const std::string& what)
    {
        const std::lock_guard lock(mutex);
        std::printf("%s\n", what.c_str());
        std::fflush(stdout);
    }
};

using Task = std::function<void(Tally&)>;

std::string shown(const Verdict& verdict)
{
    return std::string(name_of(verdict.state)) +
           (verdict.assertion.empty() ? "" : " at \"" + verdict.assertion + "\"") +
           (verdict.detail.empty() ? "" : ": " + verdict.detail.substr(0, 400));
}

RunOptions options_of(std::size_t jobs)
{
    RunOptions options;
    options.profile = Profile::durable;
    options.destructive = true;
    options.jobs = jobs;
    return options;
}

void judge_clean(const std::vector<const Case*>& cases, Tally& tally)
{
    reference::Bench bench({}, tally.vectors);
    static_cast<void>(run(bench.world(), cases, options_of(clean_jobs),
                          [&](const Case& one, const Verdict& verdict) {
                              if (verdict.state == State::not_applicable) {
                                  ++tally.not_applicable;
                                  return;
                              }
                              ++tally.clean_of;
                              if (verdict.state == State::pass) {
                                  ++tally.clean;
                              } else {
                                  tally.find("clean: " + one.id + " " + shown(verdict), verdict);
                              }
                          }));
}

struct MutantCase {
    const Case* one;
    std::string assertion;
};

void judge_mutant(const std::string& flag, const std::vector<MutantCase>& cases, Tally& tally)
{
    const auto name = "mutant " + flag + ": ";
    if (!reference::Flags::known().contains(flag)) {
        tally.mutants += cases.size();
        tally.find(name + cases.front().one->id + " names a flag that no check asks for");
        return;
    }
    reference::Bench bench({flag}, tally.vectors);
    for (const auto& [one, assertion] : cases) {
        const auto verdict = judge(bench.world(), *one, 0);
        if (verdict.state == State::not_applicable) {
            ++tally.not_applicable;
            continue;
        }
        ++tally.mutants;
        if (verdict.state == State::fail && verdict.assertion == assertion) {
            ++tally.killed;
        } else {
            tally.find(
                name + one->id + " should fail at \"" + assertion + "\", but: " + shown(verdict),
                verdict);
        }
    }
}

void judge_null(reference::NullKind kind, const std::vector<const Case*>& cases, Tally& tally)
{
    reference::Bench bench(kind);
    static_cast<void>(run(
        bench.world(), cases, options_of(null_jobs), [&](const Case& one, const Verdict& verdict) {
            ++tally.nulls;
            if (verdict.state != State::pass) return;
            ++tally.fooled;
            tally.find("null " + std::string(name_of(kind)) + ": " + one.id + " passes");
        }));
}

// Judged while nothing else runs: they measure how long others wait.
bool is_about_time(const Case& one)
{
    return one.group == "load";
}

Task clean_task(std::vector<const Case*> cases)
{
    return [cases = std::move(cases)](Tally& tally) { judge_clean(cases, tally); };
}

// Those that want their peer alone have one each, and come first, since they take longest.
std::vector<Task> clean_tasks(const std::vector<const Case*>& cases)
{
    std::vector<Task> tasks;
    std::vector<const Case*> others;
    for (const auto* one : cases) {
        if (is_about_time(*one)) continue;
        if (one->alone) {
            tasks.push_back(clean_task({one}));
        } else {
            others.push_back(one);
        }
    }
    for (auto from = others.begin(); from != others.end();) {
        const auto count = std::min<std::ptrdiff_t>(clean_share, others.end() - from);
        tasks.push_back(clean_task({from, from + count}));
        from += count;
    }
    return tasks;
}

std::vector<Task> quiet_tasks(const std::vector<const Case*>& cases)
{
    std::vector<const Case*> about_time;
    std::copy_if(cases.begin(), cases.end(), std::back_inserter(about_time),
                 [](const Case* one) { return is_about_time(*one); });
    if (about_time.empty()) return {};
    return {clean_task(std::move(about_time))};
}

std::vector<Task> mutant_tasks(const std::vector<const Case*>& cases)
{
    std::map<std::string, std::vector<MutantCase>> by_flag;
    for (const auto* one : cases)
        for (const auto& mutant : one->mutants)
            by_flag[mutant.flag].push_back({one, mutant.assertion});
    std::vector<Task> long_ones;
    std::vector<Task> others;
    for (const auto& [flag, of_flag] : by_flag) {
        const bool is_long = std::any_of(of_flag.begin(), of_flag.end(), [](const MutantCase& one) {
            return one.one->alone || one.one->waits;
        });
        (is_long ? long_ones : others).emplace_back([flag, of_flag](Tally& tally) {
            judge_mutant(flag, of_flag, tally);
        });
    }
    long_ones.insert(long_ones.end(), others.begin(), others.end());
    return long_ones;
}

std::vector<Task> null_tasks(const std::vector<const Case*>& cases)
{
    std::vector<const Case*> negative;
    std::copy_if(cases.begin(), cases.end(), std::back_inserter(negative),
                 [](const Case* one) { return one->negative; });
    std::vector<Task> tasks;
    for (const auto kind : reference::all_nulls)
        tasks.emplace_back([kind, negative](Tally& tally) { judge_null(kind, negative, tally); });
    return tasks;
}

// `peers` at a time.
void work_off(const std::vector<Task>& tasks, std::size_t peers, Tally& tally)
{
    std::atomic<std::size_t> next{0};
    std::vector<std::jthread> workers;
    for (std::size_t worker = 0; worker < std::min(peers, tasks.size()); ++worker)
        workers.emplace_back([&] {
            for (auto mine = next++; mine < tasks.size(); mine = next++) {
                try {
                    tasks[mine](tally);
                } catch (const std::exception& error) {
                    tally.find(std::string("a bench fails: ") + error.what());
                }
            }
        });
}

}  // namespace

int do_selftest(const SelftestCommand& command)
{
    auto options = options_of(1);
    options.only = command.only;
    const auto cases = select(options);
    if (cases.empty()) return no_case_fits(command);
    const bool all = !command.clean && !command.mutants && !command.nulls;
    Tally tally;
    tally.vectors = command.vectors;
    const auto work = [&](bool wanted, const std::vector<Task>& tasks, std::size_t peers,
                          Millis patience) {
        if (!all && !wanted) return;
        set_patience(patience);
        work_off(tasks, peers, tally);
    };
    const auto jobs = command.jobs;
    work(command.clean, quiet_tasks(cases), 1, Millis(0));
    work(command.clean, clean_tasks(cases), 2 * jobs, Millis(0));
    work(command.nulls, null_tasks(cases), jobs, null_patience);
    work(command.mutants, mutant_tasks(cases), peers_of_job * jobs, mutant_patience);
    std::error_code ignored;
    std::filesystem::remove_all(reference::bench_root(), ignored);
    std::printf(
        "selftest: clean %zu/%zu; mutants %zu/%zu killed; nulls %zu: %s; "
        "%zu not applicable here\n",
        tally.clean.load(), tally.clean_of.load(), tally.killed.load(), tally.mutants.load(),
        tally.nulls.load(),
        tally.fooled == 0 ? "none passed" : (std::to_string(tally.fooled) + " passed").c_str(),
        tally.not_applicable.load());
    if (tally.findings > 0) return static_cast<int>(Exit::failed);
    return static_cast<int>(tally.too_busy > 0 ? Exit::too_busy : Exit::all_pass);
}

}  // namespace entente::conformance
