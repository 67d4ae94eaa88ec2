#include "storage/join_request_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char insert_request[] =
    "INSERT INTO join_request (channel, user, at) SELECT ?, ?, ? WHERE "
    "(SELECT count(*) FROM join_request WHERE channel = ?) < ? ON CONFLICT DO NOTHING";
constexpr char update_request[] = "UPDATE join_request SET at = ? WHERE channel = ? AND user = ?";
constexpr char select_requests[] =
    "SELECT user, at FROM join_request WHERE channel = ? ORDER BY at, user";
constexpr char delete_request[] = "DELETE FROM join_request WHERE channel = ? AND user = ?";

}  // namespace

Result<void> put_join_request(Connection& db, std::int64_t channel, std::string_view user,
                              protocol::Millis at)
{
    auto updated = run(db, update_request, at, channel, user);
    if (!updated || db.changes() > 0) return updated;
    return run(db, insert_request, channel, user, at, channel, max_join_requests);
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
