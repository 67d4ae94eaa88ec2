#include "storage/epoch_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::ServerName;

constexpr char insert_epoch[] =
    "INSERT INTO epoch (channel, epoch, home, last) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (channel, epoch) DO UPDATE SET home = excluded.home, last = excluded.last";
constexpr char select_home[] =
    "SELECT s.name FROM epoch e JOIN server s ON s.id = e.home WHERE e.channel = ? AND e.epoch = ?";
constexpr char select_end[] = "SELECT 1 FROM epoch WHERE channel = ? AND epoch = ? AND last = ?";
constexpr char select_last[] = "SELECT last FROM epoch WHERE channel = ? AND epoch = ?";
constexpr char select_all[] =
    "SELECT e.epoch, s.name FROM epoch e JOIN server s ON s.id = e.home WHERE e.channel = ?";
constexpr char select_any[] =
    "SELECT 1 FROM epoch e JOIN server s ON s.id = e.home WHERE e.channel = ? AND s.name = ? "
    "LIMIT 1";

}  // namespace

Result<void> put_epoch(Connection& db, std::int64_t channel, std::int64_t epoch,
                       std::int64_t home_id, std::int64_t last)
{
    return run(db, insert_epoch, channel, epoch, home_id, last);
}

Result<std::optional<ServerName>> find_past_home(Connection& db, std::int64_t channel,
                                                 std::int64_t epoch)
{
    const auto read = [](Statement& row) { return ServerName::trusted(std::string(row.text(0))); };
    return one_row(db, select_home, read, channel, epoch);
}

Result<PastHomes> past_homes(Connection& db, std::int64_t channel)
{
    const auto read = [](Statement& row) {
        return std::pair{row.integer(0), ServerName::trusted(std::string(row.text(1)))};
    };
    auto rows = all_rows(db, select_all, read, channel);
    if (!rows) return fail(rows);
    return PastHomes(rows->begin(), rows->end());
}

Result<bool> ends_epoch(Connection& db, std::int64_t channel, std::int64_t epoch, std::int64_t seq)
{
    return has_row(db, select_end, channel, epoch, seq);
}

Result<std::optional<std::int64_t>> find_epoch_end(Connection& db, std::int64_t channel,
                                                   std::int64_t epoch)
{
    const auto read = [](Statement& row) { return row.integer(0); };
    return one_row(db, select_last, read, channel, epoch);
}

Result<bool> was_home(Connection& db, std::int64_t channel, const ServerName& server)
{
    return has_row(db, select_any, channel, server.str());
}

Result<bool> is_home_of(Connection& db, const ChannelRow& channel, std::int64_t epoch,
                        const ServerName& server)
{
    if (epoch == channel.epoch) return channel.home == server;
    auto home = find_past_home(db, channel.id, epoch);
    if (!home) return fail(home);
    return *home == server;
}

}  // namespace entente::storage
