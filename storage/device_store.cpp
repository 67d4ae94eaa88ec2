#include "storage/device_store.hpp"

#include <algorithm>
#include <map>

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::Millis;
using protocol::Uuid;

constexpr std::int64_t forget_interval = 64;

constexpr char select_profile[] = "SELECT name, avatar FROM account_user WHERE id = ?";
constexpr char update_profile[] = "UPDATE account_user SET name = ?, avatar = ? WHERE id = ?";
constexpr char select_devices[] =
    "SELECT d.id, d.device, d.key, d.name, d.created_at, coalesce(k.keys, '') "
    "FROM account_device d LEFT JOIN device_keys k ON k.device = d.id "
    "WHERE d.user = ? AND d.revoked_at IS NULL ORDER BY d.id";
constexpr char select_live_device[] =
    "SELECT d.id FROM account_device d JOIN account_user u ON u.id = d.user "
    "WHERE u.localpart = ? AND d.device = ? AND d.revoked_at IS NULL AND u.suspended_at IS NULL "
    "AND u.banned_at IS NULL";
constexpr char select_own_device[] =
    "SELECT id FROM account_device WHERE user = ? AND device = ? AND revoked_at IS NULL";
constexpr char update_name[] = "UPDATE account_device SET name = ? WHERE id = ?";
constexpr char update_revoked[] = "UPDATE account_device SET revoked_at = ? WHERE id = ?";
constexpr char select_sessions[] =
    "SELECT id FROM account_session WHERE user = ? AND device = ? AND ended_at IS NULL";
constexpr char update_session[] = "UPDATE account_session SET ended_at = ? WHERE id = ?";
constexpr char delete_refresh_of[] = "DELETE FROM account_refresh WHERE session = ?";
constexpr char delete_published[] = "DELETE FROM device_keys WHERE device = ?";
constexpr char delete_keys[] = "DELETE FROM one_time_key WHERE device = ?";
constexpr char delete_kinds[] = "DELETE FROM key_kind WHERE device = ?";
constexpr char delete_messages[] = "DELETE FROM device_message WHERE device = ?";
constexpr char delete_mailbox[] = "DELETE FROM mailbox WHERE device = ?";

constexpr char upsert_published[] =
    "INSERT INTO device_keys (device, keys) VALUES (?, ?) "
    "ON CONFLICT (device) DO UPDATE SET keys = excluded.keys";
constexpr char select_kinds[] =
    "SELECT k.kind, k.highest, (SELECT count(*) FROM one_time_key o WHERE o.device = k.device AND "
    "o.kind = k.kind), k.fallback <> '' FROM key_kind k WHERE k.device = ? ORDER BY k.kind";
constexpr char upsert_kind[] =
    "INSERT INTO key_kind (device, kind, highest) VALUES (?, ?, ?) "
    "ON CONFLICT (device, kind) DO UPDATE SET highest = max(highest, excluded.highest)";
constexpr char upsert_fallback[] =
    "INSERT INTO key_kind (device, kind, fallback) VALUES (?, ?, ?) "
    "ON CONFLICT (device, kind) DO UPDATE SET fallback = excluded.fallback";
constexpr char insert_key[] =
    "INSERT INTO one_time_key (device, kind, number, key) VALUES (?, ?, ?, ?)";
constexpr char select_key[] =
    "SELECT number, key FROM one_time_key WHERE device = ? AND kind = ? ORDER BY number LIMIT 1";
constexpr char delete_key[] =
    "DELETE FROM one_time_key WHERE device = ? AND kind = ? AND number = ?";
constexpr char select_left[] = "SELECT count(*) FROM one_time_key WHERE device = ? AND kind = ?";
constexpr char select_fallback[] =
    "SELECT fallback FROM key_kind WHERE device = ? AND kind = ? AND fallback <> ''";

constexpr char select_answer[] =
    "SELECT claims, answer FROM claim_answer WHERE asker = ? AND txn = ?";
constexpr char insert_answer[] =
    "INSERT INTO claim_answer (asker, txn, claims, answer, at) VALUES (?, ?, ?, ?, ?)";
