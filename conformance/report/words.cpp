#include "conformance/report/words.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "conformance/report/clauses.hpp"
#include "conformance/report/members.hpp"
#include "conformance/report/visible.hpp"

namespace entente::conformance {

namespace {

std::string cases_text(std::size_t count)
{
    return std::to_string(count) + (count == 1 ? " case" : " cases");
}

}  // namespace

std::string shell_word(const std::string& text)
{
    const bool is_plain =
        !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 ||
                   std::string_view("-_./=:@%+,").find(static_cast<char>(c)) !=
                       std::string_view::npos;
        });
    if (is_plain) return text;
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
}

std::string Invocation::command(const std::string& verb) const
{
    return shell_word(program) + " " + verb + " --target " + shell_word(target) + options;
}

std::string exit_meaning(Exit exit, std::size_t min_graded)
{
    switch (exit) {
        case Exit::all_pass:
            return min_graded == 0 ? "Every MUST that was graded is kept."
                                   : "Every MUST that was graded is kept, and the floor is met: " +
                                         std::to_string(min_graded) + " were to be graded.";
        case Exit::failed: return "A MUST is broken, or a case passes that was expected to fail.";
        case Exit::usage: return "The command line or the target's file is wrong.";
        case Exit::incomplete:
            return "Nothing is proven: nothing was graded, or less than --min-graded asks for.";
        case Exit::control_failed:
            return "Some cases could not be judged: their control, a request without any defect, "
                   "wasn't served, or a hook or an account failed. Nothing follows from them.";
        case Exit::runner_bug: return "The runner itself is at fault. The run says nothing.";
        case Exit::target_died: return "The target stopped answering, and the rest wasn't run.";
        case Exit::too_busy:
            return "Nothing is broken, but this machine was too busy to measure some cases.";
    }
    return "";
}

namespace {

// What keeps cases from being run is mended where it lies.
void add_obstacles(std::vector<std::string>& steps, const RunResult& result, Exit exit,
                   const Invocation& invocation)
{
    std::set<std::string> hooks;
    std::size_t of_hooks = 0;
    std::size_t of_accounts = 0;
    for (const auto& one : result.verdicts) {
        if (one.state != State::could_not_run) continue;
        if (!one.failed_hook.empty()) {
            hooks.insert(one.failed_hook);
            ++of_hooks;
        } else if (one.account_failed) {
            ++of_accounts;
        }
    }
    if (!hooks.empty()) {
        std::string names;
        for (const auto& hook : hooks) names += (names.empty() ? "`" : ", `") + hook + "`";
        steps.push_back("Mend " + names + " in [hooks] of " + invocation.target + ": " +
                        cases_text(of_hooks) + " could not run without. `" +
                        invocation.command("doctor --hooks") +
                        "` tries the hooks, and restarts the target for it.");
    }
    if (exit == Exit::target_died) return;
    if (of_accounts > 0)
        steps.push_back("Mend [accounts] or [commands] of " + invocation.target + ": in " +
                        cases_text(of_accounts) +
                        " an account couldn't do what it was asked to; each says what.");
    if (result.count(State::could_not_run) > result.too_busy() + of_hooks + of_accounts)
        steps.push_back("Run `" + invocation.command("doctor") +
                        "`: it finds out, step by step, what keeps the target from being judged.");
}

}  // namespace

std::vector<std::string> next_steps(const RunResult& result, const RunOptions& options, Exit exit,
                                    const Invocation& invocation)
{
    std::vector<std::string> steps;
    if (exit == Exit::runner_bug)
        steps.emplace_back(
            "Report the cases that stopped at \"runner\" to the makers of the runner, with the "
            "JSON report.");
    if (exit == Exit::target_died)
        steps.push_back(
            "Look at the target's log for the end of its process, and, once it runs "
            "again, repeat the case at which it was noticed alone, since what it sends "
            "may have ended it: `" +
            invocation.command("repro " + result.died_at) + "`.");
    if (result.count(State::fail) > 0)
        steps.emplace_back(
            "Begin with the first failure: each shows what was sent, what came back and the clause "
            "that it breaks, and its repro command repeats it alone. A failure that has to stay "
            "for now goes into a file for --expect, with its reason.");
    if (result.count(State::unexpected_pass) > 0)
        steps.emplace_back(
            "Take the cases that pass unexpectedly out of the file of --expect: they are mended.");
    if (result.too_busy() > 0)
        steps.emplace_back("Run the cases that could not be measured again on a quiet machine.");
    add_obstacles(steps, result, exit, invocation);
    if (exit == Exit::incomplete)
        steps.emplace_back(result.graded() < options.min_graded
                               ? cases_text(result.graded()) + " graded, " +
                                     std::to_string(options.min_graded) +
                                     " asked for: widen --only and --profile, or give the "
                                     "target's file the hooks that are missing."
                               : "Widen --only and --profile, or give the target's file the hooks "
                                 "that are missing.");
    if (result.count(State::warn) > 0)
        steps.emplace_back(
            "Look at the warnings: each is a SHOULD that isn't kept, and costs "
            "nothing here.");
    if (result.count(State::not_applicable) > 0)
        steps.emplace_back(cases_text(result.count(State::not_applicable)) +
                           " not applicable: each says which hook, account or option would have "
                           "it judged.");
    if (exit == Exit::all_pass && options.profile != Profile::durable)
        steps.emplace_back(options.profile == Profile::core
                               ? "Ask for more: --profile hardened adds HTTP, addresses and load."
                               : "Ask for more: --profile durable adds restarts and kill -9.");
    return steps;
}

std::string clause_document(std::string_view clause)
{
    const auto* found = find_clause(clause);
    return found == nullptr ? std::string() : found->document;
}

std::string seconds_text(std::int64_t milliseconds)
{
    const auto shown = std::max<std::int64_t>(milliseconds, 0);
    return std::to_string(shown / 1000) + "." + std::to_string(1000 + shown % 1000).substr(1);
}

Directions directions_of(const nlohmann::json& exchange)
{
    if (flag_of(exchange, "from_target")) return {"The runner answered", "The target asked"};
    return {"The runner sent", "The target answered"};
}

std::string exchange_text(const nlohmann::json& exchange, std::size_t most)
{
    const auto part = [&](const std::string& title, const char* name, LineEnds ends) {
        const auto& octets = member_of(exchange, name);
        if (!octets.is_object()) return std::string();
        auto text = bounded(visible(octets_in(octets), ends), most);
        if (flag_of(octets, "cut")) text += "\n(the runner kept no more)";
        return "--- " + title + "\n" + text + "\n";
    };
    const auto names = directions_of(exchange);
    const bool asked = flag_of(exchange, "from_target");
    const auto sent = part(names.sent, "sent", LineEnds::http);
    const auto received = part(names.received, "received", LineEnds::http);
    return "=== " + std::to_string(number_of(exchange, "at")) +
           " ms: " + visible(text_of(exchange, "what")) + "\n" + (asked ? received : sent) +
           (asked ? sent : received) +
           part("signature base of the request, as the runner has it", "request_base",
                LineEnds::lf) +
           part("signature base of the answer, as the runner has it", "answer_base", LineEnds::lf);
}

}  // namespace entente::conformance
