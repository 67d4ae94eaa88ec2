// The command lines of ententd and ententctl. Reads arguments only; prints help and faults
// of usage by itself.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "daemon/identity_options.hpp"

namespace entente::daemon {

struct DaemonOptions {
    enum class Action { run, check };
    Action action = Action::run;
    std::string config;
};

struct ControlOptions {
    enum class Action { setup, certificate, identity };
    Action action = Action::setup;
    std::string config;
    std::string admin = "admin";
    std::string secrets_file;  // empty: the terminal
    int days = 365;            // of a self-made certificate
    IdentityOptions identity;
};

// Where it has nothing to do (help, version, a fault of usage), the exit code.
[[nodiscard]] tl::expected<DaemonOptions, int> parse_daemon_options(int argc,
                                                                    const char* const* argv);
[[nodiscard]] tl::expected<ControlOptions, int> parse_control_options(int argc,
                                                                      const char* const* argv);

}  // namespace entente::daemon
