#include "storage/audit_store.hpp"

#include <algorithm>
#include <optional>

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char insert_entry[] =
    "INSERT INTO audit (seq, at, actor, act, object, details, previous, hash) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char select_last[] =
    "SELECT seq, at, actor, act, object, details, previous, hash FROM audit "
    "ORDER BY seq DESC LIMIT 1";
constexpr char select_between[] =
    "SELECT seq, at, actor, act, object, details, previous, hash FROM audit "
    "WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?";
constexpr char select_before[] =
    "SELECT seq, at, actor, act, object, details, previous, hash FROM audit "
    "WHERE seq < ? ORDER BY seq DESC LIMIT ?";

trust::AuditEntry read_entry(Statement& row)
{
    return {row.integer(0),           row.integer(1),           std::string(row.text(2)),
            std::string(row.text(3)), std::string(row.text(4)), std::string(row.text(5)),
            std::string(row.text(6)), std::string(row.text(7))};
}

}  // namespace

Result<trust::AuditEntry> append_audit(Connection& db, const protocol::ServerName& server,
                                       protocol::Millis now, const AuditRecord& record)
{
    auto last = one_row(db, select_last, read_entry);
    if (!last) return fail(last);
    const auto before = last->value_or(trust::AuditEntry{});
    trust::AuditEntry entry{before.seq + 1, std::max(now, before.at), record.actor, record.act,
                            record.object,  record.details,           before.hash,  {}};
    if (auto fits = trust::check_audit_entry(entry); !fits)
        return fail(Code::internal, "an audit entry: " + fits.error().detail);
    entry.hash = trust::audit_hash(server, entry);
    auto put = run(db, insert_entry, entry.seq, entry.at, entry.actor, entry.act, entry.object,
                   entry.details, entry.previous, entry.hash);
    if (!put) return fail(put);
    return entry;
}

Result<std::vector<trust::AuditEntry>> audit_between(Connection& db, std::int64_t after,
                                                     std::int64_t through, std::size_t limit)
{
    return all_rows(db, select_between, read_entry, after, through, limit);
}

Result<std::vector<trust::AuditEntry>> audit_before(Connection& db, std::int64_t before,
                                                    std::size_t limit)
{
    return all_rows(db, select_before, read_entry, before, limit);
}

Result<trust::AuditHead> audit_head(Connection& db)
{
    auto last = one_row(db, select_last, read_entry);
    if (!last) return fail(last);
    if (!*last) return trust::AuditHead{};
    return trust::AuditHead{(*last)->seq, (*last)->hash};
}

}  // namespace entente::storage
