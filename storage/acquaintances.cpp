#include "storage/acquaintances.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

// Standings up to 2: members; 3: who is invited.
constexpr char select_shared_channel[] =
    "SELECT 1 FROM member a JOIN member b ON b.channel = a.channel AND b.user = ? "
    "WHERE a.user = ? AND a.standing <= 2 AND b.standing <= 3 LIMIT 1";
constexpr char select_shared_with_server[] =
    "SELECT 1 FROM member a JOIN member b ON b.channel = a.channel "
    "WHERE a.user = ? AND a.standing <= 2 AND b.standing <= 3 "
    "AND substr(b.user, instr(b.user, '@') + 1) = ? LIMIT 1";
constexpr char select_servers[] =
    "SELECT DISTINCT substr(b.user, instr(b.user, '@') + 1) AS server FROM member a "
    "JOIN member b ON b.channel = a.channel "
    "WHERE a.user = ? AND a.standing <= 2 AND b.standing <= 2 AND server <> ? LIMIT ?";
constexpr char select_own_users[] =
    "SELECT DISTINCT b.user FROM member a JOIN member b ON b.channel = a.channel "
    "WHERE a.user = ? AND a.standing <= 2 AND b.standing <= 2 AND b.user <> a.user "
    "AND substr(b.user, instr(b.user, '@') + 1) = ? LIMIT ?";

std::string read_text(Statement& row)
{
    return std::string(row.text(0));
}

}  // namespace

Result<std::vector<std::string>> servers_with(Connection& db, std::string_view user,
                                              std::string_view self, std::size_t limit)
{
    return all_rows(db, select_servers, read_text, user, self, limit);
}

Result<std::vector<std::string>> own_users_with(Connection& db, std::string_view user,
                                                std::string_view self, std::size_t limit)
{
    return all_rows(db, select_own_users, read_text, user, self, limit);
}

Result<bool> are_acquainted(Connection& db, std::string_view own, std::string_view other)
{
    const auto read = [](Statement&) { return true; };
    auto shared = one_row(db, select_shared_channel, read, other, own);
    if (!shared) return fail(shared);
    return shared->has_value();
}

Result<bool> is_acquainted_with_server(Connection& db, std::string_view own,
                                       std::string_view server)
{
    const auto read = [](Statement&) { return true; };
    auto shared = one_row(db, select_shared_with_server, read, own, server);
    if (!shared) return fail(shared);
    return shared->has_value();
}

}  // namespace entente::storage
