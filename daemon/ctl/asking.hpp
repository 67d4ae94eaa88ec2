// What most verbs do first: read the configuration, connect to the daemon, and ask it once.
#pragma once

#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/verbs.hpp"

namespace entente::daemon::ctl {

// What a verb was told; nothing where it failed, which was said, with the exit code.
template <class Answer>
struct Told {
    std::optional<Answer> answer;
    int exit_code = exit_done;
};
using Asked = Told<nlohmann::json>;

// `ask` gets the Daemon and returns a Result.
template <class Ask>
auto ask_daemon(const Settings& settings, Ask ask)
{
    using Answer = typename decltype(ask(std::declval<Daemon&>()))::value_type;
    const auto config = configuration(settings);
    if (!config) return Told<Answer>{std::nullopt, exit_failed};
    auto daemon = Daemon::connect(*config);
    if (!daemon)
        return Told<Answer>{std::nullopt, failed(daemon.error(), exit_code_of(daemon.error()))};
    auto answer = ask(*daemon);
    if (!answer)
        return Told<Answer>{std::nullopt, failed(answer.error(), exit_code_of(answer.error()))};
    return Told<Answer>{std::move(*answer), exit_done};
}

}  // namespace entente::daemon::ctl
