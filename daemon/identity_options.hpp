// The arguments of `ententctl identity`. No secret is among them.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace entente::daemon {

struct IdentityOptions {
    enum class Action { none, show, rotate, revoke, recovery_kit };
    Action action = Action::none;
    bool json = false;          // show
    bool by_recovery = false;   // signed by the recovery key
    std::string recovery_file;  // where its secret is; empty: asked for
    std::string key;            // revoke: its id
    std::string at;             // revoke; empty: now
    std::string reason;         // revoke
    std::string secrets_file;   // recovery_kit: a new file; empty: the terminal
};

// Adds the command to `app`; `options` are filled in when `app` parses and outlive that.
void add_identity_command(CLI::App& app, IdentityOptions& options);

}  // namespace entente::daemon
