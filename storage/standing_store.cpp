#include "storage/standing_store.hpp"

#include <algorithm>
#include <limits>

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using trust::Fall;
using trust::ServerStanding;
using trust::Source;
using trust::Tier;

constexpr char select_standing[] =
    "SELECT first_contact, accepted, falls, fallen_until, last_upheld FROM standing "
    "WHERE server = ?";
constexpr char upsert_standing[] =
    "INSERT INTO standing (server, first_contact, accepted, falls, fallen_until, last_upheld) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (server) DO UPDATE SET "
    "first_contact = excluded.first_contact, accepted = excluded.accepted, "
    "falls = excluded.falls, fallen_until = excluded.fallen_until, "
    "last_upheld = excluded.last_upheld";
constexpr char select_standings[] =
    "SELECT server, first_contact, accepted, falls, fallen_until, last_upheld FROM standing "
    "WHERE accepted >= ? OR falls > 0 ORDER BY server LIMIT ?";
constexpr char insert_fall[] =
    "INSERT INTO fall (server, offence, at, until, evidence) VALUES (?, ?, ?, ?, ?)";
constexpr char drop_oldest_of_server[] =
    "DELETE FROM fall WHERE server = ? AND id NOT IN "
    "(SELECT id FROM fall WHERE server = ? ORDER BY id DESC LIMIT ?)";
constexpr char drop_oldest[] =
    "DELETE FROM fall WHERE id <= (SELECT id FROM fall ORDER BY id DESC LIMIT 1 OFFSET ?)";
constexpr char select_falls[] =
    "SELECT id, server, offence, at, until, evidence FROM fall WHERE id < ? "
    "ORDER BY id DESC LIMIT ?";
constexpr char select_falls_of[] =
    "SELECT id, server, offence, at, until, evidence FROM fall WHERE server = ? AND id < ? "
    "ORDER BY id DESC LIMIT ?";
constexpr char drop_falls_of[] = "DELETE FROM fall WHERE server = ?";
constexpr char count_falls_for[] = "SELECT count(*) FROM fall WHERE server = ? AND offence = ?";
constexpr char update_against[] = "UPDATE report SET against = ? WHERE id = ?";
constexpr char count_upheld[] =
    "SELECT count(DISTINCT sender), count(DISTINCT event) FROM report "
    "WHERE against = ? AND closed_at > ?";
constexpr char clear_against[] = "UPDATE report SET against = '' WHERE against = ?";
constexpr char upsert_entry[] =
    "INSERT INTO tier_entry (source, server, origin, tier, comment, at) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (source, server, origin) DO UPDATE SET tier = excluded.tier, "
    "comment = excluded.comment, at = excluded.at";
constexpr char drop_entry[] = "DELETE FROM tier_entry WHERE source = ? AND server = ?";
constexpr char drop_entry_of_list[] =
    "DELETE FROM tier_entry WHERE source = ? AND server = ? AND origin = ?";
constexpr char select_said[] =
    "SELECT tier FROM tier_entry WHERE source = ? AND server = ? ORDER BY tier LIMIT 1";
constexpr char select_all_said[] =
    "SELECT server, min(tier) FROM tier_entry WHERE source = ? AND server > ? "
    "GROUP BY server ORDER BY server LIMIT ?";
constexpr char select_entries_of[] =
    "SELECT server, tier, comment, at, origin FROM tier_entry WHERE source = ? AND server = ? "
    "ORDER BY tier, origin LIMIT ?";
constexpr char select_entries[] =
    "SELECT server, tier, comment, at, origin FROM tier_entry WHERE source = ? "
    "ORDER BY server, tier, origin LIMIT ?";
constexpr char select_listed[] = "SELECT server FROM tier_entry WHERE source = ? AND origin = ?";
constexpr char count_entries[] = "SELECT count(*) FROM tier_entry WHERE source = ?";

ServerStanding standing_at(const Statement& row, int column)
{
    return {row.integer(column), row.integer(column + 1), row.integer(column + 2),
            row.integer(column + 3), row.integer(column + 4)};
}

FallRow fall_in(Statement& row)
{
    FallRow read;
    read.id = row.integer(0);
    read.fall.server = ServerName::trusted(std::string(row.text(1)));
    read.fall.offence = trust::offence_from(row.text(2)).value_or(trust::Offence::malformed);
    read.fall.at = row.integer(3);
    read.fall.until = row.integer(4);
    read.fall.evidence = row.text(5);
    return read;
}

