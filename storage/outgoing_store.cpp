#include "storage/outgoing_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::ChannelId;
using protocol::Hash;
using protocol::ServerName;
using protocol::Uuid;

constexpr char upsert_start[] =
    "INSERT INTO cursor (channel, server, seq, floor, until) VALUES (?, ?, ?, ?, 0) "
    "ON CONFLICT (channel, server) DO UPDATE SET seq = excluded.seq, floor = excluded.floor, until "
    "= 0";
constexpr char update_seq[] = "UPDATE cursor SET seq = ? WHERE channel = ? AND server = ?";
constexpr char upsert_note[] =
    "INSERT INTO cursor (channel, server, seq, floor, until) VALUES (?, ?, ?, 0, 0) "
    "ON CONFLICT (channel, server) DO UPDATE SET seq = excluded.seq, "
    "until = CASE WHEN until <= excluded.seq THEN 0 ELSE until END WHERE seq < excluded.seq";
constexpr char update_until[] = "UPDATE cursor SET until = ? WHERE channel = ? AND server = ?";
constexpr char update_continued[] =
    "UPDATE cursor SET seq = max(seq, ?), until = 0 WHERE channel = ? AND server = ?";
constexpr char select_floor[] =
    "SELECT coalesce(min(max(sees_after, 0)), 0) FROM member WHERE channel = ? AND standing <= 2 "
    "AND substr(user, -length(?)) = ?";
constexpr char delete_cursor[] = "DELETE FROM cursor WHERE channel = ? AND server = ?";
constexpr char select_cursor[] =
    "SELECT s.name, k.seq, k.floor, k.until FROM cursor k JOIN server s ON s.id = k.server "
    "WHERE k.channel = ? AND s.name = ?";
constexpr char select_cursors[] =
    "SELECT s.name, k.seq, k.floor, k.until FROM cursor k JOIN server s ON s.id = k.server "
    "WHERE k.channel = ? ORDER BY s.name";
#define SELECT_OWED                                                                             \
    "SELECT k.channel, k.seq, k.floor, k.until FROM cursor k JOIN server s ON s.id = k.server " \
    "JOIN channel c ON c.id = k.channel JOIN server o ON o.id = c.home "                        \
    "JOIN head h ON h.channel = c.id "                                                          \
    "WHERE s.name = ? AND (o.name = ? OR k.until > 0) "                                         \
    "AND k.seq < CASE WHEN k.until > 0 THEN k.until ELSE h.seq END "
constexpr char select_owed[] = SELECT_OWED "ORDER BY k.channel";
constexpr char select_owed_of[] = SELECT_OWED "AND k.channel = ?";
#undef SELECT_OWED
constexpr char select_owed_servers[] =
    "SELECT s.name FROM server s WHERE "
    "EXISTS (SELECT 1 FROM submission b WHERE b.home = s.id AND b.seq = 0 AND b.problem = '') "
    "OR EXISTS (SELECT 1 FROM direct_out d WHERE d.server = s.id) "
    "OR EXISTS (SELECT 1 FROM cursor k JOIN channel c ON c.id = k.channel JOIN server o ON o.id = "
    "c.home "
    "JOIN head h ON h.channel = c.id WHERE k.server = s.id AND (o.name = ? OR k.until > 0) "
    "AND k.seq < CASE WHEN k.until > 0 THEN k.until ELSE h.seq END)";

constexpr char select_followings[] =
    "SELECT s.name, c.name FROM cursor k JOIN channel c ON c.id = k.channel "
    "JOIN server o ON o.id = c.home JOIN server s ON s.id = k.server "
    "WHERE o.name = ? AND (? = '' OR s.name = ?) ORDER BY k.server, k.channel";

constexpr char insert_submission[] =
    "INSERT INTO submission (channel, home, user, txn, event_id, type, event, content, at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
#define SUBMISSION_COLUMNS                                                                    \
    "SELECT b.id, b.channel, s.name, b.user, b.txn, b.event_id, b.type, b.event, b.content, " \
    "b.at, b.seq, b.problem "                                                                 \
    "FROM submission b JOIN server s ON s.id = b.home "
constexpr char select_by_txn[] = SUBMISSION_COLUMNS "WHERE b.channel = ? AND b.txn = ?";
constexpr char select_by_event[] = SUBMISSION_COLUMNS "WHERE b.event_id = ?";
constexpr char select_unsent[] = SUBMISSION_COLUMNS
    "WHERE s.name = ? AND b.id > ? AND b.seq = 0 AND b.problem = '' ORDER BY b.id LIMIT ?";
constexpr char select_unsent_of[] = SUBMISSION_COLUMNS
    "WHERE s.name = ? AND b.channel = ? AND b.id > ? AND b.seq = 0 AND b.problem = '' "
    "ORDER BY b.id LIMIT ?";
