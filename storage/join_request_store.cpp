#include "storage/join_request_store.hpp"

#include <utility>

#include "storage/query.hpp"
#include "storage/share.hpp"

namespace entente::storage {

namespace {

constexpr char insert_request[] = "INSERT INTO join_request (channel, user, at) VALUES (?, ?, ?)";
constexpr char count_requests[] =
    "SELECT count(*), count(*) FILTER (WHERE substr(user, instr(user, '@')) = ?) "
    "FROM join_request WHERE channel = ?";
constexpr char update_request[] = "UPDATE join_request SET at = ? WHERE channel = ? AND user = ?";
constexpr char select_requests[] =
    "SELECT user, at FROM join_request WHERE channel = ? ORDER BY at, user";
// Standings 1 and 2: moderators and owners.
constexpr char count_waiting[] =
    "SELECT c.name, count(*) FROM member m JOIN join_request j ON j.channel = m.channel "
    "JOIN channel c ON c.id = m.channel JOIN server s ON s.id = c.home "
    "WHERE m.user = ? AND m.standing IN (1, 2) AND s.name = ? "
    "GROUP BY c.name ORDER BY c.name";
constexpr char select_request[] = "SELECT at FROM join_request WHERE channel = ? AND user = ?";
constexpr char delete_request[] = "DELETE FROM join_request WHERE channel = ? AND user = ?";

}  // namespace

Result<JoinRequestKept> put_join_request(Connection& db, std::int64_t channel,
                                         std::string_view user, protocol::Millis at)
{
    auto updated = run(db, update_request, at, channel, user);
    if (!updated) return fail(updated);
    if (db.changes() > 0) return JoinRequestKept::renewed;
    const auto read = [](Statement& row) { return std::pair{row.integer(0), row.integer(1)}; };
    const auto server = user.substr(std::min(user.find('@'), user.size()));
    auto held = one_row(db, count_requests, read, server, channel);
    if (!held) return fail(held);
    const auto [all, own] = held->value_or(std::pair<std::int64_t, std::int64_t>{});
    if (!has_room(max_join_requests, all, max_join_requests_of_server, own))
        return JoinRequestKept::no_room;
    auto inserted = run(db, insert_request, channel, user, at);
    if (!inserted) return fail(inserted);
    return JoinRequestKept::added;
}

Result<std::vector<JoinRequest>> join_requests(Connection& db, std::int64_t channel)
{
    const auto read = [](Statement& row) {
        return JoinRequest{std::string(row.text(0)), row.integer(1)};
    };
    return all_rows(db, select_requests, read, channel);
}

Result<bool> has_join_request(Connection& db, std::int64_t channel, std::string_view user)
{
    const auto read = [](Statement& row) { return row.integer(0); };
    auto found = one_row(db, select_request, read, channel, user);
    if (!found) return fail(found);
    return found->has_value();
}

Result<bool> drop_join_request(Connection& db, std::int64_t channel, std::string_view user)
{
    auto done = run(db, delete_request, channel, user);
    if (!done) return fail(done);
    return db.changes() > 0;
}

Result<std::vector<WaitingJoins>> waiting_joins(Connection& db, const protocol::ServerName& self,
                                                std::string_view user)
{
    const auto read = [](Statement& row) {
        return WaitingJoins{std::string(row.text(0)), row.integer(1)};
    };
    return all_rows(db, count_waiting, read, user, self.str());
}

}  // namespace entente::storage
