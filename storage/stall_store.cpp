#include "storage/stall_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::ChannelId;

constexpr char select_stall[] = "SELECT since, problem, told FROM stalled WHERE channel = ?";
constexpr char upsert_stall[] =
    "INSERT INTO stalled (channel, since, problem, told) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (channel) DO UPDATE SET since = excluded.since, problem = excluded.problem, "
    "told = excluded.told";
constexpr char delete_stall[] = "DELETE FROM stalled WHERE channel = ?";
constexpr char select_untold_stalls[] =
    "SELECT c.name FROM stalled t JOIN channel c ON c.id = t.channel "
    "WHERE t.told = 0 AND t.since <= ? ORDER BY t.since LIMIT ?";

}  // namespace

Result<std::optional<Stall>> find_stall(Connection& db, std::int64_t channel)
{
    const auto read = [](Statement& row) {
        return Stall{row.integer(0), std::string(row.text(1)), row.integer(2) != 0};
    };
    return one_row(db, select_stall, read, channel);
}

Result<void> put_stall(Connection& db, std::int64_t channel, const Stall& stall)
{
    return run(db, upsert_stall, channel, stall.since, stall.problem, stall.told ? 1 : 0);
}

Result<void> drop_stall(Connection& db, std::int64_t channel)
{
    return run(db, delete_stall, channel);
}

Result<std::vector<ChannelId>> untold_stalls(Connection& db, protocol::Millis before,
                                             std::size_t limit)
{
    const auto read = [](Statement& row) { return ChannelId::trusted(std::string(row.text(0))); };
    return all_rows(db, select_untold_stalls, read, before, limit);
}

}  // namespace entente::storage