#undef SUBMISSION_COLUMNS
constexpr char select_any[] = "SELECT 1 FROM submission WHERE channel = ? LIMIT 1";
constexpr char update_reopened[] =
    "UPDATE submission SET seq = 0 WHERE channel = ? AND seq > ? AND seq <= ? AND problem = ''";
constexpr char update_home[] =
    "UPDATE submission SET home = ? WHERE channel = ? AND home <> ? AND problem = ''";
constexpr char select_count[] =
    "SELECT count(*) FROM submission WHERE home = ? AND user = ? AND seq = 0 AND problem = ''";
// One that was accepted and lies behind the floor of the log here is over: it doesn't come back.
constexpr char select_join[] =
    "SELECT 1 FROM submission b WHERE b.channel = ? AND b.type = 'member.join' "
    "AND b.problem = '' AND NOT EXISTS (SELECT 1 FROM channel c "
    "WHERE c.name = b.channel AND b.seq > 0 AND b.seq <= c.floor) LIMIT 1";
constexpr char select_unsent_join[] =
    "SELECT 1 FROM submission WHERE channel = ? AND type = 'member.join' AND seq = 0 "
    "AND problem = '' LIMIT 1";
constexpr char select_join_at[] =
    "SELECT 1 FROM submission b JOIN server s ON s.id = b.home "
    "WHERE b.channel = ? AND s.name = ? AND b.type = 'member.join' AND b.problem = '' "
    "AND NOT EXISTS (SELECT 1 FROM channel c "
    "WHERE c.name = b.channel AND b.seq > 0 AND b.seq <= c.floor) LIMIT 1";
constexpr char update_accepted[] = "UPDATE submission SET seq = ? WHERE id = ?";
constexpr char update_rejected[] = "UPDATE submission SET problem = ?, content = '' WHERE id = ?";
constexpr char delete_submission[] = "DELETE FROM submission WHERE channel = ? AND txn = ?";
constexpr char delete_up_to[] = "DELETE FROM submission WHERE channel = ? AND seq > 0 AND seq <= ?";
// Rejected ones, and joins behind the floor, which never come back in the log.
constexpr char delete_over[] =
    "DELETE FROM submission WHERE at < ? AND (problem <> '' OR (type = 'member.join' AND seq > 0 "
    "AND EXISTS (SELECT 1 FROM channel c WHERE c.name = submission.channel AND submission.seq <= "
    "c.floor)))";
#define OVERDUE_ROWS                                          \
    "SELECT b.channel, s.name, b.user, b.event_id, b.at "     \
    "FROM submission b JOIN server s ON s.id = b.home WHERE " \
    "b.seq = 0 AND b.problem = '' AND b.at <= ? "
constexpr char select_untold[] = OVERDUE_ROWS "AND b.told = 0 ORDER BY b.at, b.id LIMIT ?";
constexpr char select_overdue_of[] = OVERDUE_ROWS "AND b.user = ? ORDER BY b.at, b.id LIMIT ?";
#undef OVERDUE_ROWS
constexpr char update_told[] =
    "UPDATE submission SET told = 1 WHERE id IN (SELECT id FROM submission "
    "WHERE seq = 0 AND problem = '' AND at <= ? AND told = 0 ORDER BY at, id LIMIT ?)";

constexpr char insert_direct[] =
    "INSERT INTO direct_out (server, event, content, at) VALUES (?, ?, ?, ?)";
constexpr char insert_users_direct[] =
    "INSERT INTO direct_out (server, event, content, at, sender, type, note) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr char delete_users_direct[] =
    "DELETE FROM direct_out WHERE sender = ? AND server = ? AND type = ? AND sender <> ''";
constexpr char select_users_direct_count[] =
    "SELECT count(*) FROM direct_out WHERE sender = ? AND server = ? AND type = ? AND sender <> ''";
constexpr char select_direct[] =
    "SELECT d.id, d.event, d.content, d.sender, d.type, d.note, d.at "
    "FROM direct_out d JOIN server s ON s.id = d.server "
    "WHERE s.name = ? AND d.id > ? ORDER BY d.id LIMIT ?";
constexpr char delete_direct[] = "DELETE FROM direct_out WHERE id = ?";

CursorRow read_cursor(Statement& row)
{
    return {ServerName::trusted(std::string(row.text(0))), row.integer(1), row.integer(2),
            row.integer(3)};
}

OwedLog read_owed(Statement& row)
{
    return {row.integer(0), row.integer(1), row.integer(2), row.integer(3)};
}