Tier tier_in(const Statement& row, int column)
{
    return static_cast<Tier>(std::clamp<std::int64_t>(row.integer(column), 0, 4));
}

TierEntry entry_in(Statement& row)
{
    return {ServerName::trusted(std::string(row.text(0))), tier_in(row, 1),
            std::string(row.text(2)), row.integer(3), std::string(row.text(4))};
}

int number_of(Source source)
{
    switch (source) {
        case Source::administrator: return 0;
        case Source::list: return 1;
        case Source::peering: return 2;  // peering_store's: no entry has it
    }
    return 2;
}

}  // namespace

Result<ServerStanding> find_standing(Connection& db, const ServerName& server)
{
    const auto read = [](Statement& row) { return standing_at(row, 0); };
    auto found = one_row(db, select_standing, read, server.str());
    if (!found) return fail(found);
    return found->value_or(ServerStanding{});
}

Result<void> put_standing(Connection& db, const ServerName& server, const ServerStanding& standing)
{
    return run(db, upsert_standing, server.str(), standing.first_contact, standing.accepted,
               standing.falls, standing.fallen_until, standing.last_upheld);
}

Result<std::vector<std::pair<ServerName, ServerStanding>>> standings(Connection& db,
                                                                     std::int64_t events,
                                                                     std::size_t most)
{
    const auto read = [](Statement& row) {
        return std::pair{ServerName::trusted(std::string(row.text(0))), standing_at(row, 1)};
    };
    return all_rows(db, select_standings, read, events, most);
}

Result<void> put_fall(Connection& db, const Fall& fall)
{
    if (fall.evidence.size() > trust::max_evidence_octets)
        return refuse(Code::too_large, "more evidence than is kept of a fall");
    auto standing = find_standing(db, fall.server);
    if (!standing) return fail(standing);
    // Found while another one was on its way here: as trust::fall_of has it.
    if (trust::is_fallen(*standing, fall.at)) return {};
    standing->fallen_until = fall.until;
    ++standing->falls;
    if (auto put = put_standing(db, fall.server, *standing); !put) return put;
    const auto& server = fall.server.str();
    auto done =
        run(db, insert_fall, server, to_text(fall.offence), fall.at, fall.until, fall.evidence);
    if (!done) return done;
    done = run(db, drop_oldest_of_server, server, server, max_falls_per_server);
    if (!done) return done;
    return run(db, drop_oldest, max_falls);
}

Result<std::vector<FallRow>> falls(Connection& db, const std::optional<ServerName>& server,
                                   std::int64_t before, std::size_t most)
{
    const auto below = before > 0 ? before : std::numeric_limits<std::int64_t>::max();
    return server ? all_rows(db, select_falls_of, fall_in, server->str(), below, most)
                  : all_rows(db, select_falls, fall_in, below, most);
}

Result<void> note_upheld(Connection& db, const ServerName& server, std::int64_t report,
                         protocol::Millis now)
{
    auto standing = find_standing(db, server);
    if (!standing) return fail(standing);
    standing->last_upheld = now;
    if (auto put = put_standing(db, server, *standing); !put) return put;
    return run(db, update_against, server.str(), report);
}

Result<trust::UpheldReports> upheld_reports(Connection& db, const ServerName& server,
                                            protocol::Millis since)
{
    const auto read = [](Statement& row) {
        return trust::UpheldReports{row.integer(0), row.integer(1)};
    };
    auto counted = one_row(db, count_upheld, read, server.str(), since);
    if (!counted) return fail(counted);
    return counted->value_or(trust::UpheldReports{});
}

Result<void> spend_upheld(Connection& db, const ServerName& server)
{
    return run(db, clear_against, server.str());
}

Result<bool> pardon(Connection& db, const ServerName& server)
{
    auto standing = find_standing(db, server);
    if (!standing) return fail(standing);
    if (standing->falls == 0 && standing->last_upheld == 0) return false;
    trust::pardon(*standing);
    if (auto put = put_standing(db, server, *standing); !put) return fail(put);
    if (auto done = run(db, drop_falls_of, server.str()); !done) return fail(done);
    if (auto done = spend_upheld(db, server); !done) return fail(done);
    return true;
}

Result<bool> pardon_all_of(Connection& db, const ServerName& server, trust::Offence offence)
{
    auto standing = find_standing(db, server);
    if (!standing) return fail(standing);
    auto those = one_row(
        db, count_falls_for, [](Statement& row) { return row.integer(0); }, server.str(),
        to_text(offence));
    if (!those) return fail(those);
    if (standing->falls == 0 || those->value_or(0) != standing->falls) return false;
    trust::forget_falls(*standing);
    if (auto put = put_standing(db, server, *standing); !put) return fail(put);
    if (auto done = run(db, drop_falls_of, server.str()); !done) return fail(done);
    return true;
}

