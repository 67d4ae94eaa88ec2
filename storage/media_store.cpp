#include "storage/media_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char select_state[] = "SELECT stored FROM media WHERE id = ?";
constexpr char select_sum[] =
    "SELECT coalesce(sum(octets), 0) FROM media WHERE user = ? AND at >= ?";
constexpr char insert_media[] = "INSERT INTO media (id, user, octets, at) VALUES (?, ?, ?, ?)";
constexpr char update_stored[] = "UPDATE media SET stored = 1 WHERE id = ?";
constexpr char select_size[] = "SELECT octets FROM media WHERE id = ? AND stored = 1";
constexpr std::int64_t full_retry_seconds = 3'600;

std::int64_t read_number(Statement& row)
{
    return row.integer(0);
}

}  // namespace

Result<bool> reserve_media(Connection& db, const MediaRow& row, protocol::Millis day,
                           std::int64_t most)
{
    auto state = one_row(db, select_state, read_number, row.id);
    if (!state) return fail(state);
    if (*state) return **state == 0;
    auto sum = one_row(db, select_sum, read_number, row.user, day);
    if (!sum) return fail(sum);
    if (sum->value_or(0) + row.octets > most)
        return retry_later(Code::rate_limited, "the user's files of the day", full_retry_seconds);
    auto put = run(db, insert_media, row.id, row.user, row.octets, row.at);
    if (!put) return fail(put);
    return true;
}

Result<void> note_media(Connection& db, std::string_view id)
{
    return run(db, update_stored, id);
}

Result<std::optional<std::int64_t>> find_media(Connection& db, std::string_view id)
{
    return one_row(db, select_size, read_number, id);
}

}  // namespace entente::storage
