#include "storage/move_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::ChannelId;
using protocol::ServerName;

constexpr char upsert_move[] =
    "INSERT INTO move (channel, home, user, device, txn, question) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (channel) DO UPDATE SET home = excluded.home, user = excluded.user, "
    "device = excluded.device, txn = excluded.txn, question = excluded.question, seq = 0, "
    "problem = ''";
constexpr char select_move[] =
    "SELECT home, user, device, txn, question, seq, problem FROM move WHERE channel = ?";
constexpr char select_asked[] =
    "SELECT c.name FROM move m JOIN channel c ON c.id = m.channel "
    "WHERE m.question = ? AND m.seq = 0 AND m.problem = ''";
constexpr char update_end[] = "UPDATE move SET seq = ?, problem = ? WHERE channel = ?";

MoveRow read_move(Statement& row)
{
    MoveRow move;
    move.home = ServerName::trusted(std::string(row.text(0)));
    move.user = row.text(1);
    if (!row.blob(2).empty()) move.device = uuid_from(row.blob(2));
    move.txn = uuid_from(row.blob(3));
    move.question = row.integer(4);
    move.seq = row.integer(5);
    move.problem = row.text(6);
    return move;
}

}  // namespace

Result<void> put_move(Connection& db, std::int64_t channel, const MoveRow& move)
{
    const auto device = move.device ? move.device->bytes() : std::string_view{};
    return run(db, upsert_move, channel, move.home.str(), move.user, Blob{device},
               Blob{move.txn.bytes()}, move.question);
}

Result<std::optional<MoveRow>> find_move(Connection& db, std::int64_t channel)
{
    return one_row(db, select_move, read_move, channel);
}

Result<std::optional<ChannelId>> asked_by(Connection& db, std::int64_t question)
{
    const auto read = [](Statement& row) { return ChannelId::trusted(std::string(row.text(0))); };
    return one_row(db, select_asked, read, question);
}

Result<void> end_move(Connection& db, std::int64_t channel, std::int64_t seq,
                      std::string_view problem)
{
    return run(db, update_end, seq, problem, channel);
}

}  // namespace entente::storage
