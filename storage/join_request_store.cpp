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
constexpr char delete_request[] = "DELETE FROM join_request WHERE channel = ? AND user = ?";

}  // namespace

Result<bool> put_join_request(Connection& db, std::int64_t channel, std::string_view user,
                              protocol::Millis at)
{
    auto updated = run(db, update_request, at, channel, user);
    if (!updated) return fail(updated);
    if (db.changes() > 0) return true;
    const auto read = [](Statement& row) { return std::pair{row.integer(0), row.integer(1)}; };
    const auto server = user.substr(std::min(user.find('@'), user.size()));
    auto held = one_row(db, count_requests, read, server, channel);
    if (!held) return fail(held);
    const auto [all, own] = held->value_or(std::pair<std::int64_t, std::int64_t>{});
    if (!has_room(max_join_requests, all, max_join_requests_of_server, own)) return false;
    auto inserted = run(db, insert_request, channel, user, at);
    if (!inserted) return fail(inserted);
    return true;
}

Result<std::vector<JoinRequest>> join_requests(Connection& db, std::int64_t channel)
{
    const auto read = [](Statement& row) {
        return JoinRequest{std::string(row.text(0)), row.integer(1)};
    };
    return all_rows(db, select_requests, read, channel);
}

Result<bool> drop_join_request(Connection& db, std::int64_t channel, std::string_view user)
{
    auto done = run(db, delete_request, channel, user);
    if (!done) return fail(done);
    return db.changes() > 0;
}

}  // namespace entente::storage
