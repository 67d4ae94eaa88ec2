#include "storage/directory_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char select_alias[] =
    "SELECT localpart, channel, made_by, at FROM alias WHERE localpart = ?";
constexpr char upsert_alias[] =
    "INSERT INTO alias (localpart, channel, made_by, at) VALUES (?, ?, ?, ?) ON CONFLICT "
    "(localpart) DO UPDATE SET channel = excluded.channel, made_by = excluded.made_by, at = "
    "excluded.at";
constexpr char delete_alias[] = "DELETE FROM alias WHERE localpart = ?";
constexpr char select_aliases_of[] =
    "SELECT localpart FROM alias WHERE channel = ? ORDER BY localpart";
constexpr char delete_listed[] = "DELETE FROM listed WHERE channel = ?";
constexpr char insert_listed[] = "INSERT INTO listed (home, name, channel) VALUES (?, ?, ?)";
constexpr char select_listed[] =
    "SELECT l.channel FROM listed l JOIN server s ON s.id = l.home WHERE s.name = ? AND l.name > ? "
    "ORDER BY l.name LIMIT ?";
constexpr char select_someone[] =
    "SELECT 1 FROM member WHERE channel = ? AND standing <= 3 AND substr(user, length(user) - ?) = "
    "? LIMIT 1";

std::int64_t read_id(Statement& row)
{
    return row.integer(0);
}

}  // namespace

Result<std::optional<AliasRow>> find_alias(Connection& db, std::string_view localpart)
{
    const auto read = [](Statement& row) {
        return AliasRow{std::string(row.text(0)), row.integer(1), std::string(row.text(2)),
                        row.integer(3)};
    };
    return one_row(db, select_alias, read, localpart);
}

Result<void> put_alias(Connection& db, const AliasRow& row)
{
    return run(db, upsert_alias, row.localpart, row.channel, row.made_by, row.at);
}

Result<void> drop_alias(Connection& db, std::string_view localpart)
{
    return run(db, delete_alias, localpart);
}

Result<std::vector<std::string>> aliases_of(Connection& db, std::int64_t channel)
{
    const auto read = [](Statement& row) { return std::string(row.text(0)); };
    return all_rows(db, select_aliases_of, read, channel);
}

Result<void> set_listed(Connection& db, std::int64_t home, const protocol::ChannelId& name,
                        std::int64_t channel, bool is_listed)
{
    auto done = run(db, delete_listed, channel);
    if (!done || !is_listed) return done;
    return run(db, insert_listed, home, name.str(), channel);
}

Result<std::vector<std::int64_t>> listed_channels(Connection& db, const protocol::ServerName& home,
                                                  std::string_view after, std::size_t limit)
{
    return all_rows(db, select_listed, read_id, home.str(), after, limit);
}

Result<bool> has_someone_of(Connection& db, std::int64_t channel,
                            const protocol::ServerName& server)
{
    const std::string suffix = "@" + server.str();
    return has_row(db, select_someone, channel, suffix.size() - 1, suffix);
}

}  // namespace entente::storage