SubmissionRow read_submission(Statement& row)
{
    SubmissionRow submission;
    submission.id = row.integer(0);
    submission.channel = ChannelId::trusted(std::string(row.text(1)));
    submission.home = ServerName::trusted(std::string(row.text(2)));
    submission.user = row.text(3);
    submission.txn = uuid_from(row.blob(4));
    submission.event_id = hash_from(row.blob(5));
    submission.type = row.text(6);
    submission.event = row.text(7);
    submission.content = row.text(8);
    submission.at = row.integer(9);
    submission.seq = row.integer(10);
    submission.problem = row.text(11);
    return submission;
}

OverdueRow read_overdue(Statement& row)
{
    return {ChannelId::trusted(std::string(row.text(0))),
            ServerName::trusted(std::string(row.text(1))), std::string(row.text(2)),
            hash_from(row.blob(3)), row.integer(4)};
}

}  // namespace

Result<void> start_cursor(Connection& db, std::int64_t channel, std::int64_t server_id,
                          std::int64_t floor)
{
    return run(db, upsert_start, channel, server_id, floor, floor);
}

Result<void> set_cursor(Connection& db, std::int64_t channel, std::int64_t server_id,
                        std::int64_t seq)
{
    return run(db, update_seq, seq, channel, server_id);
}

Result<void> note_cursor(Connection& db, std::int64_t channel, std::int64_t server_id,
                         std::int64_t seq)
{
    return run(db, upsert_note, channel, server_id, seq);
}

Result<void> end_cursor(Connection& db, std::int64_t channel, std::int64_t server_id,
                        std::int64_t until)
{
    return run(db, update_until, until, channel, server_id);
}

Result<void> continue_cursor(Connection& db, std::int64_t channel, std::int64_t server_id,
                             std::int64_t seq)
{
    return run(db, update_continued, seq, channel, server_id);
}

Result<std::int64_t> floor_by_members(Connection& db, std::int64_t channel,
                                      const ServerName& server)
{
    const auto of_server = "@" + server.str();
    auto floor = one_row(
        db, select_floor, [](Statement& row) { return row.integer(0); }, channel, of_server,
        of_server);
    if (!floor) return fail(floor);
    return floor->value_or(0);
}

Result<void> drop_cursor(Connection& db, std::int64_t channel, std::int64_t server_id)
{
    return run(db, delete_cursor, channel, server_id);
}

Result<std::optional<CursorRow>> find_cursor(Connection& db, std::int64_t channel,
                                             const ServerName& server)
{
    return one_row(db, select_cursor, read_cursor, channel, server.str());
}

Result<std::vector<CursorRow>> cursors_of(Connection& db, std::int64_t channel)
{
    return all_rows(db, select_cursors, read_cursor, channel);
}

Result<std::vector<OwedLog>> owed_logs(Connection& db, const ServerName& self,
                                       const ServerName& server)
{
    return all_rows(db, select_owed, read_owed, server.str(), self.str());
}

Result<std::vector<OwedLog>> owed_logs(Connection& db, const ServerName& self,
                                       const ServerName& server,
                                       const std::set<std::int64_t>& channels)
{
    std::vector<OwedLog> owed;
    for (const auto channel : channels) {
        auto log = one_row(db, select_owed_of, read_owed, server.str(), self.str(), channel);
        if (!log) return fail(log);
        if (*log) owed.push_back(**log);
    }
    return owed;
}

Result<std::vector<Following>> followings(Connection& db, const ServerName& self,
                                          std::string_view server)
{
    const auto read = [](Statement& row) {
        return Following{ServerName::trusted(std::string(row.text(0))),
                         ChannelId::trusted(std::string(row.text(1)))};
    };
    return all_rows(db, select_followings, read, self.str(), server, server);
}

Result<std::vector<ServerName>> owed_servers(Connection& db, const ServerName& self)
{
    const auto read = [](Statement& row) { return ServerName::trusted(std::string(row.text(0))); };
    return all_rows(db, select_owed_servers, read, self.str());
}

Result<void> put_submission(Connection& db, const SubmissionRow& row, std::int64_t home_id)
{
    return run(db, insert_submission, row.channel.str(), home_id, row.user, Blob{row.txn.bytes()},
               Blob{protocol::as_view(row.event_id)}, row.type, row.event, row.content, row.at);
}

Result<std::optional<SubmissionRow>> find_submission(Connection& db, const ChannelId& channel,
                                                     const Uuid& txn)
{
    return one_row(db, select_by_txn, read_submission, channel.str(), Blob{txn.bytes()});
}

Result<std::optional<SubmissionRow>> find_submission(Connection& db, const Hash& event_id)
{
    return one_row(db, select_by_event, read_submission, Blob{protocol::as_view(event_id)});
}

Result<std::vector<SubmissionRow>> unsent_submissions(Connection& db, const ServerName& home,
                                                      std::int64_t after, std::size_t limit)
{
    return all_rows(db, select_unsent, read_submission, home.str(), after, limit);
}

