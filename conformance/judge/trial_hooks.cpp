// Trial: what it asks of the target's owner, by the commands of the target's file.
#include <algorithm>
#include <cstdlib>
#include <thread>

#include "conformance/judge/trial.hpp"
#include "conformance/sockets/patience.hpp"
#include "conformance/target/command.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr Millis connect_time{10'000};
// A process that has ended has ended its connections; this is for the way to it. Shorter than
// targets keep idle connections, which they end as well.
constexpr Millis going_time{2'000};
// Setting a clock may take a restart.
constexpr Millis clock_time{20'000};
// Date fields are of whole seconds, and what they say is up to two off.
constexpr std::int64_t date_exactness = 2'000;

// Whether the other side has ended it by `deadline`. What it says before is none of our business.
bool ends(Stream& stream, Deadline deadline)
{
    for (;;) {
        const auto got = stream.read(deadline);
        if (got.state == ReadState::timeout) return false;
        if (got.state != ReadState::octets) return true;
    }
}

std::string seconds_text(std::int64_t milliseconds)
{
    return std::to_string(milliseconds / 1000) + " s";
}

}  // namespace

nlohmann::json Trial::hook(const std::string& name, const nlohmann::json& input, Millis time)
{
    const auto given = input.is_null() ? nlohmann::json::object() : input;
    const auto line = given.dump() + "\n";
    std::string output;
    if (name == "restart" || name == "kill9") {
        output = hook_that_restarts(name, line, time);
    } else if (name == "clock") {
        output =
            hook_that_sets_the_clock(name, line, given.value("ahead_ms", std::int64_t{0}), time);
    } else {
        output = run_hook(name, line, time);
    }
    auto printed = nlohmann::json::parse(output, nullptr, false);
    return printed.is_discarded() ? nlohmann::json() : printed;
}

// A connection doesn't outlive its process. Without this a hook that does nothing would let all
// pass that a target loses by a restart.
std::string Trial::hook_that_restarts(const std::string& name, std::string_view input, Millis time)
{
    const auto held = door_.open(in(connect_time));
    if (!held.stream)
        throw CouldNotRun("before the hook " + name +
                          " the target can't be reached: " + held.error);
    auto output = run_hook(name, input, time);
    if (!ends(*held.stream, within_patience(in(going_time))))
        throw HookFailed(name, "the hook " + name +
                                   " has done nothing: a connection from before it is still open, "
                                   "so the target's process has not ended; it has to end it, or, "
                                   "where a proxy takes the connections, target.connect has to "
                                   "lead past that");
    return output;
}

std::string Trial::hook_that_sets_the_clock(const std::string& name, std::string_view input,
                                            std::int64_t ahead, Millis time)
{
    world_.fetch_document();
    const auto offset = [&] { return world_.now() - system_milliseconds(); };
    const auto before = offset();
    auto output = run_hook(name, input, time);
    wait_until_served(clock_time);
    const auto moved = offset() - before;
    const auto wanted = ahead - clock_ahead_;
    clock_ahead_ = ahead;
    const bool is_half_there = wanted > 0 ? 2 * moved >= wanted : 2 * moved <= wanted;
    if (std::llabs(wanted) > date_exactness && !is_half_there)
        throw HookFailed(name, "the hook clock was to set the target's clock by " +
                                   seconds_text(wanted) + ", and its Date has moved by " +
                                   seconds_text(moved) +
                                   "; it has to set what the target takes for the time");
    return output;
}

std::vector<nlohmann::json> Trial::hook_lines(const std::string& name,
                                              const std::vector<nlohmann::json>& lines, Millis time)
{
    std::string input;
    for (const auto& line : lines) input += line.dump() + "\n";
    const auto output = run_hook(name, input, time);
    std::vector<nlohmann::json> printed;
    for (std::size_t from = 0; from < output.size();) {
        const auto end = std::min(output.find('\n', from), output.size());
        printed.push_back(nlohmann::json::parse(output.substr(from, end - from), nullptr, false));
        from = end + 1;
    }
    if (printed.size() != lines.size())
        throw HookFailed(name, "the hook " + name + " prints " + std::to_string(printed.size()) +
                                   " lines for " + std::to_string(lines.size()));
    return printed;
}

std::string Trial::run_hook(const std::string& name, std::string_view input, Millis time)
{
    const auto& hooks = world_.file().hooks;
    const auto found = hooks.find(name);
    if (found == hooks.end()) throw NotApplicable("the target's file has no hook " + name);
    Exchange exchange;
    exchange.at = elapsed();
    exchange.what = "hook " + name;
    exchange.sent = input;
    const auto result = run_command_on(found->second, input, in(time));
    exchange.received = result.output;
    note(std::move(exchange));
    if (result.exit_code == cannot) throw NotApplicable("the hook " + name + " says that it can't");
    if (result.exit_code != 0)
        throw HookFailed(name,
                         "the hook " + name + " fails: " +
                             (result.error.empty() ? "exit code " + std::to_string(result.exit_code)
                                                   : result.error));
    return result.output;
}

void Trial::wait_until_served(Millis time)
{
    const auto until = in(time);
    for (;;) {
        try {
            world_.fetch_document();
            connection_.drop();
            return;
        } catch (const std::runtime_error& error) {
            if (Clock::now() >= until) throw Broken("serves-again", error.what());
        }
        std::this_thread::sleep_for(Millis(100));
    }
}

}  // namespace entente::conformance
