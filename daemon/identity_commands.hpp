// Runs `ententctl identity`: reads the key folder, has identity_change change it, hands
// secrets in and out, and stores it whole. Talks to no running ententd.
#pragma once

#include <iosfwd>
#include <string>

#include "daemon/config.hpp"
#include "protocol/clock.hpp"
#include "protocol/result.hpp"

namespace entente::daemon {

// No secret is among them.
struct IdentityOptions {
    enum class Action { show, rotate, revoke, recovery_kit };
    Action action = Action::show;
    bool json = false;          // show
    bool by_recovery = false;   // signed by the recovery key
    std::string recovery_file;  // where its secret is; empty: asked for
    std::string key;            // revoke: its id
    std::string at;             // revoke; empty: now
    std::string reason;         // revoke
    std::string secrets_file;   // recovery_kit: a new file; empty: the terminal
};

// What was asked for goes to `out`, what became of it to `notes`. The detail of an error is a
// sentence for the operator; nothing was changed then, unless it says so.
[[nodiscard]] Result<void> run_identity(const Config& config, const IdentityOptions& options,
                                        protocol::Random& random, const protocol::Clock& clock,
                                        std::ostream& out, std::ostream& notes);

// RFC 3339 in UTC (2026-01-31T09:00:00Z, fractions of a second allowed) or milliseconds since
// 1970; `malformed` otherwise.
[[nodiscard]] Result<protocol::Millis> parse_time(std::string_view text);

}  // namespace entente::daemon
