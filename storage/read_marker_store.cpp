#include "storage/read_marker_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char upsert_marker[] =
    "INSERT INTO read_marker (user, channel, seq) VALUES (?, ?, ?) "
    "ON CONFLICT (user, channel) DO UPDATE SET seq = excluded.seq";
constexpr char select_marker[] = "SELECT seq FROM read_marker WHERE user = ? AND channel = ?";

}  // namespace

Result<bool> raise_read_marker(Connection& db, std::string_view user, std::string_view channel,
                               std::int64_t seq)
{
    auto known = read_marker(db, user, channel);
    if (!known) return fail(known);
    if (seq <= *known) return false;
    auto put = run(db, upsert_marker, user, channel, seq);
    if (!put) return fail(put);
    return true;
}

Result<std::int64_t> read_marker(Connection& db, std::string_view user, std::string_view channel)
{
    auto seq =
        one_row(db, select_marker, [](Statement& row) { return row.integer(0); }, user, channel);
    if (!seq) return fail(seq);
    return seq->value_or(0);
}

}  // namespace entente::storage
