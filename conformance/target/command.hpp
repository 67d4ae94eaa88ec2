#pragma once

// Commands of the target's owner: JSON in on standard input, JSON out.

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "conformance/sockets/deadline.hpp"

namespace entente::conformance {

// What a command says that it can't do, by its exit code.
constexpr int cannot = 89;

struct CommandResult {
    int exit_code = -1;
    // At most 16 MiB.
    std::string output;
    // Empty, or why it has no exit code of its own.
    std::string error;
};

// By /bin/sh, with `input` and a line end; killed at the deadline, with all that it has started.
[[nodiscard]] CommandResult run_command(const std::string& command, const nlohmann::json& input,
                                        Deadline deadline);
// The same with a text as its input.
[[nodiscard]] CommandResult run_command_on(const std::string& command, std::string_view input,
                                           Deadline deadline);

}  // namespace entente::conformance
