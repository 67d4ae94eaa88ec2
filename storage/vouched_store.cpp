#include "storage/vouched_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char insert_vouched[] =
    "INSERT INTO vouched (channel, seq, kid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
constexpr char insert_key[] =
    "INSERT INTO vouched_key (kid, x) VALUES (?, ?) ON CONFLICT DO NOTHING";
constexpr char select_key[] = "SELECT x FROM vouched_key WHERE kid = ?";
constexpr char delete_key[] = "DELETE FROM vouched_key WHERE kid = ?";
constexpr char select_between[] =
    "SELECT seq FROM vouched WHERE channel = ? AND seq >= ? AND seq <= ? ORDER BY seq";
constexpr char select_kids[] =
    "SELECT DISTINCT kid FROM vouched WHERE kid > ? ORDER BY kid LIMIT ?";
constexpr char delete_vouched[] = "DELETE FROM vouched WHERE kid = ?";

}  // namespace

Result<void> put_vouched(Connection& db, std::int64_t channel, std::int64_t seq,
                         std::string_view kid, std::string_view x)
{
    auto put = run(db, insert_vouched, channel, seq, kid);
    return put ? run(db, insert_key, kid, x) : put;
}

Result<std::optional<std::string>> find_vouched_key(Connection& db, std::string_view kid)
{
    const auto read = [](Statement& row) { return std::string(row.text(0)); };
    return one_row(db, select_key, read, kid);
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
    auto dropped = run(db, delete_vouched, kid);
    return dropped ? run(db, delete_key, kid) : dropped;
}

}  // namespace entente::storage
