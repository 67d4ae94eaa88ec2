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
    // Graded verdicts (pass, fail, warn, expected fail, unexpected pass) that there must be.
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
};

struct RunResult {
    // In the order of the catalogue.
    std::vector<Verdict> verdicts;
    // The target stopped answering, and the rest wasn't run.
    bool target_died = false;
    // An exception that no case should let out.
    bool runner_bug = false;
    // ms since 1970 by this machine's clock.
    std::int64_t began = 0;
    std::int64_t ended = 0;

    [[nodiscard]] std::size_t count(State state) const;
    [[nodiscard]] std::size_t graded() const;
};

// Those of the catalogue that `options` ask for.
[[nodiscard]] std::vector<const Case*> select(const RunOptions& options);

// Judges one case. Never throws.
[[nodiscard]] Verdict judge(World& world, const Case& one);

// `on_verdict` is called as each comes, one at a time.
[[nodiscard]] RunResult run(World& world, const std::vector<const Case*>& cases,
                            const RunOptions& options,
                            const std::function<void(const Case&, const Verdict&)>& on_verdict);

[[nodiscard]] Exit exit_of(const RunResult& result, const RunOptions& options);

// A file of lines `case-id  # why`, as --expect reads it. Throws UsageError with the line.
[[nodiscard]] std::map<std::string, std::string> read_expected(const std::string& path);

}  // namespace entente::conformance
