#include "storage/report_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char select_report_count[] = "SELECT count(*) FROM report WHERE origin = ?";
constexpr char insert_report[] =
    "INSERT INTO report (origin, sender, user, channel, event, reason, at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr char select_reports[] =
    "SELECT id, origin, sender, user, channel, event, reason, at FROM report "
    "WHERE id > ? ORDER BY id LIMIT ?";
constexpr char delete_report[] = "DELETE FROM report WHERE id = ?";

}  // namespace

Result<void> put_report(Connection& db, const ReportRow& row)
{
    auto count =
        one_row(db, select_report_count, [](Statement& one) { return one.integer(0); }, row.origin);
    if (!count) return fail(count);
    if (count->value_or(0) >= max_reports)
        return refuse(Code::forbidden, "too many reports are open");
    return run(db, insert_report, row.origin, row.sender, row.user, row.channel, row.event,
               row.reason, row.at);
}

Result<std::vector<ReportRow>> reports_after(Connection& db, std::int64_t after, std::size_t limit)
{
    const auto read = [](Statement& row) {
        return ReportRow{row.integer(0),           std::string(row.text(1)),
                         std::string(row.text(2)), std::string(row.text(3)),
                         std::string(row.text(4)), std::string(row.text(5)),
                         std::string(row.text(6)), row.integer(7)};
    };
    return all_rows(db, select_reports, read, after, limit);
}

Result<void> drop_report(Connection& db, std::int64_t id)
{
    auto gone = run(db, delete_report, id);
    if (!gone) return gone;
    if (db.changes() == 0) return refuse(Code::not_found, "no such report");
    return {};
}

}  // namespace entente::storage
