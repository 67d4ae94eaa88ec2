#include "conformance/cli/lines.hpp"

#include <algorithm>

#include "conformance/report/visible.hpp"

namespace entente::conformance {

namespace {

// Octets of what was found; reports have more of it.
constexpr std::size_t max_detail = 1'000;
constexpr std::size_t state_width = 15;

}  // namespace

std::string verdict_line(const Case& one, const Verdict& verdict)
{
    std::string state(name_of(verdict.state));
    state.resize(std::max(state.size(), state_width), ' ');
    return state + one.id + " [" + one.clause + " " + std::string(name_of(one.level)) + "] " +
           one.proves +
           (verdict.detail.empty() ? "" : ": " + bounded(visible(verdict.detail), max_detail));
}

std::string exchange_lines(const Exchange& one)
{
    const auto to_target = ">>>\n" + visible(one.sent, LineEnds::http) + "\n";
    const auto to_runner = "<<<\n" + visible(one.received, LineEnds::http) + "\n";
    auto lines = "\n--- " + std::to_string(one.at) +
                 " ms: " + (one.from_target ? "the target: " : "") + visible(one.what) + "\n" +
                 (one.from_target ? to_runner + to_target : to_target + to_runner);
    if (!one.request_base.empty())
        lines += "--- signature base of the request, as the runner has it\n" +
                 visible(one.request_base, LineEnds::lf) + "\n";
    if (!one.answer_base.empty())
        lines += "--- signature base of the answer, as the runner has it\n" +
                 visible(one.answer_base, LineEnds::lf) + "\n";
    return lines;
}

}  // namespace entente::conformance
