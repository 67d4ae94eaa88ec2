#include "storage/decision_store.hpp"

#include <algorithm>

#include "storage/query.hpp"
#include "trust/policy/rehearsal.hpp"

namespace entente::storage {

namespace {

constexpr char insert_decision[] = "INSERT INTO decision (at, kind, record) VALUES (?, ?, ?)";
constexpr char count_of_kinds[] =
    "SELECT kind, count(*) FROM decision GROUP BY kind ORDER BY count(*) DESC, kind";
constexpr char delete_oldest_of_kind[] =
    "DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE kind = ? ORDER BY id LIMIT ?)";
constexpr char delete_beyond_age[] = "DELETE FROM decision WHERE at < ?";
constexpr char select_decisions[] =
    "SELECT id, at, record FROM decision WHERE id > ? AND at >= ? ORDER BY id LIMIT ?";

struct Kind {
    std::string name;
    std::int64_t rows = 0;
};

std::string kind_of(const trust::policy::Record& record)
{
    return std::string(trust::policy::row_of(record.action).name) + " " +
           std::string(to_text(record.outcome));
}

// How many of the largest kind are left when `excess` rows have gone, each from what is then the
// largest kind.
std::int64_t level_of(const std::vector<Kind>& kinds, std::int64_t excess)
{
    std::int64_t rows = 0;
    for (std::size_t count = 1; count <= kinds.size(); ++count) {
        rows += kinds[count - 1].rows;
        const auto next = count < kinds.size() ? kinds[count].rows : 0;
        const auto alike = static_cast<std::int64_t>(count);
        if (rows - excess >= next * alike) return (rows - excess) / alike;
    }
    return 0;
}

Result<void> delete_beyond_count(Connection& db)
{
    auto kinds = all_rows(db, count_of_kinds, [](Statement& row) {
        return Kind{std::string(row.text(0)), row.integer(1)};
    });
    if (!kinds) return fail(kinds);
    std::int64_t excess = -max_kept_decisions;
    for (const auto& kind : *kinds) excess += kind.rows;
    if (excess <= 0) return {};
    const auto level = level_of(*kinds, excess);
    for (const auto& kind : *kinds) {
        // No more than the excess: the level is rounded down.
        const auto leaving = std::min(kind.rows - level, excess);
        if (leaving <= 0) break;
        auto gone = run(db, delete_oldest_of_kind, std::string_view(kind.name), leaving);
        if (!gone) return gone;
        excess -= leaving;
    }
    return {};
}

}  // namespace

Result<void> put_decisions(Connection& db, std::span<const trust::policy::Record> records,
                           protocol::Millis now)
{
    const auto is_long = [](const trust::policy::Record& record) {
        return record.text.size() > trust::policy::max_record_octets;
    };
    if (std::any_of(records.begin(), records.end(), is_long))
        return fail(Code::too_large, "a recorded decision over 8 KiB");
    for (const auto& record : records) {
        auto written = run(db, insert_decision, now, kind_of(record), record.text);
        if (!written) return written;
    }
    if (auto old = run(db, delete_beyond_age, now - max_decision_age_ms); !old) return old;
    return delete_beyond_count(db);
}

Result<std::vector<DecisionRow>> decisions_since(Connection& db, protocol::Millis since,
                                                 std::int64_t after, std::size_t limit)
{
    const auto read = [](Statement& row) {
        return DecisionRow{row.integer(0), row.integer(1), std::string(row.text(2))};
    };
    return all_rows(db, select_decisions, read, after, since, limit);
}

}  // namespace entente::storage
