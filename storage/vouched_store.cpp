#include "storage/vouched_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char insert_vouched[] =
    "INSERT INTO vouched (channel, seq, kid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
constexpr char select_between[] =
    "SELECT seq FROM vouched WHERE channel = ? AND seq >= ? AND seq <= ? ORDER BY seq";
constexpr char select_kids[] =
    "SELECT DISTINCT kid FROM vouched WHERE kid > ? ORDER BY kid LIMIT ?";
constexpr char delete_vouched[] = "DELETE FROM vouched WHERE kid = ?";

}  // namespace

Result<void> put_vouched(Connection& db, std::int64_t channel, std::int64_t seq,
                         std::string_view kid)
{
    return run(db, insert_vouched, channel, seq, kid);
}

Result<std::vector<std::int64_t>> vouched_between(Connection& db, std::int64_t channel,
                                                  std::int64_t first, std::int64_t last)
{
    const auto read = [](Statement& row) { return row.integer(0); };
    return all_rows(db, select_between, read, channel, first, last);
}

Result<std::vector<std::string>> vouched_kids(Connection& db, std::string_view after,
                                              std::size_t limit)
{
    const auto read = [](Statement& row) { return std::string(row.text(0)); };
    return all_rows(db, select_kids, read, after, limit);
}

Result<void> drop_vouched(Connection& db, std::string_view kid)
{
    return run(db, delete_vouched, kid);
}

}  // namespace entente::storage
