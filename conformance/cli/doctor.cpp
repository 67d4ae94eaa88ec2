// doctor: the way from a file to a first message, a step at a time, so that what is missing is said
// where it is missed.
#include <cstdio>
#include <functional>
#include <memory>

#include "conformance/cli/options.hpp"
#include "conformance/judge/trial.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

// Prints what the step found; false where it failed.
bool step(const char* what, const std::function<std::string()>& action, const char* remedy)
{
    try {
        const auto found = action();
        std::printf("ok      %s%s%s\n", what, found.empty() ? "" : ": ", found.c_str());
        return true;
    } catch (const std::exception& error) {
        std::printf("failed  %s: %s\n        %s\n", what, error.what(), remedy);
        return false;
    }
}

}  // namespace

int do_doctor(const RunCommand& command)
{
    const auto failed = static_cast<int>(Exit::control_failed);
    std::unique_ptr<World> world;
    std::unique_ptr<Trial> trial;
    const bool ready =
        step(
            "the target's file, its document and its accounts",
            [&] {
                world = std::make_unique<World>(target_of(command));
                return world->document().value("api", "no api");
            },
            "mend what is named, and see that the target runs") &&
        step(
            "the target's clock",
            [&]() -> std::string {
                const auto ahead = world->now() - system_milliseconds();
                return ahead == 0 ? "as ours" : std::to_string(ahead / 1000) + " s from ours";
            },
            "") &&
        step(
            "a channel", [&] { return world->accounts().create_channel(Who::first, {}); },
            "the first account has to be able to create a public channel") &&
        step(
            "a server of the runner's joins a channel",
            [&] {
                trial = std::make_unique<Trial>(*world, "doctor");
                return trial->channel();
            },
            "does the target find *.<peers.domain> at peers.listen, and trust "
            "peers.authority_certificate? The answer above says what it missed") &&
        step(
            "the target has fetched that server's document",
            [&]() -> std::string {
                const auto fetched = trial->origin().wait_for(
                    [](const Received& one) {
                        return one.request.target == "/.well-known/entente";
                    },
                    in(Millis(5'000)));
                if (!fetched) throw std::runtime_error("nothing was fetched");
                return trial->origin().name();
            },
            "see the remedy above") &&
        step(
            "a message crosses and can be read",
            [&]() -> std::string {
                trial->control();
                return {};
            },
            "accounts.first, or commands.messages, has to print what the channel holds") &&
        step(
            "the target sends the channel's log",
            [&]() -> std::string {
                const auto event = trial->accounts().post(Who::first, trial->channel(), "doctor");
                if (!trial->origin().wait_for_entry(trial->channel(), event, in(Millis(20'000))))
                    throw std::runtime_error("nothing came within 20 s");
                return {};
            },
            "cases of the group outbound can't run without it");
    return ready ? 0 : failed;
}

}  // namespace entente::conformance
