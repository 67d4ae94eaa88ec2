#include "storage/migrations.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/octets.hpp"

namespace entente::storage {
namespace {

constexpr const char* create_table_sql =
    "CREATE TABLE IF NOT EXISTS migration ("
    "number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at BIGINT NOT NULL)";
constexpr const char* has_table_sql =
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'";
constexpr const char* list_sql = "SELECT number, name, checksum FROM migration ORDER BY number";
constexpr const char* insert_sql =
    "INSERT INTO migration (number, name, checksum, at) VALUES (?, ?, ?, ?)";

struct Applied {
    std::int64_t number = 0;
    std::string name;
    std::string checksum;
};

std::string checksum_of(const Migration& migration)
{
    return protocol::to_base64url(protocol::sha256(migration.sql));
}

std::string title(std::int64_t number, std::string_view name)
{
    return "migration " + std::to_string(number) + " (" + std::string(name) + ")";
}

Result<std::vector<Applied>> list_applied(Connection& connection)
{
    auto query = Query::prepare(connection, list_sql);
    if (!query) return fail(query);
    std::vector<Applied> applied;
    for (;;) {
        auto row = (*query)->step();
        if (!row) return fail(row);
        if (!*row) return applied;
        applied.push_back(
            {(*query)->integer(0), std::string((*query)->text(1)), std::string((*query)->text(2))});
    }
}

// What was applied must be a beginning of what we know, text for text.
Result<void> check_applied(const std::vector<Applied>& applied,
                           std::span<const Migration> migrations)
{
    const std::int64_t newest = migrations.empty() ? 0 : migrations.back().number;
    for (std::size_t i = 0; i < applied.size(); ++i) {
        const auto& row = applied[i];
        if (row.number > newest) {
            return fail(Code::conflict, "the database is newer than this program: it has " +
                                            title(row.number, row.name) +
                                            ", this program knows up to " + std::to_string(newest) +
                                            "; install a newer version");
        }
        const auto& known = migrations[i];
        if (known.number != row.number) {
            return fail(Code::conflict, "the database has " + title(row.number, row.name) +
                                            " where this program has " +
                                            title(known.number, known.name) +
                                            "; it was made by another line of versions");
        }
        if (checksum_of(known) != row.checksum) {
            return fail(Code::conflict,
                        title(row.number, row.name) +
                            " was edited after it had been applied to this database; "
                            "install the version that matches the database");
        }
    }
    return {};
}

Result<void> record(Connection& connection, const Migration& migration, protocol::Seconds now)
{
    auto query = Query::prepare(connection, insert_sql);
    if (!query) return fail(query);
    const auto checksum = checksum_of(migration);
    (*query)->bind(0, migration.number).bind_text(1, migration.name);
    (*query)->bind_text(2, checksum).bind(3, now);
    return (*query)->run();
}

Result<void> apply(Connection& connection, const Migration& migration, protocol::Seconds now)
{
    auto outcome = connection.begin();
    if (!outcome) return outcome;
    outcome = connection.execute(migration.sql);
    if (outcome) outcome = record(connection, migration, now);
    if (outcome) outcome = connection.commit();
    if (outcome) return outcome;
    connection.rollback();
    auto error = outcome.error();
    error.detail = title(migration.number, migration.name) + " failed: " + error.detail;
    return tl::unexpected(std::move(error));
}

}  // namespace

Result<void> check_migrations(Connection& connection, std::span<const Migration> migrations)
{
    {
        auto query = Query::prepare(connection, has_table_sql);
        if (!query) return fail(query);
        const auto row = (*query)->step();
        if (!row) return fail(row);
        if (!*row) return {};
    }
    const auto applied = list_applied(connection);
    if (!applied) return fail(applied);
    return check_applied(*applied, migrations);
}

Result<void> migrate(Connection& connection, std::span<const Migration> migrations,
                     protocol::Seconds now)
{
    const auto ascending = [](const Migration& left, const Migration& right) {
        return left.number >= right.number;
    };
    if (std::ranges::adjacent_find(migrations, ascending) != migrations.end()) {
        return fail(Code::internal, "the migrations' numbers don't ascend");
    }
    auto outcome = connection.execute(create_table_sql);
    if (!outcome) return outcome;
    auto applied = list_applied(connection);
    if (!applied) return fail(applied);
    outcome = check_applied(*applied, migrations);
    if (!outcome) return outcome;
    for (const auto& migration : migrations.subspan(applied->size())) {
        outcome = apply(connection, migration, now);
        if (!outcome) return outcome;
    }
    return {};
}

}  // namespace entente::storage