Result<std::vector<SubmissionRow>> unsent_submissions(Connection& db, const ServerName& home,
                                                      const ChannelId& channel, std::int64_t after,
                                                      std::size_t limit)
{
    return all_rows(db, select_unsent_of, read_submission, home.str(), channel.str(), after, limit);
}

Result<bool> has_submissions(Connection& db, const ChannelId& channel)
{
    return has_row(db, select_any, channel.str());
}

Result<bool> hand_on_submissions(Connection& db, const ChannelId& channel, std::int64_t home_id)
{
    const auto before = db.written();
    auto done = run(db, update_home, home_id, channel.str(), home_id);
    if (!done) return fail(done);
    return db.written() > before;
}

Result<bool> reopen_submissions(Connection& db, const ChannelId& channel, std::int64_t floor,
                                std::int64_t seq)
{
    const auto before = db.written();
    auto done = run(db, update_reopened, channel.str(), floor, seq);
    if (!done) return fail(done);
    return db.written() > before;
}

Result<std::int64_t> count_unsent(Connection& db, std::string_view user, std::int64_t home_id)
{
    auto count =
        one_row(db, select_count, [](Statement& row) { return row.integer(0); }, home_id, user);
    if (!count) return fail(count);
    return count->value_or(0);
}

Result<bool> has_open_join(Connection& db, const ChannelId& channel)
{
    return has_row(db, select_join, channel.str());
}

Result<bool> has_unsent_join(Connection& db, const ChannelId& channel)
{
    return has_row(db, select_unsent_join, channel.str());
}

Result<bool> has_open_join(Connection& db, const ChannelId& channel, const ServerName& home)
{
    return has_row(db, select_join_at, channel.str(), home.str());
}

Result<void> accept_submission(Connection& db, std::int64_t id, std::int64_t seq)
{
    return run(db, update_accepted, seq, id);
}

Result<void> reject_submission(Connection& db, std::int64_t id, std::string_view problem)
{
    db.erase_traces();
    return run(db, update_rejected, problem, id);
}

Result<void> settle_submission(Connection& db, const ChannelId& channel, const Uuid& txn)
{
    return run(db, delete_submission, channel.str(), Blob{txn.bytes()});
}

Result<void> settle_submissions_up_to(Connection& db, const ChannelId& channel, std::int64_t seq)
{
    return run(db, delete_up_to, channel.str(), seq);
}

Result<std::vector<OverdueRow>> take_untold_overdue(Connection& db, protocol::Millis before,
                                                    std::size_t limit)
{
    auto rows = all_rows(db, select_untold, read_overdue, before, limit);
    if (!rows || rows->empty()) return rows;
    auto told = run(db, update_told, before, limit);
    if (!told) return fail(told);
    return rows;
}

Result<std::vector<OverdueRow>> overdue_of(Connection& db, std::string_view user,
                                           protocol::Millis before, std::size_t limit)
{
    return all_rows(db, select_overdue_of, read_overdue, before, user, limit);
}

Result<void> drop_over_before(Connection& db, protocol::Millis at)
{
    return run(db, delete_over, at);
}

Result<void> put_direct(Connection& db, std::int64_t server_id, std::string_view event,
                        std::string_view content, protocol::Millis at)
{
    return run(db, insert_direct, server_id, event, content, at);
}

Result<void> put_users_direct(Connection& db, std::int64_t server_id, const DirectRow& row,
                              protocol::Millis at)
{
    return run(db, insert_users_direct, server_id, row.event, row.content, at, row.sender, row.type,
               row.note);
}

Result<void> replace_users_direct(Connection& db, std::int64_t server_id, const DirectRow& row,
                                  protocol::Millis at)
{
    auto gone = run(db, delete_users_direct, row.sender, server_id, row.type);
    if (!gone) return gone;
    return put_users_direct(db, server_id, row, at);
}

Result<std::int64_t> count_users_direct(Connection& db, std::string_view user,
                                        std::int64_t server_id, std::string_view type)
{
    auto count = one_row(
        db, select_users_direct_count, [](Statement& row) { return row.integer(0); }, user,
        server_id, type);
    if (!count) return fail(count);
    return count->value_or(0);
}

Result<std::vector<DirectRow>> outgoing_direct(Connection& db, const ServerName& server,
                                               std::int64_t after, std::size_t limit)
{
    const auto read = [](Statement& row) {
        return DirectRow{row.integer(0),
                         std::string(row.text(1)),
                         std::string(row.text(2)),
                         std::string(row.text(3)),
                         std::string(row.text(4)),
                         std::string(row.text(5)),
                         row.integer(6)};
    };
    return all_rows(db, select_direct, read, server.str(), after, limit);
}

Result<void> drop_direct(Connection& db, std::int64_t id)
{
    return run(db, delete_direct, id);
}

}  // namespace entente::storage