constexpr char delete_oldest[] =
    "DELETE FROM claim_answer WHERE asker = ? AND id <= "
    "(SELECT id FROM claim_answer WHERE asker = ? ORDER BY id DESC LIMIT 1 OFFSET ?)";
constexpr char delete_answers[] = "DELETE FROM claim_answer WHERE at < ?";

struct KindRow {
    std::string kind;
    std::int64_t highest = 0;
    std::int64_t left = 0;
    bool has_fallback = false;
};

Result<std::vector<KindRow>> kinds_of(Connection& db, std::int64_t device)
{
    const auto read = [](Statement& row) {
        return KindRow{std::string(row.text(0)), row.integer(1), row.integer(2),
                       row.integer(3) != 0};
    };
    return all_rows(db, select_kinds, read, device);
}

Result<std::optional<std::int64_t>> own_device(Connection& db, std::int64_t user,
                                               const Uuid& device)
{
    return one_row(
        db, select_own_device, [](Statement& row) { return row.integer(0); }, user,
        Blob{device.bytes()});
}

// The upload without what has been here, in the order of the numbers. `too_large` where what
// is left is more than may wait.
Result<std::vector<OneTimeKey>> new_keys(const KeyUpload& upload, const std::vector<KindRow>& known)
{
    struct Stand {
        std::int64_t highest = 0;
        std::size_t left = 0;
    };
    std::map<std::string, Stand> kinds;
    for (const auto& row : known)
        kinds[row.kind] = {row.highest, static_cast<std::size_t>(row.left)};
    auto sorted = upload.one_time;
    std::sort(sorted.begin(), sorted.end(),
              [](const auto& left, const auto& right) { return left.number < right.number; });
    std::vector<OneTimeKey> fresh;
    for (auto& key : sorted) {
        auto& kind = kinds[key.kind];
        if (key.number <= kind.highest) continue;
        kind.highest = key.number;
        if (++kind.left > max_keys_of_a_kind)
            return refuse(Code::too_large, "/one_time: more than 200 of a kind would wait");
        fresh.push_back(std::move(key));
    }
    for (const auto& fallback : upload.fallback) kinds.try_emplace(fallback.kind);
    if (kinds.size() > max_key_kinds)
        return refuse(Code::too_large, "a device has at most 8 kinds of keys");
    return fresh;
}

}  // namespace

Result<Profile> profile_of(Connection& db, std::int64_t user)
{
    const auto read = [](Statement& row) {
        return Profile{std::string(row.text(0)), std::string(row.text(1))};
    };
    auto profile = one_row(db, select_profile, read, user);
    if (!profile) return fail(profile);
    if (!*profile) return fail(Code::not_found, "no such user");
    return std::move(**profile);
}

Result<void> set_profile(Connection& db, std::int64_t user, const Profile& profile)
{
    return run(db, update_profile, profile.name, profile.avatar, user);
}

Result<std::vector<DeviceRow>> devices_of(Connection& db, std::int64_t user)
{
    const auto read = [](Statement& row) {
        return DeviceRow{row.integer(0),           uuid_from(row.blob(1)),
                         std::string(row.blob(2)), std::string(row.text(3)),
                         row.integer(4),           std::string(row.text(5))};
    };
    return all_rows(db, select_devices, read, user);
}

Result<std::optional<std::int64_t>> find_device(Connection& db, std::string_view localpart,
                                                const Uuid& device)
{
    return one_row(
        db, select_live_device, [](Statement& row) { return row.integer(0); }, localpart,
        Blob{device.bytes()});
}

Result<void> rename_device(Connection& db, std::int64_t user, const Uuid& device,
                           std::string_view name)
{
    auto row = own_device(db, user, device);
    if (!row) return fail(row);
    if (!*row) return refuse(Code::not_found, "no such device");
    return run(db, update_name, name, **row);
}

