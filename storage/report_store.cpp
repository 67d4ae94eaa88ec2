#include "storage/report_store.hpp"

#include <optional>

#include "storage/query.hpp"
#include "storage/share.hpp"

namespace entente::storage {

namespace {

constexpr char count_of_user[] =
    "SELECT count(*), count(*) FILTER (WHERE sender = ?) FROM report "
    "WHERE closed_at = 0 AND origin = ?";
constexpr char count_of_server[] =
    "SELECT count(*), count(*) FILTER (WHERE origin = ?) FROM report "
    "WHERE closed_at = 0 AND origin <> ?";
constexpr char count_proven_of_server[] =
    "SELECT count(*), count(*) FILTER (WHERE origin = ?) FROM report "
    "WHERE closed_at = 0 AND proof <> '' AND origin <> ?";
constexpr char insert_report[] =
    "INSERT INTO report (origin, sender, user, channel, event, reason, at, proof) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char select_open_reports[] =
    "SELECT id, origin, sender, user, channel, event, reason, at, verdict, closed_by, closed_at, "
    "sent_at, proof <> '', against FROM report WHERE id > ? AND closed_at = 0 ORDER BY id LIMIT ?";
constexpr char select_closed_reports[] =
    "SELECT id, origin, sender, user, channel, event, reason, at, verdict, closed_by, closed_at, "
    "sent_at, proof <> '', against FROM report WHERE id > ? AND closed_at > 0 ORDER BY id LIMIT ?";
constexpr char select_report[] =
    "SELECT id, origin, sender, user, channel, event, reason, at, verdict, closed_by, closed_at, "
    "sent_at, proof <> '', against FROM report WHERE id = ?";
constexpr char select_proof[] = "SELECT proof FROM report WHERE id = ? AND proof <> ''";
constexpr char update_closed[] =
    "UPDATE report SET verdict = ?, closed_by = ?, closed_at = ? WHERE id = ?";
constexpr char update_sent[] = "UPDATE report SET sent_at = ? WHERE id = ?";
constexpr char delete_old[] =
    "DELETE FROM report WHERE id IN "
    "(SELECT id FROM report WHERE closed_at > 0 AND closed_at < ? LIMIT ?)";

struct Counted {
    std::int64_t all = 0, own = 0;
};

ReportRow read_report(Statement& row)
{
    ReportRow report{row.integer(0),           std::string(row.text(1)),
                     std::string(row.text(2)), std::string(row.text(3)),
                     std::string(row.text(4)), std::string(row.text(5)),
                     std::string(row.text(6)), row.integer(7)};
    report.verdict = row.text(8);
    report.closed_by = row.text(9);
    report.closed_at = row.integer(10);
    report.sent_at = row.integer(11);
    report.is_proven = row.integer(12) != 0;
    report.against = row.text(13);
    return report;
}

}  // namespace

Result<void> put_report(Connection& db, const ReportRow& row, std::string_view self)
{
    const auto check = [&](const char* sql, std::int64_t most, std::int64_t most_of_one,
                           const std::string& one) -> Result<void> {
        const auto read = [](Statement& found) {
            return Counted{found.integer(0), found.integer(1)};
        };
        auto count = one_row(db, sql, read, one, self);
        if (!count) return fail(count);
        const auto open = count->value_or(Counted{});
        if (has_room(most, open.all, most_of_one, open.own)) return {};
        return refuse(Code::forbidden, "too many reports are open");
    };
    auto room = row.origin == self
                    ? check(count_of_user, max_own_reports, max_reports_of_user, row.sender)
                    : check(count_of_server, max_foreign_reports, max_reports, row.origin);
    if (room && !row.proof.empty() && row.origin != self)
        room = check(count_proven_of_server, max_foreign_proven_reports, max_proven_reports,
                     row.origin);
    if (!room) return room;
    return run(db, insert_report, row.origin, row.sender, row.user, row.channel, row.event,
               row.reason, row.at, row.proof);
}

Result<std::vector<ReportRow>> reports_after(Connection& db, std::int64_t after, std::size_t limit,
                                             bool are_closed)
{
    const auto* sql = are_closed ? select_closed_reports : select_open_reports;
    return all_rows(db, sql, read_report, after, limit);
}

Result<ReportRow> find_report(Connection& db, std::int64_t id)
{
    auto found = one_row(db, select_report, read_report, id);
    if (!found) return fail(found);
    if (!*found) return refuse(Code::not_found, "no such report");
    return std::move(**found);
}

Result<std::string> proof_of_report(Connection& db, std::int64_t id)
{
    auto found =
        one_row(db, select_proof, [](Statement& row) { return std::string(row.text(0)); }, id);
    if (!found) return fail(found);
    if (!*found) return refuse(Code::not_found, "no such report, or it came without a proof");
    return std::move(**found);
}

Result<void> close_report(Connection& db, std::int64_t id, const std::string& verdict,
                          const std::string& by, protocol::Millis now)
{
    return run(db, update_closed, verdict, by, now, id);
}

Result<void> note_sent_report(Connection& db, std::int64_t id, protocol::Millis now)
{
    return run(db, update_sent, now, id);
}

Result<void> sweep_reports(Connection& db, protocol::Millis before, std::size_t limit)
{
    return run(db, delete_old, before, limit);
}

}  // namespace entente::storage
