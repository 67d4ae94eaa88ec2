// Looking things up in a channel that the writer holds: by txn, by seq, by event id. The
// rest of ChannelLogStore is in channel_log_store.cpp.
#include "storage/channel_log_store.hpp"
#include "storage/log_reader.hpp"
#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::Hash;
using protocol::ServerName;

constexpr char select_dedup[] =
    "SELECT seq FROM dedup WHERE channel = ? AND origin = ? AND txn = ?";
constexpr char select_run_of[] =
    "SELECT first, epoch, prev_hash, body FROM run WHERE channel = ? AND last >= ? ORDER BY last "
    "LIMIT 1";

protocol::Failure damaged_run()
{
    return fail(Code::internal, "a stored run holds fewer entries than it says");
}

}  // namespace

Result<std::optional<std::int64_t>> ChannelLogStore::find_txn(Connection& db,
                                                              const LiveChannel& channel,
                                                              const ServerName& origin,
                                                              const protocol::Uuid& txn)
{
    auto server = find_server_id(db, origin);
    if (!server) return fail(server);
    if (!*server) return std::optional<std::int64_t>{};
    auto query = Query::prepare(db, select_dedup);
    if (!query) return fail(query);
    (*query)->bind(0, channel.id).bind(1, **server).bind_blob(2, txn.bytes());
    auto row = (*query)->step();
    if (!row) return fail(row);
    if (!*row) return std::optional<std::int64_t>{};
    return std::optional<std::int64_t>{(*query)->integer(0)};
}

Result<StoredEntry> ChannelLogStore::entry_at(Connection& db, const LiveChannel& channel,
                                              std::int64_t seq)
{
    if (!channel.added.empty() && seq >= channel.run_first && seq <= channel.seq)
        return channel.added[static_cast<std::size_t>(seq - channel.run_first)];
    auto stored = read_entry(db, channel.id, seq);
    if (!stored) return stored;
    return as_erased(channel.id, std::move(*stored));
}

Result<std::string> ChannelLogStore::hash_at(Connection& db, const LiveChannel& channel,
                                             std::int64_t seq)
{
    if (seq == channel.seq) return channel.hash;
    if (seq > channel.seq) return fail(Code::not_found, "beyond the log's end");
    if (!channel.added.empty() && seq >= channel.run_first - 1) {
        auto hash = channel.run_prev_hash;
        for (const auto& stored : channel.added) {
            if (stored.seq > seq) break;
            hash = protocol::entry_hash(channel.name, channel.run_epoch, stored.seq,
                                        stored.entry.at, hash, stored.event_id);
        }
        return hash;
    }
    auto query = Query::prepare(db, select_run_of);
    if (!query) return fail(query);
    // The run that begins behind `seq` knows its hash too: that of a floor.
    (*query)->bind(0, channel.id).bind(1, seq);
    auto row = (*query)->step();
    if (!row) return fail(row);
    const auto first = *row ? (*query)->integer(0) : 0;
    if (!*row || first > seq + 1) return fail(Code::not_found, "no entry with this seq here");
    std::string hash((*query)->text(2));
    if (first == seq + 1) return hash;
    auto entries = decode_entries((*query)->blob(3));
    if (!entries) return fail(entries);
    if (static_cast<std::size_t>(seq - first) >= entries->size()) return damaged_run();
    const auto epoch = (*query)->integer(1);
    for (std::int64_t i = first; i <= seq; ++i) {
        const auto& entry = (*entries)[static_cast<std::size_t>(i - first)];
        hash = protocol::entry_hash(channel.name, epoch, i, entry.at, hash,
                                    protocol::event_id(entry.event));
    }
    return hash;
}

Result<std::int64_t> ChannelLogStore::epoch_behind(Connection& db, const LiveChannel& channel,
                                                   std::int64_t seq)
{
    if (seq >= channel.seq) return channel.epoch;
    if (!channel.added.empty() && seq >= channel.run_first - 1) return channel.run_epoch;
    auto query = bound(db, select_run_of, channel.id, seq + 1);
    if (!query) return fail(query);
    auto row = (*query)->step();
    if (!row) return fail(row);
    if (!*row) return fail(Code::not_found, "no entry with this seq here");
    return (*query)->integer(1);
}

Result<StoredEntry> ChannelLogStore::entry_by_id(Connection& db, const LiveChannel& channel,
                                                 const Hash& event_id)
{
    for (const auto& stored : channel.added) {
        if (stored.event_id == event_id) return stored;
    }
    if (index_ == nullptr) return fail(Code::not_found, "no index of events");
    auto found = index_->find(db, event_id);
    if (!found) return fail(found);
    if (found->channel != channel.id)
        return fail(Code::not_found, "the event is in another channel");
    return as_erased(channel.id, std::move(found->stored));
}

}  // namespace entente::storage
