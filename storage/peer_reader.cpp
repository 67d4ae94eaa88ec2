#include "storage/peer_reader.hpp"

#include <algorithm>

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::Millis;
using protocol::ServerName;

constexpr char select_peers[] =
    "SELECT name FROM (SELECT server AS name FROM pin UNION SELECT name FROM server) "
    "WHERE name > ? AND name <> ? ORDER BY name LIMIT ?";
constexpr char select_known[] =
    "SELECT EXISTS (SELECT 1 FROM pin WHERE server = ?) OR "
    "EXISTS (SELECT 1 FROM server WHERE name = ?)";
constexpr char sum_logs[] =
    "SELECT count(*), coalesce(sum(CASE WHEN k.until > 0 THEN k.until ELSE h.seq END - k.seq), 0) "
    "FROM cursor k JOIN server s ON s.id = k.server JOIN channel c ON c.id = k.channel "
    "JOIN server o ON o.id = c.home JOIN head h ON h.channel = c.id "
    "WHERE s.name = ? AND (o.name = ? OR k.until > 0) AND k.seq < CASE WHEN k.until > 0 THEN "
    "k.until ELSE h.seq END";
constexpr char sum_submissions[] =
    "SELECT count(*), coalesce(min(b.at), 0) FROM submission b JOIN server s ON s.id = b.home "
    "WHERE s.name = ? AND b.seq = 0 AND b.problem = ''";
constexpr char sum_direct[] =
    "SELECT count(*), coalesce(min(d.at), 0) FROM direct_out d JOIN server s ON s.id = d.server "
    "WHERE s.name = ?";
constexpr char select_channels[] = "SELECT id FROM channel WHERE name > ? ORDER BY name LIMIT ?";
#define HAS_MEMBER_OF                                                                \
    "EXISTS (SELECT 1 FROM member m WHERE m.channel = c.id AND m.standing <= 2 AND " \
    "substr(m.user, -length(?)) = ?)"
constexpr char select_shared[] =
    "SELECT c.id FROM channel c JOIN server o ON o.id = c.home WHERE c.name > ? AND CASE "
    "WHEN o.name = ? THEN EXISTS (SELECT 1 FROM cursor k JOIN server s ON s.id = k.server "
    "WHERE k.channel = c.id AND s.name = ?) "
    "ELSE " HAS_MEMBER_OF " AND (o.name = ? OR " HAS_MEMBER_OF
    ") END "
    "ORDER BY c.name LIMIT ?";
#undef HAS_MEMBER_OF

struct Sum {
    std::int64_t count = 0;
    std::int64_t value = 0;
};

Sum read_sum(Statement& row)
{
    return {row.integer(0), row.integer(1)};
}

void note_oldest(Millis& oldest, Millis at)
{
    if (at > 0 && (oldest == 0 || at < oldest)) oldest = at;
}

}  // namespace

Result<std::vector<ServerName>> known_peers(Connection& db, const ServerName& self,
                                            std::string_view after, std::size_t limit)
{
    const auto read = [](Statement& row) { return ServerName::trusted(std::string(row.text(0))); };
    return all_rows(db, select_peers, read, after, self.str(), limit);
}

Result<bool> is_known_peer(Connection& db, const ServerName& peer)
{
    const auto read = [](Statement& row) { return row.integer(0) != 0; };
    auto known = one_row(db, select_known, read, peer.str(), peer.str());
    if (!known) return fail(known);
    return known->value_or(false);
}

Result<OwedSummary> owed_to(Connection& db, const ServerName& self, const ServerName& peer)
{
    auto logs = one_row(db, sum_logs, read_sum, peer.str(), self.str());
    if (!logs) return fail(logs);
    auto submissions = one_row(db, sum_submissions, read_sum, peer.str());
    if (!submissions) return fail(submissions);
    auto direct = one_row(db, sum_direct, read_sum, peer.str());
    if (!direct) return fail(direct);
    OwedSummary owed;
    owed.channels = (*logs)->count;
    owed.entries = (*logs)->value;
    owed.submissions = (*submissions)->count;
    owed.direct = (*direct)->count;
    note_oldest(owed.oldest_at, (*submissions)->value);
    note_oldest(owed.oldest_at, (*direct)->value);
    if (owed.channels == 0) return owed;

    auto behind = owed_logs(db, self, peer);
    if (!behind) return fail(behind);
    behind->resize(std::min(behind->size(), most_logs_aged));
    for (const auto& log : *behind) {
        auto entry = read_entry(db, log.channel, log.seq + 1);
        if (!entry) return fail(entry);
        note_oldest(owed.oldest_at, entry->entry.at);
    }
    return owed;
}

Result<std::vector<ChannelRow>> channels_after(Connection& db, std::string_view after,
                                               std::size_t limit)
{
    const auto read = [](Statement& row) { return row.integer(0); };
    auto ids = all_rows(db, select_channels, read, after, limit);
    if (!ids) return fail(ids);
    std::vector<ChannelRow> channels;
    for (const auto id : *ids) {
        auto channel = read_channel(db, id);
        if (!channel) return fail(channel);
        channels.push_back(std::move(*channel));
    }
    return channels;
}

Result<std::vector<SharedChannel>> shared_channels(Connection& db, const ServerName& self,
                                                   const ServerName& peer, std::string_view after,
                                                   std::size_t limit)
{
    const auto read = [](Statement& row) { return row.integer(0); };
    const auto of_self = "@" + self.str();
    const auto of_peer = "@" + peer.str();
    auto ids = all_rows(db, select_shared, read, after, self.str(), peer.str(), of_self, of_self,
                        peer.str(), of_peer, of_peer, limit);
    if (!ids) return fail(ids);
    std::vector<SharedChannel> shared;
    for (const auto id : *ids) {
        auto channel = read_channel(db, id);
        if (!channel) return fail(channel);
        auto cursor = find_cursor(db, id, peer);
        if (!cursor) return fail(cursor);
        auto stall = find_stall(db, id);
        if (!stall) return fail(stall);
        shared.push_back({std::move(*channel), std::move(*cursor), std::move(*stall)});
    }
    return shared;
}

}  // namespace entente::storage