Result<void> put_tier_entry(Connection& db, Source source, const TierEntry& entry)
{
    return run(db, upsert_entry, number_of(source), entry.server.str(), entry.origin,
               static_cast<std::int64_t>(entry.tier), entry.comment, entry.at);
}

Result<bool> drop_tier_entry(Connection& db, Source source, const ServerName& server)
{
    auto done = run(db, drop_entry, number_of(source), server.str());
    if (!done) return fail(done);
    return db.changes() > 0;
}

Result<void> drop_listed(Connection& db, const ServerName& server, const std::string& list)
{
    return run(db, drop_entry_of_list, number_of(Source::list), server.str(), list);
}

Result<std::optional<Tier>> tier_said(Connection& db, Source source, const ServerName& server)
{
    const auto read = [](Statement& row) { return tier_in(row, 0); };
    return one_row(db, select_said, read, number_of(source), server.str());
}

Result<std::vector<std::pair<ServerName, Tier>>> tiers_said(Connection& db, Source source,
                                                            const std::string& after,
                                                            std::size_t most)
{
    const auto read = [](Statement& row) {
        return std::pair{ServerName::trusted(std::string(row.text(0))), tier_in(row, 1)};
    };
    return all_rows(db, select_all_said, read, number_of(source), after, most);
}

Result<std::vector<TierEntry>> tier_entries_of(Connection& db, Source source,
                                               const ServerName& server, std::size_t most)
{
    return all_rows(db, select_entries_of, entry_in, number_of(source), server.str(), most);
}

Result<std::vector<TierEntry>> tier_entries(Connection& db, Source source, std::size_t most)
{
    return all_rows(db, select_entries, entry_in, number_of(source), most);
}

Result<std::vector<ServerName>> servers_listed(Connection& db, const std::string& list)
{
    const auto read = [](Statement& row) { return ServerName::trusted(std::string(row.text(0))); };
    return all_rows(db, select_listed, read, number_of(Source::list), list);
}

Result<std::int64_t> count_listed(Connection& db)
{
    const auto read = [](Statement& row) { return row.integer(0); };
    auto counted = one_row(db, count_entries, read, number_of(Source::list));
    if (!counted) return fail(counted);
    return counted->value_or(0);
}

void AcceptedCounts::merge(Waiting& into, const ServerName& server, std::int64_t events,
                           protocol::Millis at)
{
    into.events[server] += events;
    into.sum += events;
    if (into.since == 0) into.since = at;
    into.last = std::max(into.last, at);
}

void AcceptedCounts::add(const ServerName& server, std::int64_t events, protocol::Millis now)
{
    if (events > 0) merge(open_, server, events, now);
}

// That two commits have the same server waiting makes it one of too many a little early.
bool AcceptedCounts::is_due() const
{
    const auto since = waiting_.since != 0 ? waiting_.since : open_.since;
    const auto last = std::max(waiting_.last, open_.last);
    return waiting_.sum + open_.sum >= most_waiting ||
           waiting_.events.size() + open_.events.size() >= most_servers ||
           (since != 0 && last - since >= longest_ms);
}

Result<void> AcceptedCounts::flush(WriteTransaction& transaction)
{
    if (!is_due()) return {};
    auto all = waiting_;
    for (const auto& [server, events] : open_.events) merge(all, server, events, open_.since);
    for (const auto& [server, events] : all.events) {
        auto standing = find_standing(transaction.db(), server);
        if (!standing) return fail(standing);
        trust::count_accepted(*standing, events, all.since);
        if (auto put = put_standing(transaction.db(), server, *standing); !put) return put;
        transaction.after_commit([counted = counted_, name = server, now = *standing] {
            if (counted) counted(name, now);
        });
    }
    is_flushed_ = true;
    return {};
}

void AcceptedCounts::rolled_back()
{
    open_ = {};
    is_flushed_ = false;
}

void AcceptedCounts::committed()
{
    if (is_flushed_) {
        waiting_ = {};
    } else {
        for (const auto& [server, events] : open_.events)
            merge(waiting_, server, events, open_.since);
        waiting_.last = std::max(waiting_.last, open_.last);
    }
    open_ = {};
    is_flushed_ = false;
}

}  // namespace entente::storage
