#include "storage/retention_store.hpp"

#include <string>

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char upsert_retention[] =
    "INSERT INTO retention (channel, relay) VALUES (?, ?) ON CONFLICT (channel) DO UPDATE SET "
    "relay = excluded.relay, due = CASE WHEN due < 0 THEN due - 1 ELSE -1 END";
constexpr char delete_retention[] = "DELETE FROM retention WHERE channel = ?";
constexpr char select_due[] =
    "SELECT channel, done, due FROM retention WHERE due <= ? ORDER BY due LIMIT ?";
constexpr char update_seen[] =
    "UPDATE retention SET done = ?, due = ? WHERE channel = ? AND due = ?";
constexpr char update_hurry[] =
    "UPDATE retention SET due = CASE WHEN due < 0 THEN due - 1 ELSE -1 END WHERE channel = ?";
constexpr char select_relay[] =
    "SELECT r.channel FROM retention r JOIN channel c ON c.id = r.channel WHERE c.name = ? AND "
    "r.relay = 1";
constexpr char upsert_device[] =
    "INSERT INTO device_cursor (channel, device, seq) "
    "SELECT h.channel, d.id, CASE WHEN h.seq < ? THEN h.seq ELSE ? END FROM head h "
    "JOIN member m ON m.channel = h.channel AND m.user = ? AND m.standing <= 2 "
    "JOIN account_user u ON u.localpart = ? JOIN account_device d ON d.user = u.id AND d.device = "
    "? "
    "WHERE h.channel = ? "
    "ON CONFLICT (channel, device) DO UPDATE SET seq = excluded.seq WHERE seq < excluded.seq";
constexpr char select_slowest[] =
    "SELECT min(CASE WHEN m.sees_after > coalesce(k.seq, 0) THEN m.sees_after ELSE "
    "coalesce(k.seq, 0) END) FROM member m "
    "JOIN account_user u ON u.localpart = substr(m.user, 1, length(m.user) - ?) "
    "JOIN account_device d ON d.user = u.id AND d.revoked_at IS NULL "
    "LEFT JOIN device_cursor k ON k.channel = m.channel AND k.device = d.id "
    "WHERE m.channel = ? AND m.standing <= 2 AND u.suspended_at IS NULL AND u.banned_at IS NULL "
    "AND "
    "m.user = u.localpart || ?";

}  // namespace

Result<void> set_retention(Connection& db, std::int64_t channel, std::string_view retention)
{
    if (retention == "keep") return run(db, delete_retention, channel);
    return run(db, upsert_retention, channel, retention == "relay" ? 1 : 0);
}

Result<std::vector<RetainedChannel>> due_channels(Connection& db, protocol::Millis now,
                                                  std::size_t limit)
{
    const auto read = [](Statement& row) {
        return RetainedChannel{row.integer(0), row.integer(1), row.integer(2)};
    };
    return all_rows(db, select_due, read, now, limit);
}

Result<void> set_seen_to(Connection& db, const RetainedChannel& before, std::int64_t done,
                         protocol::Millis due)
{
    return run(db, update_seen, done, due, before.channel, before.due);
}

Result<void> hurry_retention(Connection& db, std::int64_t channel)
{
    return run(db, update_hurry, channel);
}

Result<std::optional<std::int64_t>> find_relay(Connection& db, const protocol::ChannelId& channel)
{
    return one_row(db, select_relay, [](Statement& row) { return row.integer(0); }, channel.str());
}

Result<void> note_device(Connection& db, std::int64_t channel, const protocol::UserId& user,
                         const protocol::Uuid& device, std::int64_t seq)
{
    return run(db, upsert_device, seq, seq, user.str(), protocol::localpart_of(user),
               Blob{device.bytes()}, channel);
}

Result<std::optional<std::int64_t>> slowest_device(Connection& db, std::int64_t channel,
                                                   const protocol::ServerName& self)
{
    const std::string suffix = "@" + self.str();
    using Slowest = std::optional<std::int64_t>;
    const auto read = [](Statement& row) {
        return row.is_null(0) ? Slowest{} : Slowest{row.integer(0)};
    };
    auto found = one_row(db, select_slowest, read, suffix.size(), channel, suffix);
    if (!found) return fail(found);
    return found->value_or(Slowest{});
}

}  // namespace entente::storage
