#include "storage/peering_store.hpp"

#include <string>

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::ServerName;

constexpr char select_peering[] = "SELECT server, ours, theirs, at FROM peering WHERE server = ?";
constexpr char select_peerings[] = "SELECT server, ours, theirs, at FROM peering ORDER BY server";
constexpr char upsert_peering[] =
    "INSERT INTO peering (server, ours, theirs, at) VALUES (?, ?, ?, ?) ON CONFLICT (server) DO "
    "UPDATE SET ours = excluded.ours, theirs = excluded.theirs, at = excluded.at";
constexpr char select_open[] = "SELECT count(*) FROM peering WHERE theirs = 1 AND ours = 0";

PeeringRow peering_in(Statement& row)
{
    return {ServerName::trusted(std::string(row.text(0))), row.integer(1) != 0, row.integer(2) != 0,
            row.integer(3)};
}

}  // namespace

Result<std::optional<PeeringRow>> find_peering(Connection& db, const ServerName& server)
{
    return one_row(db, select_peering, peering_in, server.str());
}

Result<void> put_peering(Connection& db, const PeeringRow& row)
{
    return run(db, upsert_peering, row.server.str(), row.ours ? 1 : 0, row.theirs ? 1 : 0, row.at);
}

Result<std::vector<PeeringRow>> peerings(Connection& db)
{
    return all_rows(db, select_peerings, peering_in);
}

Result<std::int64_t> count_open_proposals(Connection& db)
{
    auto count = one_row(db, select_open, [](Statement& row) { return row.integer(0); });
    if (!count) return fail(count);
    return count->value_or(0);
}

}  // namespace entente::storage
