// Trial: what it asks of the target's owner, by the commands of the target's file.
#include <algorithm>
#include <thread>

#include "conformance/judge/trial.hpp"
#include "conformance/target/command.hpp"

namespace entente::conformance {

nlohmann::json Trial::hook(const std::string& name, const nlohmann::json& input, Millis time)
{
    const auto given = input.is_null() ? nlohmann::json::object() : input;
    auto printed = nlohmann::json::parse(run_hook(name, given.dump() + "\n", time), nullptr, false);
    return printed.is_discarded() ? nlohmann::json() : printed;
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
        throw CouldNotRun("the hook " + name + " prints " + std::to_string(printed.size()) +
                          " lines for " + std::to_string(lines.size()));
    return printed;
}

std::string Trial::run_hook(const std::string& name, std::string_view input, Millis time)
{
    const auto& hooks = world_.file().hooks;
    const auto found = hooks.find(name);
    if (found == hooks.end()) throw NotApplicable("the target's file has no hook " + name);
    const auto result = run_command_on(found->second, input, in(time));
    if (result.exit_code == cannot) throw NotApplicable("the hook " + name + " says that it can't");
    if (result.exit_code != 0)
        throw CouldNotRun("the hook " + name + " fails: " +
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
