#include "storage/account_admin_store.hpp"

#include "storage/device_store.hpp"
#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::Millis;
using protocol::Uuid;

#define SELECT_ACCOUNT                                                                            \
    "SELECT u.id, u.localpart, u.role, u.created_at, u.suspended_at, u.banned_at, u.deleted_at, " \
    "(SELECT count(*) FROM account_session s WHERE s.user = u.id AND s.ended_at IS NULL "         \
    "AND s.expires_at > ?2) FROM account_user u "
constexpr char select_account[] = SELECT_ACCOUNT "WHERE u.localpart = ?1";
constexpr char select_account_by_id[] = SELECT_ACCOUNT "WHERE u.id = ?1";
constexpr char select_accounts[] = SELECT_ACCOUNT
    "WHERE u.localpart > ?1 "
    "ORDER BY u.localpart LIMIT ?3";
#undef SELECT_ACCOUNT
constexpr char select_superadmins[] =
    "SELECT count(*) FROM account_user WHERE role = 'superadmin' AND suspended_at IS NULL "
    "AND banned_at IS NULL AND deleted_at IS NULL";
constexpr char update_suspended[] = "UPDATE account_user SET suspended_at = ?2 WHERE id = ?1";
constexpr char lift_suspension[] = "UPDATE account_user SET suspended_at = NULL WHERE id = ?1";
constexpr char update_banned[] = "UPDATE account_user SET banned_at = ?2 WHERE id = ?1";
constexpr char lift_ban[] = "UPDATE account_user SET banned_at = NULL WHERE id = ?1";
constexpr char update_role[] = "UPDATE account_user SET role = ?2 WHERE id = ?1";
constexpr char update_one_time[] =
    "UPDATE account_user SET password_hash = ?2, one_time_until = ?3 WHERE id = ?1";
constexpr char select_live_sessions[] =
    "SELECT id FROM account_session WHERE user = ? AND ended_at IS NULL AND expires_at > ?";
constexpr char update_closed[] =
    "UPDATE account_user SET deleted_at = ?2, departing_at = ?2, password_hash = '', "
    "one_time_until = NULL, "
    "role = 'user', name = '', avatar = '' WHERE id = ?1";
constexpr char select_departing[] =
    "SELECT id, localpart, departing_at FROM account_user WHERE departing_at IS NOT NULL "
    "ORDER BY departing_at, id LIMIT ?";
constexpr char end_departing[] = "UPDATE account_user SET departing_at = NULL WHERE id = ?";
constexpr char delete_old_codes[] =
    "DELETE FROM account_invite_code WHERE uses_left <= 0 OR expires_at <= ?";
constexpr char count_codes[] =
    "SELECT count(*) FROM account_invite_code WHERE uses_left > 0 AND expires_at > ?";
constexpr char select_creation[] = "SELECT uses, life, at FROM code_creation WHERE asked = ?";
constexpr char insert_creation[] =
    "INSERT INTO code_creation (asked, uses, life, at) VALUES (?, ?, ?, ?)";
constexpr char delete_old_creations[] = "DELETE FROM code_creation WHERE at <= ?";
constexpr char insert_code[] =
    "INSERT INTO account_invite_code (hash, uses_left, expires_at, uses, made_at, made_by) "
    "VALUES (?1, ?2, ?3, ?2, ?4, ?5)";
constexpr char select_codes[] =
    "SELECT substr(hash, 1, 9), uses, uses_left, made_at, expires_at, made_by "
    "FROM account_invite_code WHERE substr(hash, 1, 9) > ?1 AND uses_left > 0 AND expires_at > ?2 "
    "ORDER BY hash LIMIT ?3";
constexpr char delete_code[] =
    "DELETE FROM account_invite_code WHERE substr(hash, 1, 9) = ?1 AND uses_left > 0 "
    "AND expires_at > ?2";

std::optional<Millis> time_in(Statement& row, int column)
{
    if (row.is_null(column)) return std::nullopt;
    return row.integer(column);
}

AccountRow read_account(Statement& row)
{
    AccountRow account;
    account.id = row.integer(0);
    account.localpart = row.text(1);
    // What the table says of roles nobody but this program writes; the least where it is unknown.
    account.role = account_role_from(row.text(2)).value_or(AccountRole::user);
    account.created_at = row.integer(3);
    account.suspended_at = time_in(row, 4);
    account.banned_at = time_in(row, 5);
    account.deleted_at = time_in(row, 6);
    account.sessions = row.integer(7);
    return account;
}

Result<AccountRow> need_account(Result<std::optional<AccountRow>> found)
{
    if (!found) return fail(found);
    if (!*found) return refuse(Code::not_found, "no such user");
    return std::move(**found);
}

Result<void> set_time(Connection& db, const char* set, const char* lift, std::int64_t user,
                      std::optional<Millis> at)
{
    return at ? run(db, set, user, *at) : run(db, lift, user);
}

}  // namespace

