// Accounts as those who administer this server see and change them: lists, restrictions, roles,
// passwords for one login, the end of an account, registration codes. Decides nothing: who may
// do this is trust/ranks'. Functions over a connection, as in account_store.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/account_store.hpp"

namespace entente::storage {

struct AccountRow {
    std::int64_t id = 0;
    std::string localpart;
    AccountRole role = AccountRole::user;
    protocol::Millis created_at = 0;
    // Since when; nothing where it isn't so.
    std::optional<protocol::Millis> suspended_at, banned_at, deleted_at;
    std::int64_t sessions = 0;  // that live

    [[nodiscard]] bool is_active() const { return !suspended_at && !banned_at && !deleted_at; }
};
// Also one that is deleted. `not_found`.
[[nodiscard]] Result<AccountRow> find_account(Connection& db, std::string_view localpart,
                                              protocol::Millis now);
[[nodiscard]] Result<AccountRow> account_by_id(Connection& db, std::int64_t id,
                                               protocol::Millis now);
// In the order of their names, behind `after`.
[[nodiscard]] Result<std::vector<AccountRow>> accounts_after(Connection& db, std::string_view after,
                                                             std::size_t limit,
                                                             protocol::Millis now);
[[nodiscard]] Result<std::int64_t> count_active_superadmins(Connection& db);

// Nothing: lifted.
[[nodiscard]] Result<void> set_suspended(Connection& db, std::int64_t user,
                                         std::optional<protocol::Millis> at);
[[nodiscard]] Result<void> set_banned(Connection& db, std::int64_t user,
                                      std::optional<protocol::Millis> at);
[[nodiscard]] Result<void> set_role(Connection& db, std::int64_t user, AccountRole role);
[[nodiscard]] Result<void> set_one_time_password(Connection& db, std::int64_t user,
                                                 std::string_view password_hash,
                                                 protocol::Millis until);
// Those of a user that live; they go on.
[[nodiscard]] Result<std::vector<protocol::Uuid>> live_sessions_of(Connection& db,
                                                                   std::int64_t user,
                                                                   protocol::Millis now);
// For good: devices are revoked with their keys and messages, sessions end, what the person
// showed is gone, nobody can log in; the name stays taken. Returns the sessions that lived.
[[nodiscard]] Result<std::vector<protocol::Uuid>> close_account(Connection& db, std::int64_t user,
                                                                protocol::Millis now);

// Deleted accounts that are still leaving their channels, the longest first.
struct Departing {
    std::int64_t id = 0;
    std::string localpart;
    protocol::Millis since = 0;
};
[[nodiscard]] Result<std::vector<Departing>> departing_accounts(Connection& db, std::size_t most);
[[nodiscard]] Result<void> note_departed(Connection& db, std::int64_t user);

// Registration codes that can still be used. A code's id is the beginning of its hash: what is
// kept of it says nothing of the code.
inline constexpr std::int64_t max_invite_codes = 1'000;
inline constexpr std::size_t invite_code_id_octets = 9;

struct InviteCodeRow {
    std::string id;  // 12 characters of base64url
    std::int64_t uses = 0, uses_left = 0;
    protocol::Millis made_at = 0, expires_at = 0;
    std::string made_by;
};
struct NewInviteCode {
    protocol::Hash hash{};
    std::int64_t uses = 1;
    protocol::Millis now = 0, expires_at = 0;
    std::string made_by;
};
// What was asked for under one txn: a hash of it and of who asked.
inline constexpr protocol::Millis code_creation_memory_ms = 30 * protocol::day_ms;
struct CodeCreation {
    protocol::Hash asked{};
    std::int64_t uses = 0;
    protocol::Millis life = 0, at = 0;
};
[[nodiscard]] Result<std::optional<CodeCreation>> find_code_creation(Connection& db,
                                                                     const protocol::Hash& asked);
// Forgets those that are older than code_creation_memory_ms.
[[nodiscard]] Result<void> remember_code_creation(Connection& db, const CodeCreation& made);
[[nodiscard]] std::string invite_code_id(const protocol::Hash& hash);
// Forgets those that are over; `forbidden` where there are too many others.
[[nodiscard]] Result<void> make_invite_code(Connection& db, const NewInviteCode& code);
// In the order of their ids, behind `after`, which is "" at first; `malformed` where that is no id.
[[nodiscard]] Result<std::vector<InviteCodeRow>> invite_codes_after(Connection& db,
                                                                    std::string_view after,
                                                                    std::size_t limit,
                                                                    protocol::Millis now);
// `not_found`.
[[nodiscard]] Result<void> revoke_invite_code(Connection& db, std::string_view id,
                                              protocol::Millis now);

}  // namespace entente::storage
