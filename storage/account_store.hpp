// Accounts of this server: users, devices, sessions, refresh tokens, registration codes
// and the secrets that all daemons of one database share. Functions over a connection,
// so that a GroupCommit job and `ententctl setup` use the same; those that write need
// the writer's connection inside a transaction. Hashes nothing and checks no password:
// what it stores of a secret is what it is given.
//
// Each function validates before it writes: one that fails has written nothing, as
// GroupCommit asks of its jobs. Times are milliseconds since 1970 UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "protocol/octets.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

enum class AccountRole : std::uint8_t { user, admin, superadmin };
[[nodiscard]] std::string_view to_text(AccountRole role);
[[nodiscard]] std::optional<AccountRole> account_role_from(std::string_view text);

struct Account {
    std::int64_t id = 0;
    std::string localpart;
    std::string password_hash;  // Argon2id in its string form
    AccountRole role = AccountRole::user;
    protocol::Millis created_at = 0;
    bool suspended = false;
    bool banned = false;
    // The password is for one login until then, which replaces it; nothing: it is the user's own.
    std::optional<protocol::Millis> one_time_until;
};

// `localpart` must satisfy protocol::is_localpart (else `malformed`); `conflict` where
// the name is taken. Returns the new user's id.
[[nodiscard]] Result<std::int64_t> create_user(Connection& db, std::string_view localpart,
                                               std::string_view password_hash, AccountRole role,
                                               protocol::Millis now);
// `not_found`, also where it was deleted.
[[nodiscard]] Result<Account> find_user(Connection& db, std::string_view localpart);
// In the transaction that makes a session: whether the account is still as it was when its
// password was looked at, and may be used. `unauthenticated`: a ban, or another password, came
// between.
[[nodiscard]] Result<void> check_login(Connection& db, const Account& account);
// The user's own from now on.
[[nodiscard]] Result<void> set_password(Connection& db, std::int64_t user,
                                        std::string_view password_hash);
// Whether there is anybody who may administer this server: false before setup.
[[nodiscard]] Result<bool> has_superadmin(Connection& db);

// A person's installation: its install UUID and the octets of its Ed25519 public key.
struct DeviceInfo {
    protocol::Uuid device;
    std::string key;
    std::string name;
};

inline constexpr std::int64_t max_devices_of_user = 100;  // that aren't revoked

// A login: binds a session to the device, which is added where it is new. `conflict`
// where this user's device has another key, `forbidden` where it was revoked or would be one
// too many.
struct NewSession {
    protocol::Uuid id;
    std::int64_t user = 0;
    DeviceInfo device;
    protocol::Hash refresh_hash{};  // SHA-256 of the first refresh token
    protocol::Millis now = 0;
    protocol::Millis expires_at = 0;
};
[[nodiscard]] Result<void> create_session(Connection& db, const NewSession& session);

// A session that may be used at `now`, with whose it is; `not_found` where it ended,
// expired, never was, or its user is suspended or banned or its device revoked.
struct SessionInfo {
    protocol::Uuid id;
    std::int64_t user = 0;
    std::string localpart;
    AccountRole role = AccountRole::user;
    protocol::Uuid device;
    std::string device_key;  // octets
    protocol::Millis expires_at = 0;
    protocol::Millis created_at = 0;  // the account
};
[[nodiscard]] Result<SessionInfo> find_session(Connection& db, const protocol::Uuid& id,
                                               protocol::Millis now);
// Ends it and forgets its refresh tokens; succeeds where it has ended already.
[[nodiscard]] Result<void> end_session(Connection& db, const protocol::Uuid& id,
                                       protocol::Millis now);
// Ends all of a user's; returns which were alive.
[[nodiscard]] Result<std::vector<protocol::Uuid>> end_sessions_of(Connection& db, std::int64_t user,
                                                                  protocol::Millis now);

enum class RefreshOutcome : std::uint8_t { rotated, reused, unknown };
struct Refreshed {
    RefreshOutcome outcome = RefreshOutcome::unknown;
    std::optional<SessionInfo> session;           // rotated
    std::optional<protocol::Uuid> ended_session;  // reused
};
// Exchanges a refresh token for a new one. An old one that comes again ends its whole
// session, which is a success here: the write must stay.
[[nodiscard]] Result<Refreshed> rotate_refresh(Connection& db, const protocol::Hash& old_hash,
                                               const protocol::Hash& new_hash, protocol::Millis now,
                                               protocol::Millis expires_at);
// Forgets sessions that expired or ended before `before`, and their tokens; at most `limit`
// sessions.
[[nodiscard]] Result<std::int64_t> sweep_sessions(Connection& db, protocol::Millis before,
                                                  std::int64_t limit);

// Registration codes (mode `invite`); account_admin_store.hpp makes them.
// Registers with a code: one of its uses goes only if the user was made. `forbidden`
// where the code is unknown, used up or over.
[[nodiscard]] Result<std::int64_t> create_user_by_code(Connection& db,
                                                       const protocol::Hash& code_hash,
                                                       std::string_view localpart,
                                                       std::string_view password_hash,
                                                       protocol::Millis now);

// The secret of that name; stores `fresh` and returns it where there was none.
[[nodiscard]] Result<std::string> find_or_store_secret(Connection& db, std::string_view name,
                                                       std::string_view fresh);

}  // namespace entente::storage
