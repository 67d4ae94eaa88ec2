#pragma once

// The words of a report that are the same in each of its forms: what an exit code means, what to do
// next, where a clause stands.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "conformance/judge/run.hpp"

namespace entente::conformance {

// Of the reports that this runner writes and reads.
constexpr int report_format = 1;
// The protocol that the cases are written against: docs/protocol/.
constexpr int protocol_version = 1;

// Worst first, as reports list them.
inline constexpr std::array<State, 9> all_states = {
    State::fail,          State::unexpected_pass, State::flaky,
    State::could_not_run, State::not_run,         State::warn,
    State::expected_fail, State::not_applicable,  State::pass};

// How the runner was called, so that what it prints can be called as it stands.
struct Invocation {
    // argv[0] and --target, as they were given.
    std::string program = "entente-conformance";
    std::string target = "target.toml";
    // Other options that each call needs, with a space before each: " --i-own a.example".
    std::string options{};
    // What a case for the hook `verify` needs as well: " --vectors FILE".
    std::string vectors{};

    // "entente-conformance doctor --target my-server/target.toml": for a shell.
    [[nodiscard]] std::string command(const std::string& verb) const;
};

// A word for a POSIX shell, in quotes where it needs some.
[[nodiscard]] std::string shell_word(const std::string& text);

// A sentence; with `min_graded`, of --min-graded too.
[[nodiscard]] std::string exit_meaning(Exit exit, std::size_t min_graded = 0);

// What somebody does who wants the run to be better; a sentence or two each.
[[nodiscard]] std::vector<std::string> next_steps(const RunResult& result,
                                                  const RunOptions& options, Exit exit,
                                                  const Invocation& invocation = {});

// "docs/protocol/signed-requests.md" of "SIG-1"; empty where it is none's.
[[nodiscard]] std::string clause_document(std::string_view clause);

// "0.213" of 213.
[[nodiscard]] std::string seconds_text(std::int64_t milliseconds);

// What a request of an exchange and its answer are called: the runner is mostly the one who asks.
struct Directions {
    const char* sent;
    const char* received;
};
[[nodiscard]] Directions directions_of(const nlohmann::json& exchange);

// An exchange's parts in one text for terminals and XML: what, octets both ways, both bases; each
// part at most `most` octets, lines by LF alone, all else visible.
[[nodiscard]] std::string exchange_text(const nlohmann::json& exchange, std::size_t most);

}  // namespace entente::conformance