Result<std::vector<Uuid>> revoke_device(Connection& db, std::int64_t user, const Uuid& device,
                                        Millis now)
{
    auto row = own_device(db, user, device);
    if (!row) return fail(row);
    if (!*row) return refuse(Code::not_found, "no such device");
    auto sessions = all_rows(
        db, select_sessions, [](Statement& one) { return uuid_from(one.blob(0)); }, user, **row);
    if (!sessions) return fail(sessions);
    if (auto done = run(db, update_revoked, now, **row); !done) return fail(done);
    for (const auto& session : *sessions) {
        if (auto ended = run(db, update_session, now, Blob{session.bytes()}); !ended)
            return fail(ended);
        if (auto gone = run(db, delete_refresh_of, Blob{session.bytes()}); !gone) return fail(gone);
    }
    for (const auto* sql :
         {delete_published, delete_keys, delete_kinds, delete_messages, delete_mailbox}) {
        if (auto gone = run(db, sql, **row); !gone) return fail(gone);
    }
    return sessions;
}

Result<void> upload_keys(Connection& db, std::int64_t device, KeyUpload upload)
{
    auto kinds = kinds_of(db, device);
    if (!kinds) return fail(kinds);
    auto fresh = new_keys(upload, *kinds);
    if (!fresh) return fail(fresh);
    if (upload.keys) {
        if (auto put = run(db, upsert_published, device, *upload.keys); !put) return put;
    }
    for (const auto& key : *fresh) {
        if (auto put = run(db, insert_key, device, key.kind, key.number, key.key); !put) return put;
        if (auto noted = run(db, upsert_kind, device, key.kind, key.number); !noted) return noted;
    }
    for (const auto& fallback : upload.fallback) {
        if (auto put = run(db, upsert_fallback, device, fallback.kind, fallback.key); !put)
            return put;
    }
    return {};
}

Result<std::vector<KeyCount>> key_counts(Connection& db, std::int64_t device)
{
    auto kinds = kinds_of(db, device);
    if (!kinds) return fail(kinds);
    std::vector<KeyCount> counts;
    for (const auto& row : *kinds) counts.push_back({row.kind, row.left, row.has_fallback});
    return counts;
}

Result<std::optional<TakenKey>> take_key(Connection& db, std::int64_t device, std::string_view kind)
{
    const auto read = [](Statement& row) {
        return OneTimeKey{{}, row.integer(0), std::string(row.text(1))};
    };
    auto next = one_row(db, select_key, read, device, kind);
    if (!next) return fail(next);
    if (!*next) return fallback_key(db, device, kind);
    if (auto gone = run(db, delete_key, device, kind, (*next)->number); !gone) return fail(gone);
    auto left =
        one_row(db, select_left, [](Statement& row) { return row.integer(0); }, device, kind);
    if (!left) return fail(left);
    return std::optional{TakenKey{std::move((*next)->key), false, left->value_or(0)}};
}

Result<std::optional<TakenKey>> fallback_key(Connection& db, std::int64_t device,
                                             std::string_view kind)
{
    const auto read = [](Statement& row) { return TakenKey{std::string(row.text(0)), true, 0}; };
    return one_row(db, select_fallback, read, device, kind);
}

Result<std::optional<ClaimAnswer>> find_claim_answer(Connection& db, std::string_view asker,
                                                     const Uuid& txn)
{
    const auto read = [](Statement& row) {
        return ClaimAnswer{hash_from(row.blob(0)), std::string(row.text(1))};
    };
    return one_row(db, select_answer, read, asker, Blob{txn.bytes()});
}

Result<void> remember_claim_answer(Connection& db, std::string_view asker, const Uuid& txn,
                                   const ClaimAnswer& answer, Millis now)
{
    auto put = run(db, insert_answer, asker, Blob{txn.bytes()},
                   Blob{protocol::as_view(answer.claims)}, answer.answer, now);
    if (!put) return put;
    // Counting through them costs as much as there are: not each time.
    if (db.last_insert_id() % forget_interval != 0) return {};
    return run(db, delete_oldest, asker, asker, max_claim_answers);
}

Result<void> forget_claim_answers_before(Connection& db, Millis at)
{
    return run(db, delete_answers, at);
}

}  // namespace entente::storage
