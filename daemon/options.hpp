// The command line of ententd. Reads arguments only; prints help and faults of usage by
// itself. ententctl's is daemon/ctl/verbs.hpp.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace entente::daemon {

inline constexpr const char* default_config = "/etc/ententd/ententd.toml";

// sysexits.h: a fault of the command line.
inline constexpr int exit_bad_usage = 64;

struct DaemonOptions {
    enum class Action { run, check };
    Action action = Action::run;
    std::string config;
};

// Where it has nothing to do (help, version, a fault of usage), the exit code.
[[nodiscard]] tl::expected<DaemonOptions, int> parse_daemon_options(int argc,
                                                                    const char* const* argv);

}  // namespace entente::daemon
