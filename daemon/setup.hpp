// What `ententctl setup` does, once in a server's life: signing key, recovery key and
// administrator. The secrets leave by one door, given by the caller, and are in no log.
// Rotating keys later is another act.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config.hpp"
#include "protocol/clock.hpp"
#include "protocol/result.hpp"

namespace entente::daemon {

struct SetupSecrets {
    std::string server;
    std::string administrator;  // admin@a.example
    std::string password;
    std::string recovery_secret;  // base64url of the recovery key's seed; empty: as before
};

// Lines "name: value" behind a sentence that says what to do with them.
[[nodiscard]] std::string to_text(const SetupSecrets& secrets);

// The same of a recovery secret alone.
[[nodiscard]] std::string recovery_text(const std::string& server, const std::string& secret);

// `forbidden` for root, who would leave files behind that the daemon's own user can't open.
[[nodiscard]] Result<void> check_user(const std::string& data);

// The door that secrets leave by: a new 0600 `file`, or, where that is empty, the terminal that
// standard output is. `conflict` where the file exists, `forbidden` where there is no terminal.
[[nodiscard]] Result<void> check_door(const std::string& file);
[[nodiscard]] Result<void> hand_out(const std::string& text, const std::string& file);

// Shows or stores the secrets; setup goes no further where that fails.
using SecretsDoor = std::function<Result<void>(const SetupSecrets&)>;

// Federation may start once this has returned. `conflict` where it was done before, or where
// the database has an administrator but the keys are gone [LOG-10]; `malformed` for a name
// that can't be an account's. One that was interrupted can be repeated. The detail of an
// error is a sentence for the operator.
[[nodiscard]] Result<void> set_up(const Config& config, const std::string& admin_localpart,
                                  protocol::Random& random, const protocol::Clock& clock,
                                  const SecretsDoor& door);

// Whether the database is there and has anything in it.
[[nodiscard]] bool has_database(const Config& config);

// A new database with an administrator beside keys that stay, where the one before is lost with
// all that was in it. `conflict` where there are no keys, or a database that isn't empty.
[[nodiscard]] Result<void> set_up_database(const Config& config, const std::string& admin_localpart,
                                           protocol::Random& random, const protocol::Clock& clock,
                                           const SecretsDoor& door);

// Through that door.
[[nodiscard]] SecretsDoor door_to(std::string file);

// Self-made certificates for those listeners of which neither file is there yet, valid for
// the server's name, localhost and the loopback addresses. Returns the certificates it made.
[[nodiscard]] Result<std::vector<std::string>> make_missing_certificates(const Config& config,
                                                                         int days);

}  // namespace entente::daemon
