// The derived index by event id: brought up to the log at start. The rest of
// ChannelLogStore is in channel_log_store.cpp.
#include "storage/channel_log_store.hpp"

namespace entente::storage {

namespace {

constexpr char select_runs_since[] =
    "SELECT r.rowid, c.name, r.first, r.body FROM run r JOIN channel c ON c.id = r.channel "
    "WHERE r.rowid > ? ORDER BY r.rowid";
constexpr char select_newest_run[] = "SELECT coalesce(max(rowid), 0) FROM run";

}  // namespace

Result<void> ChannelLogStore::catch_up_index(Connection& db)
{
    if (seen_ == nullptr) return {};
    std::int64_t reached = 0;
    if (auto mark = seen_->find(event_index_mark)) reached = mark->seq;
    auto newest = Query::prepare(db, select_newest_run);
    if (!newest) return fail(newest);
    auto found = (*newest)->step();
    if (!found) return fail(found);
    // Ahead of the log: the database is older than the index, which is then made anew.
    if (reached > (*newest)->integer(0)) reached = 0;

    auto query = Query::prepare(db, select_runs_since);
    if (!query) return fail(query);
    (*query)->bind(0, reached);
    for (;;) {
        auto row = (*query)->step();
        if (!row) return fail(row);
        if (!*row) return {};
        auto seq = (*query)->integer(2);
        auto entries = decode_entries((*query)->blob(3));
        if (!entries) return fail(entries);
        for (const auto& entry : *entries) {
            const auto id = protocol::event_id(entry.event);
            seen_->remember(protocol::as_view(id),
                            SeenEvent{std::string((*query)->text(1)), seq++});
        }
        seen_->remember(event_index_mark, SeenEvent{"", (*query)->integer(0)});
    }
}

}  // namespace entente::storage
