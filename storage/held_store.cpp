#include "storage/held_store.hpp"

#include <utility>

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::ChannelId;
using protocol::ServerName;

constexpr char select_held[] = "SELECT 1 FROM held WHERE channel = ?";
constexpr char insert_held[] = "INSERT INTO held (channel) VALUES (?) ON CONFLICT DO NOTHING";
constexpr char delete_held[] = "DELETE FROM held WHERE channel = ?";
constexpr char insert_all_followed[] =
    "INSERT INTO held (channel) SELECT c.id FROM channel c JOIN server o ON o.id = c.home "
    "WHERE o.name = ? AND EXISTS (SELECT 1 FROM cursor k WHERE k.channel = c.id) "
    "ON CONFLICT DO NOTHING";
constexpr char select_all_held[] =
    "SELECT c.name, coalesce(s.name, '') FROM held h JOIN channel c ON c.id = h.channel "
    "LEFT JOIN cursor k ON k.channel = h.channel LEFT JOIN server s ON s.id = k.server "
    "ORDER BY h.channel";

}  // namespace

Result<bool> is_held(Connection& db, std::int64_t channel)
{
    return has_row(db, select_held, channel);
}

Result<void> put_held(Connection& db, std::int64_t channel)
{
    return run(db, insert_held, channel);
}

Result<void> drop_held(Connection& db, std::int64_t channel)
{
    return run(db, delete_held, channel);
}

Result<void> hold_all_followed(Connection& db, const ServerName& self)
{
    return run(db, insert_all_followed, self.str());
}

Result<std::vector<HeldChannel>> held_channels(Connection& db)
{
    const auto read = [](Statement& row) {
        return std::pair{ChannelId::trusted(std::string(row.text(0))), std::string(row.text(1))};
    };
    auto rows = all_rows(db, select_all_held, read);
    if (!rows) return fail(rows);
    std::vector<HeldChannel> held;
    for (auto& [channel, follower] : *rows) {
        if (held.empty() || held.back().channel != channel) held.push_back({channel, {}});
        if (!follower.empty())
            held.back().followers.push_back(ServerName::trusted(std::move(follower)));
    }
    return held;
}

}  // namespace entente::storage
