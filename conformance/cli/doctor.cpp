// doctor: the way from a file to a first message, a step at a time, so that what is missing is said
// where it is missed; then the hooks. Of these only --hooks tries those that restart the target or
// set its clock.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>

#include "conformance/cli/join_causes.hpp"
#include "conformance/cli/options.hpp"
#include "conformance/judge/trial.hpp"
#include "conformance/report/visible.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr Millis restart_time{30'000};
constexpr std::int64_t clock_step = 60'000;

// Prints what the step found; false where it failed. What is wrong with the file is thrown on.
bool step(const std::string& what, const std::function<std::string()>& action,
          const std::function<std::string()>& remedy = {})
{
    try {
        const auto found = action();
        std::printf("ok      %s%s%s\n", what.c_str(), found.empty() ? "" : ": ",
                    visible(found).c_str());
        return true;
    } catch (const UsageError&) {
        throw;
    } catch (const std::exception& error) {
        std::printf("failed  %s: %s\n", what.c_str(), visible(error.what()).c_str());
        if (remedy) std::printf("        %s\n", visible(remedy()).c_str());
        return false;
    }
}

std::function<std::string()> advice(const char* text)
{
    return [text] { return std::string(text); };
}

class Doctor {
 public:
    explicit Doctor(const RunCommand& command) : command_(command), file_(target_of(command)) {}

    bool reaches_the_target()
    {
        return step("the target's document, and its accounts",
                    [&] {
                        world_ = std::make_unique<World>(file_);
                        return world_->document().value("api", "no api");
                    }) &&
               step("the target's clock",
                    [&]() -> std::string {
                        const auto ahead = world_->now() - system_milliseconds();
                        return ahead == 0 ? "as ours"
                                          : std::to_string(ahead / 1000) + " s from ours";
                    }) &&
               step(
                   "a channel", [&] { return world_->accounts().create_channel(Who::first, {}); },
                   advice("the first account has to be able to create a public channel"));
    }

    bool is_reached_by_the_target()
    {
        trial_ = std::make_unique<Trial>(*world_, "doctor");
        return step(
                   "a server of the runner's joins a channel", [&] { return trial_->channel(); },
                   [&] {
                       return join_cause(way_to(*world_, trial_->origin()),
                                         invocation_of(command_).command("repro disc-01"));
                   }) &&
               step("the target has fetched that server's document", [&] { return fetched(); }) &&
               step(
                   "a message is accepted", [&] { return accepted(); },
                   [&] {
                       return "`" + invocation_of(command_).command("repro disc-01") +
                              "` shows what is sent, what comes back, and the signature base";
                   }) &&
               step(
                   "the first account reads it",
                   [&]() -> std::string {
                       trial_->control();
                       return {};
                   },
                   advice("accounts.first, or commands.messages, has to tell what its channel "
                          "holds, with its texts")) &&
               step(
                   "the target sends the channel's log", [&] { return delivered(); },
                   advice("cases of the group outbound can't run without it; its log may say "
                          "why"));
    }

    bool hooks()
    {
        bool all = true;
        for (const auto* name : {"restart", "kill9", "clock", "metrics", "verify", "rotate-key"})
            all = hook(name) && all;
        return all;
    }

 private:
    std::string fetched()
    {
        const auto found = trial_->origin().wait_for(is_discovery, in(Millis(5'000)));
        if (!found) throw std::runtime_error("nothing was fetched");
        return trial_->origin().name();
    }

    std::string accepted()
    {
        const auto response =
            trial_->transact(trial_->origin(), trial_->submitting({trial_->message()}));
        trial_->expect_ok(response);
        const nlohmann::json::json_pointer place("/submissions/0/events/0/status");
        if (response.json.value(place, "") != "accepted")
            throw std::runtime_error("the answer is " + response.text() + " " +
                                     response.json.dump());
        return {};
    }

    std::string delivered()
    {
        const auto event = trial_->accounts().post(Who::first, trial_->channel(), "doctor");
        if (!trial_->origin().wait_for_entry(trial_->channel(), event, in(Millis(20'000))))
            throw std::runtime_error("nothing came within 20 s");
        return {};
    }

    bool hook(const std::string& name)
    {
        const auto untried = [&](const std::string& why) {
            std::printf("untried hook %s: %s\n", name.c_str(), why.c_str());
            return true;
        };
        if (!world_->has_hook(name)) {
            const auto& all = catalogue();
            const auto count = std::count_if(all.begin(), all.end(), [&](const Case& one) {
                return std::find(one.hooks.begin(), one.hooks.end(), name) != one.hooks.end();
            });
            if (count == 0) return true;
            return untried("[hooks] has none; not applicable without it: " + std::to_string(count) +
                           (count == 1 ? " case" : " cases"));
        }
        if (name == "rotate-key") return untried("what it does can't be undone");
        const bool reads = name == "metrics" || name == "verify";
        if (!reads && !command_.hooks)
            return untried("--hooks tries it, and " +
                           std::string(name == "clock" ? "sets the target's clock for a moment"
                                                       : "restarts the target"));
        return step(
            "hook " + name, [&] { return tried(name); },
            [&] { return "mend it in [hooks] of " + command_.target; });
    }

    std::string tried(const std::string& name)
    {
        if (name == "metrics") {
            const auto told = trial_->hook(name);
            if (!told.is_object() || !told.contains("rss_bytes") ||
                !told["rss_bytes"].is_number_integer())
                throw std::runtime_error("it prints no {\"rss_bytes\":n}");
            return told["rss_bytes"].dump() + " octets";
        }
        if (name == "verify") return verified();
        if (name == "clock") {
            try {
                static_cast<void>(trial_->hook(name, {{"ahead_ms", clock_step}}));
            } catch (...) {
                // Whatever it has done is undone.
                set_clock_right();
                throw;
            }
            set_clock_right();
            return "the target's Date follows it";
        }
        static_cast<void>(trial_->hook(name));
        trial_->wait_until_served(restart_time);
        return "the target went away and came back";
    }

    void set_clock_right()
    {
        try {
            static_cast<void>(trial_->hook("clock", {{"ahead_ms", 0}}));
        } catch (const HookFailed&) {
        }
    }

    std::string verified()
    {
        const auto key = SigningKey::random();
        const std::string message = "doctor";
        const auto line = [&](const std::string& signature) {
            return nlohmann::json{{"public", hex(key.public_octets())},
                                  {"message", hex(message)},
                                  {"signature", hex(signature)}};
        };
        auto signature = key.sign(message);
        const auto right = line(signature);
        signature[0] = static_cast<char>(signature[0] ^ 1);
        const auto told = trial_->hook_lines("verify", {right, line(signature)});
        const auto is = [&](std::size_t place, bool valid) {
            return told[place].is_object() && told[place].value("valid", !valid) == valid;
        };
        if (!is(0, true) || !is(1, false))
            throw std::runtime_error(
                "of a right signature it has to print {\"valid\":true}, of a wrong one "
                "{\"valid\":false}");
        return {};
    }

    const RunCommand& command_;
    const TargetFile file_;
    std::unique_ptr<World> world_;
    std::unique_ptr<Trial> trial_;
};

}  // namespace

int do_doctor(const RunCommand& command)
{
    Doctor doctor(command);
    const bool ready =
        doctor.reaches_the_target() && doctor.is_reached_by_the_target() && doctor.hooks();
    if (ready) std::printf("Next: %s\n", invocation_of(command).command("run").c_str());
    return static_cast<int>(ready ? Exit::all_pass : Exit::control_failed);
}

}  // namespace entente::conformance
