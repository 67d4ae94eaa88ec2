#pragma once

// The verbs of entente-conformance, and what each is told.

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/judge/run.hpp"
#include "conformance/report/words.hpp"

namespace entente::conformance {

constexpr const char* runner_version = ENTENTE_VERSION;

// argv[0], as it was given: what is printed to be called next begins with it.
struct Program {
    std::string program = "entente-conformance";
};

struct InitCommand : Program {
    std::string folder = ".";
    std::string name;
};

struct RunCommand : Program {
    std::string target;
    RunOptions options;
    std::string expect_file;
    // KIND=FILE: json, junit, tap, html.
    std::vector<std::string> out;
    // Files of public Ed25519 test vectors.
    std::vector<std::string> vectors;
    // The administrator's word that a target beyond loopback is his.
    std::string i_own;
    bool quiet = false;
    // doctor: also tries the hooks that restart the target or set its clock.
    bool hooks = false;
};

// How to call the runner again for the same target.
[[nodiscard]] Invocation invocation_of(const RunCommand& command);

struct ListCommand : Program {
    RunOptions options;
    // A table, as docs/conformance/cases.md.
    bool markdown = false;
};

// Says so; the exit code of it.
[[nodiscard]] int no_case_fits(const Program& program);

// One that is drawn where none is given: short enough to be typed.
[[nodiscard]] std::uint64_t new_seed();

// Each returns the process's exit code, and says on standard error what is wrong.
[[nodiscard]] int do_init(const InitCommand& command);
[[nodiscard]] int do_doctor(const RunCommand& command);
[[nodiscard]] int do_list(const ListCommand& command);
[[nodiscard]] int do_explain(const Program& program, const std::string& id);
[[nodiscard]] int do_run(const RunCommand& command);
[[nodiscard]] int do_repro(const RunCommand& command, const std::string& id);
[[nodiscard]] int do_peer(const RunCommand& command);
// Writes `out` from a JSON report.
[[nodiscard]] int do_report(const std::string& file, const std::vector<std::string>& out);

struct SelftestCommand : Program {
    std::string only;
    std::size_t jobs = 2;
    // As RunCommand has them.
    std::vector<std::string> vectors;
    // A clean reference peer alone; mutants; null servers: all where none is asked for.
    bool clean = false;
    bool mutants = false;
    bool nulls = false;
};
[[nodiscard]] int do_selftest(const SelftestCommand& command);

// A reference peer, which selftest starts and the hooks of its target.toml ask.
struct ReferenceCommand {
    std::string folder;
    // Where it isn't 0, the folder is made first: the peer listens there, and finds the runner's
    // peers at the next port.
    std::uint16_t port = 0;
    std::vector<std::string> flags;
};
[[nodiscard]] int do_reference(const ReferenceCommand& command);
[[nodiscard]] int do_reference_hook(const ReferenceCommand& command, const std::string& name);

// Signed messages, roots and hashes of the runner's making, for tests by other libraries.
[[nodiscard]] int do_samples();

// The target's file, refused where it is another's: not on loopback, and --i-own doesn't name it.
// Throws UsageError.
[[nodiscard]] TargetFile target_of(const RunCommand& command);

}  // namespace entente::conformance