Result<AccountRow> find_account(Connection& db, std::string_view localpart, Millis now)
{
    return need_account(one_row(db, select_account, read_account, localpart, now));
}

Result<AccountRow> account_by_id(Connection& db, std::int64_t id, Millis now)
{
    return need_account(one_row(db, select_account_by_id, read_account, id, now));
}

Result<std::vector<AccountRow>> accounts_after(Connection& db, std::string_view after,
                                               std::size_t limit, Millis now)
{
    return all_rows(db, select_accounts, read_account, after, now, limit);
}

Result<std::int64_t> count_active_superadmins(Connection& db)
{
    auto count = one_row(db, select_superadmins, [](Statement& row) { return row.integer(0); });
    if (!count) return fail(count);
    return count->value_or(0);
}

Result<void> set_suspended(Connection& db, std::int64_t user, std::optional<Millis> at)
{
    return set_time(db, update_suspended, lift_suspension, user, at);
}

Result<void> set_banned(Connection& db, std::int64_t user, std::optional<Millis> at)
{
    return set_time(db, update_banned, lift_ban, user, at);
}

Result<void> set_role(Connection& db, std::int64_t user, AccountRole role)
{
    return run(db, update_role, user, to_text(role));
}

Result<void> set_one_time_password(Connection& db, std::int64_t user,
                                   std::string_view password_hash, Millis until)
{
    return run(db, update_one_time, user, password_hash, until);
}

Result<std::vector<Uuid>> live_sessions_of(Connection& db, std::int64_t user, Millis now)
{
    const auto read = [](Statement& row) { return uuid_from(row.blob(0)); };
    return all_rows(db, select_live_sessions, read, user, now);
}

Result<std::vector<Uuid>> close_account(Connection& db, std::int64_t user, Millis now)
{
    auto ended = end_sessions_of(db, user, now);
    if (!ended) return fail(ended);
    auto devices = devices_of(db, user);
    if (!devices) return fail(devices);
    for (const auto& device : *devices) {
        auto revoked = revoke_device(db, user, device.device, now);
        if (!revoked) return fail(revoked);
    }
    auto closed = run(db, update_closed, user, now);
    if (!closed) return fail(closed);
    return ended;
}

Result<std::vector<Departing>> departing_accounts(Connection& db, std::size_t most)
{
    const auto read = [](Statement& row) {
        return Departing{row.integer(0), std::string(row.text(1)), row.integer(2)};
    };
    return all_rows(db, select_departing, read, most);
}

Result<void> note_departed(Connection& db, std::int64_t user)
{
    return run(db, end_departing, user);
}

std::string invite_code_id(const protocol::Hash& hash)
{
    return protocol::to_base64url(protocol::as_view(hash).substr(0, invite_code_id_octets));
}

Result<void> make_invite_code(Connection& db, const NewInviteCode& code)
{
    auto count = one_row(db, count_codes, [](Statement& row) { return row.integer(0); }, code.now);
    if (!count) return fail(count);
    if (count->value_or(0) >= max_invite_codes)
        return refuse(Code::forbidden, "too many codes are open; revoke some");
    if (auto swept = run(db, delete_old_codes, code.now); !swept) return swept;
    return run(db, insert_code, Blob{protocol::as_view(code.hash)}, code.uses, code.expires_at,
               code.now, code.made_by);
}

Result<std::optional<CodeCreation>> find_code_creation(Connection& db, const protocol::Hash& asked)
{
    const auto read = [&asked](Statement& row) {
        return CodeCreation{asked, row.integer(0), row.integer(1), row.integer(2)};
    };
    return one_row(db, select_creation, read, Blob{protocol::as_view(asked)});
}

Result<void> remember_code_creation(Connection& db, const CodeCreation& made)
{
    auto swept = run(db, delete_old_creations, made.at - code_creation_memory_ms);
    if (!swept) return swept;
    return run(db, insert_creation, Blob{protocol::as_view(made.asked)}, made.uses, made.life,
               made.at);
}

Result<std::vector<InviteCodeRow>> invite_codes_after(Connection& db, std::string_view after,
                                                      std::size_t limit, Millis now)
{
    auto id = protocol::from_base64url(after);
    if (!id) return refuse(Code::malformed, "not a code's id");
    const auto read = [](Statement& row) {
        return InviteCodeRow{protocol::to_base64url(row.blob(0)),
                             row.integer(1),
                             row.integer(2),
                             row.integer(3),
                             row.integer(4),
                             std::string(row.text(5))};
    };
    return all_rows(db, select_codes, read, Blob{*id}, now, limit);
}

Result<void> revoke_invite_code(Connection& db, std::string_view id, Millis now)
{
    auto octets = protocol::from_base64url(id);
    if (!octets) return refuse(Code::not_found, "no such code");
    auto gone = run(db, delete_code, Blob{*octets}, now);
    if (!gone) return gone;
    if (db.changes() == 0) return refuse(Code::not_found, "no such code");
    return {};
}

}  // namespace entente::storage
