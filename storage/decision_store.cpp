#include "storage/decision_store.hpp"

#include <algorithm>

#include "storage/query.hpp"
#include "trust/policy/rehearsal.hpp"

namespace entente::storage {

namespace {

constexpr char insert_decision[] = "INSERT INTO decision (at, record) VALUES (?, ?)";
// Numbers rise without holes, since only the oldest ever go.
constexpr char delete_beyond_count[] =
    "DELETE FROM decision WHERE id <= (SELECT max(id) FROM decision) - ?";
constexpr char delete_beyond_age[] = "DELETE FROM decision WHERE at < ?";
constexpr char select_decisions[] =
    "SELECT id, at, record FROM decision WHERE id > ? AND at >= ? ORDER BY id LIMIT ?";

}  // namespace

Result<void> put_decisions(Connection& db, std::span<const std::string> records,
                           protocol::Millis now)
{
    const auto is_long = [](const std::string& record) {
        return record.size() > trust::policy::max_record_octets;
    };
    if (std::any_of(records.begin(), records.end(), is_long))
        return fail(Code::too_large, "a recorded decision over 8 KiB");
    for (const auto& record : records) {
        if (auto written = run(db, insert_decision, now, record); !written) return written;
    }
    if (auto old = run(db, delete_beyond_age, now - max_decision_age_ms); !old) return old;
    return run(db, delete_beyond_count, max_kept_decisions);
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
