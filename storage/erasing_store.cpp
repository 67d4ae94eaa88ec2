#include "storage/erasing_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char insert_unheld[] = "INSERT INTO unheld_target (channel, event) VALUES (?, ?)";
constexpr char select_unheld[] = "SELECT id FROM unheld_target WHERE channel = ? AND event = ?";
constexpr char insert_edit[] =
    "INSERT INTO edit_of (channel, target, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
constexpr char select_edits[] =
    "SELECT seq FROM edit_of WHERE channel = ? AND target = ? ORDER BY seq LIMIT ?";
constexpr char delete_edits[] = "DELETE FROM edit_of WHERE channel = ? AND target = ? AND seq <= ?";
constexpr char insert_owed[] =
    "INSERT INTO erasure_owed (channel, target, deleted_by) VALUES (?, ?, ?) ON CONFLICT DO "
    "NOTHING";
constexpr char select_owed_erasing[] =
    "SELECT channel, target, deleted_by FROM erasure_owed ORDER BY channel, target LIMIT ?";
constexpr char delete_owed[] = "DELETE FROM erasure_owed WHERE channel = ? AND target = ?";

}  // namespace

Result<std::optional<std::int64_t>> find_unheld_target(Connection& db, std::int64_t channel,
                                                       const protocol::Hash& event)
{
    const auto read = [](Statement& row) { return -row.integer(0); };
    return one_row(db, select_unheld, read, channel, Blob{protocol::as_view(event)});
}

Result<std::int64_t> unheld_target(Connection& db, std::int64_t channel,
                                   const protocol::Hash& event)
{
    auto found = find_unheld_target(db, channel, event);
    if (!found) return fail(found);
    if (*found) return **found;
    auto added = run(db, insert_unheld, channel, Blob{protocol::as_view(event)});
    if (!added) return fail(added);
    return -db.last_insert_id();
}

Result<void> note_edit(Connection& db, std::int64_t channel, std::int64_t target, std::int64_t seq)
{
    return run(db, insert_edit, channel, target, seq);
}

Result<std::vector<std::int64_t>> edits_of(Connection& db, std::int64_t channel,
                                           std::int64_t target, std::size_t limit)
{
    const auto read = [](Statement& row) { return row.integer(0); };
    return all_rows(db, select_edits, read, channel, target, limit);
}

Result<void> forget_edits(Connection& db, std::int64_t channel, std::int64_t target,
                          std::int64_t last)
{
    return run(db, delete_edits, channel, target, last);
}

Result<void> owe_erasure(Connection& db, const OwedErasure& owed)
{
    return run(db, insert_owed, owed.channel, owed.target, owed.deleted_by);
}

Result<std::vector<OwedErasure>> owed_erasures(Connection& db, std::size_t limit)
{
    const auto read = [](Statement& row) {
        return OwedErasure{row.integer(0), row.integer(1), row.integer(2)};
    };
    return all_rows(db, select_owed_erasing, read, limit);
}

Result<void> settle_erasure(Connection& db, const OwedErasure& owed)
{
    return run(db, delete_owed, owed.channel, owed.target);
}

}  // namespace entente::storage
