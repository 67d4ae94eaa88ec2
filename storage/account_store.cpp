#include "storage/account_store.hpp"

#include <algorithm>
#include <array>

namespace entente::storage {
namespace {

using protocol::as_view;
using protocol::Hash;
using protocol::Millis;
using protocol::Uuid;

constexpr const char* insert_user =
    "INSERT INTO account_user (localpart, password_hash, role, created_at) VALUES (?1, ?2, ?3, ?4) "
    "ON CONFLICT (localpart) DO NOTHING";
constexpr const char* select_user =
    "SELECT id, localpart, password_hash, role, created_at, suspended_at, banned_at, "
    "one_time_until FROM account_user WHERE localpart = ?1 AND deleted_at IS NULL";
constexpr const char* select_login =
    "SELECT 1 FROM account_user WHERE id = ?1 AND password_hash = ?2 AND suspended_at IS NULL "
    "AND banned_at IS NULL AND deleted_at IS NULL";
constexpr const char* update_password =
    "UPDATE account_user SET password_hash = ?2, one_time_until = NULL WHERE id = ?1";
constexpr const char* select_superadmin =
    "SELECT 1 FROM account_user WHERE role = 'superadmin' AND suspended_at IS NULL "
    "AND banned_at IS NULL AND deleted_at IS NULL LIMIT 1";
constexpr const char* select_device =
    "SELECT id, key, revoked_at FROM account_device WHERE user = ?1 AND device = ?2";
constexpr const char* count_devices =
    "SELECT count(*) FROM account_device WHERE user = ?1 AND revoked_at IS NULL";
constexpr const char* insert_device =
    "INSERT INTO account_device (user, device, key, name, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
constexpr const char* insert_session =
    "INSERT INTO account_session (id, user, device, created_at, expires_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5)";
constexpr const char* insert_refresh =
    "INSERT INTO account_refresh (hash, session, issued_at) VALUES (?1, ?2, ?3)";
constexpr const char* select_session =
    "SELECT s.id, s.user, u.localpart, u.role, d.device, d.key, s.expires_at, "
    "u.created_at "
    "FROM account_session s JOIN account_user u ON u.id = s.user "
    "JOIN account_device d ON d.id = s.device "
    "WHERE s.id = ?1 AND s.ended_at IS NULL AND s.expires_at > ?2 "
    "AND u.suspended_at IS NULL AND u.banned_at IS NULL AND d.revoked_at IS NULL";
constexpr const char* update_session_end =
    "UPDATE account_session SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL";
constexpr const char* delete_refresh = "DELETE FROM account_refresh WHERE session = ?1";
constexpr const char* select_sessions_of =
    "SELECT id FROM account_session WHERE user = ?1 AND ended_at IS NULL AND expires_at > ?2";
constexpr const char* select_refresh =
    "SELECT session, used_at FROM account_refresh WHERE hash = ?1";
constexpr const char* update_refresh_used =
    "UPDATE account_refresh SET used_at = ?2 WHERE hash = ?1";
constexpr const char* update_session_expiry =
    "UPDATE account_session SET expires_at = ?2 WHERE id = ?1";
constexpr const char* select_old_sessions =
    "SELECT id FROM account_session WHERE expires_at < ?1 OR ended_at < ?1 LIMIT ?2";
constexpr const char* delete_session = "DELETE FROM account_session WHERE id = ?1";
constexpr const char* select_code =
    "SELECT uses_left, expires_at FROM account_invite_code WHERE hash = ?1";
constexpr const char* update_code =
    "UPDATE account_invite_code SET uses_left = uses_left - 1 WHERE hash = ?1";
constexpr const char* select_secret = "SELECT value FROM account_secret WHERE name = ?1";
constexpr const char* insert_secret = "INSERT INTO account_secret (name, value) VALUES (?1, ?2)";

struct NamedRole {
    AccountRole role;
    std::string_view text;
};
constexpr std::array<NamedRole, 3> roles{{{AccountRole::user, "user"},
                                          {AccountRole::admin, "admin"},
                                          {AccountRole::superadmin, "superadmin"}}};

Uuid uuid_of(std::string_view octets)
{
    Uuid uuid;
    std::copy_n(octets.begin(), std::min(octets.size(), uuid.octets.size()), uuid.octets.begin());
    return uuid;
}

Result<std::vector<Uuid>> session_ids(Query& query)
{
    std::vector<Uuid> ids;
    while (true) {
        auto row = query->step();
        if (!row) return fail(row);
        if (!*row) return ids;
        ids.push_back(uuid_of(query->blob(0)));
    }
}

// The device's row, which is added where it is new.
Result<std::int64_t> bind_device(Connection& db, std::int64_t user, const DeviceInfo& device,
                                 Millis now)
{
    {
        auto query = Query::prepare(db, select_device);
        if (!query) return fail(query);
        (*query)->bind(0, user).bind_blob(1, device.device.bytes());
        auto row = (*query)->step();
        if (!row) return fail(row);
        if (*row) {
            if ((*query)->blob(1) != device.key)
                return refuse(Code::conflict, "/device/key: this device has another key");
            if (!(*query)->is_null(2)) return refuse(Code::forbidden, "/device: was revoked");
            return (*query)->integer(0);
        }
    }
    {
        auto count = Query::prepare(db, count_devices);
        if (!count) return fail(count);
        (*count)->bind(0, user);
        auto row = (*count)->step();
        if (!row) return fail(row);
        if ((*count)->integer(0) >= max_devices_of_user)
            return refuse(Code::forbidden, "/device: too many devices; revoke one first");
    }
    auto insert = Query::prepare(db, insert_device);
    if (!insert) return fail(insert);
    (*insert)->bind(0, user).bind_blob(1, device.device.bytes()).bind_blob(2, device.key);
    (*insert)->bind_text(3, device.name).bind(4, now);
    auto done = (*insert)->run();
    if (!done) return fail(done);
    return db.last_insert_id();
}

Result<void> add_refresh(Connection& db, const Hash& hash, const Uuid& session, Millis now)
{
    auto insert = Query::prepare(db, insert_refresh);
    if (!insert) return fail(insert);
    (*insert)->bind_blob(0, as_view(hash)).bind_blob(1, session.bytes()).bind(2, now);
    return (*insert)->run();
}

// For statements whose one parameter beside a number is an id.
Result<void> run_with(Connection& db, const char* sql, std::string_view id,
                      std::optional<std::int64_t> value = {})
{
    auto query = Query::prepare(db, sql);
    if (!query) return fail(query);
    (*query)->bind_blob(0, id);
    if (value) (*query)->bind(1, *value);
    return (*query)->run();
}

}  // namespace

std::string_view to_text(AccountRole role)
{
    return roles[static_cast<std::size_t>(role)].text;
}

std::optional<AccountRole> account_role_from(std::string_view text)
{
    for (const auto& named : roles)
        if (named.text == text) return named.role;
    return {};
}

Result<std::int64_t> create_user(Connection& db, std::string_view localpart,
                                 std::string_view password_hash, AccountRole role, Millis now)
{
    if (!protocol::is_localpart(localpart)) return refuse(Code::malformed, "/name: not a name");
    auto insert = Query::prepare(db, insert_user);
    if (!insert) return fail(insert);
    (*insert)->bind_text(0, localpart).bind_text(1, password_hash);
    (*insert)->bind_text(2, to_text(role)).bind(3, now);
    auto done = (*insert)->run();
    if (!done) return fail(done);
    if (db.changes() == 0) return refuse(Code::conflict, "/name: is taken");
    return db.last_insert_id();
}

Result<Account> find_user(Connection& db, std::string_view localpart)
{
    auto query = Query::prepare(db, select_user);
    if (!query) return fail(query);
    (*query)->bind_text(0, localpart);
    auto row = (*query)->step();
    if (!row) return fail(row);
    if (!*row) return fail(Code::not_found, "no such user");
    auto role = account_role_from((*query)->text(3));
    if (!role) return fail(Code::internal, "account_user.role is unknown");
    Account account{
        (*query)->integer(0), std::string{(*query)->text(1)}, std::string{(*query)->text(2)}, *role,
        (*query)->integer(4), !(*query)->is_null(5),          !(*query)->is_null(6),          {}};
    if (!(*query)->is_null(7)) account.one_time_until = (*query)->integer(7);
    return account;
}

Result<void> check_login(Connection& db, const Account& account)
{
    auto query = Query::prepare(db, select_login);
    if (!query) return fail(query);
    (*query)->bind(0, account.id).bind_text(1, account.password_hash);
    auto row = (*query)->step();
    if (!row) return fail(row);
    if (!*row) return refuse(Code::unauthenticated, "name or password is wrong");
    return {};
}

Result<void> set_password(Connection& db, std::int64_t user, std::string_view password_hash)
{
    auto query = Query::prepare(db, update_password);
    if (!query) return fail(query);
    (*query)->bind(0, user).bind_text(1, password_hash);
    auto done = (*query)->run();
    if (!done) return done;
    if (db.changes() == 0) return fail(Code::not_found, "no such user");
    return {};
}

Result<bool> has_superadmin(Connection& db)
{
    auto query = Query::prepare(db, select_superadmin);
    if (!query) return fail(query);
    return (*query)->step();
}

Result<void> create_session(Connection& db, const NewSession& session)
{
    auto device = bind_device(db, session.user, session.device, session.now);
    if (!device) return fail(device);
    auto insert = Query::prepare(db, insert_session);
    if (!insert) return fail(insert);
    (*insert)->bind_blob(0, session.id.bytes()).bind(1, session.user).bind(2, *device);
    (*insert)->bind(3, session.now).bind(4, session.expires_at);
    auto done = (*insert)->run();
    if (!done) return done;
    return add_refresh(db, session.refresh_hash, session.id, session.now);
}

Result<SessionInfo> find_session(Connection& db, const Uuid& id, Millis now)
{
    auto query = Query::prepare(db, select_session);
    if (!query) return fail(query);
    (*query)->bind_blob(0, id.bytes()).bind(1, now);
    auto row = (*query)->step();
    if (!row) return fail(row);
    if (!*row) return fail(Code::not_found, "no live session");
    auto role = account_role_from((*query)->text(3));
    if (!role) return fail(Code::internal, "account_user.role is unknown");
    return SessionInfo{uuid_of((*query)->blob(0)),     (*query)->integer(1),
                       std::string{(*query)->text(2)}, *role,
                       uuid_of((*query)->blob(4)),     std::string{(*query)->blob(5)},
                       (*query)->integer(6),           (*query)->integer(7)};
}

Result<void> end_session(Connection& db, const Uuid& id, Millis now)
{
    auto ended = run_with(db, update_session_end, id.bytes(), now);
    if (!ended) return ended;
    return run_with(db, delete_refresh, id.bytes());
}

Result<std::vector<Uuid>> end_sessions_of(Connection& db, std::int64_t user, Millis now)
{
    std::vector<Uuid> ids;
    {
        auto query = Query::prepare(db, select_sessions_of);
        if (!query) return fail(query);
        (*query)->bind(0, user).bind(1, now);
        auto found = session_ids(*query);
        if (!found) return fail(found);
        ids = std::move(*found);
    }
    for (const auto& id : ids) {
        auto ended = end_session(db, id, now);
        if (!ended) return fail(ended);
    }
    return ids;
}

Result<Refreshed> rotate_refresh(Connection& db, const Hash& old_hash, const Hash& new_hash,
                                 Millis now, Millis expires_at)
{
    Uuid session_id;
    bool used = false;
    {
        auto query = Query::prepare(db, select_refresh);
        if (!query) return fail(query);
        (*query)->bind_blob(0, as_view(old_hash));
        auto row = (*query)->step();
        if (!row) return fail(row);
        if (!*row) return Refreshed{};
        session_id = uuid_of((*query)->blob(0));
        used = !(*query)->is_null(1);
    }
    if (used) {
        auto ended = end_session(db, session_id, now);
        if (!ended) return fail(ended);
        return Refreshed{RefreshOutcome::reused, {}, session_id};
    }
    auto session = find_session(db, session_id, now);
    if (!session) {
        if (session.error().code != Code::not_found) return fail(session);
        return Refreshed{};
    }
    auto marked = run_with(db, update_refresh_used, as_view(old_hash), now);
    if (!marked) return fail(marked);
    auto extended = run_with(db, update_session_expiry, session_id.bytes(), expires_at);
    if (!extended) return fail(extended);
    auto added = add_refresh(db, new_hash, session_id, now);
    if (!added) return fail(added);
    session->expires_at = expires_at;
    return Refreshed{RefreshOutcome::rotated, std::move(*session), {}};
}

Result<std::int64_t> sweep_sessions(Connection& db, Millis before, std::int64_t limit)
{
    std::vector<Uuid> ids;
    {
        auto query = Query::prepare(db, select_old_sessions);
        if (!query) return fail(query);
        (*query)->bind(0, before).bind(1, limit);
        auto found = session_ids(*query);
        if (!found) return fail(found);
        ids = std::move(*found);
    }
    for (const auto& id : ids) {
        auto tokens = run_with(db, delete_refresh, id.bytes());
        if (!tokens) return fail(tokens);
        auto session = run_with(db, delete_session, id.bytes());
        if (!session) return fail(session);
    }
    return static_cast<std::int64_t>(ids.size());
}

Result<std::int64_t> create_user_by_code(Connection& db, const Hash& code_hash,
                                         std::string_view localpart, std::string_view password_hash,
                                         Millis now)
{
    {
        auto query = Query::prepare(db, select_code);
        if (!query) return fail(query);
        (*query)->bind_blob(0, as_view(code_hash));
        auto row = (*query)->step();
        if (!row) return fail(row);
        if (!*row || (*query)->integer(0) <= 0 || (*query)->integer(1) <= now)
            return refuse(Code::forbidden, "/code: not valid");
    }
    auto user = create_user(db, localpart, password_hash, AccountRole::user, now);
    if (!user) return user;
    auto spent = run_with(db, update_code, as_view(code_hash));
    if (!spent) return fail(spent);
    return user;
}

Result<std::string> find_or_store_secret(Connection& db, std::string_view name,
                                         std::string_view fresh)
{
    {
        auto query = Query::prepare(db, select_secret);
        if (!query) return fail(query);
        (*query)->bind_text(0, name);
        auto row = (*query)->step();
        if (!row) return fail(row);
        if (*row) return std::string{(*query)->blob(0)};
    }
    auto insert = Query::prepare(db, insert_secret);
    if (!insert) return fail(insert);
    (*insert)->bind_text(0, name).bind_blob(1, fresh);
    auto done = (*insert)->run();
    if (!done) return fail(done);
    return std::string{fresh};
}

}  // namespace entente::storage
