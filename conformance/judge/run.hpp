#pragma once

// A run: which cases, in what order, how many at once, and what all of it comes to.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "conformance/judge/case.hpp"
#include "conformance/judge/verdict.hpp"
#include "conformance/judge/world.hpp"

namespace entente::conformance {

struct RunOptions {
    Profile profile = Profile::core;
    // `must`: SHOULDs are left out.
    Level level = Level::should;
    // Patterns as fits() has them; empty: all, none.
    std::string only;
    std::string skip;
    std::size_t jobs = 1;
    bool destructive = false;
    // How often each case is judged.
    std::size_t repeat = 1;
    // What the cases draw (keys, nonces, ids, texts) and their order follow from it.
    std::uint64_t seed = 0;
    // Graded verdicts (all but not applicable, could not run and not run) that there must be.
    std::size_t min_graded = 0;
    // Case id → why it is expected to fail.
    std::map<std::string, std::string> expected;
};

// Exit codes: docs/conformance/.
enum class Exit {
    all_pass = 0,
    failed = 1,
    usage = 2,
    incomplete = 3,
    control_failed = 4,
    runner_bug = 5,
    target_died = 6,
    // Nothing else is wrong than that the machine was too busy for some cases.
    too_busy = 7,
};

struct RunResult {
    // In the order of the catalogue.
    std::vector<Verdict> verdicts;
    // The target stopped answering, and the rest wasn't run; the case that noticed it first.
    bool target_died = false;
    std::string died_at;
    // An exception that no case should let out.
    bool runner_bug = false;
    // ms since 1970 by this machine's clock.
    std::int64_t began = 0;
    std::int64_t ended = 0;

    [[nodiscard]] std::size_t count(State state) const;
    [[nodiscard]] std::size_t graded() const;
    [[nodiscard]] std::size_t too_busy() const;
};

// Those of the catalogue that `options` ask for.
[[nodiscard]] std::vector<const Case*> select(const RunOptions& options);

// A case that can't tell the target's slowness from the machine's is measured so often, and then
// could not be run.
constexpr int max_measurements = 3;

// Judges one case. Never throws.
[[nodiscard]] Verdict judge(World& world, const Case& one, std::uint64_t seed);

// Of a case that was judged several times, at least once: what all say; flaky where some passed
// and some failed; could not run where some couldn't, and none failed.
[[nodiscard]] Verdict combined(const std::vector<Verdict>& verdicts);

// `on_verdict` is called as each comes, one at a time.
[[nodiscard]] RunResult run(World& world, const std::vector<const Case*>& cases,
                            const RunOptions& options,
                            const std::function<void(const Case&, const Verdict&)>& on_verdict);

[[nodiscard]] Exit exit_of(const RunResult& result, const RunOptions& options);

// A file of lines `case-id  # why`, as --expect reads it. Throws UsageError with the line.
[[nodiscard]] std::map<std::string, std::string> read_expected(const std::string& path);

}  // namespace entente::conformance
