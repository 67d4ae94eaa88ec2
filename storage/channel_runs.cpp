// How ChannelLogStore writes what a transaction has added to a channel: as one run, or as
// several where that would be long; and where an epoch ends. The rest of the class is in
// channel_log_store.cpp.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "storage/channel_log_store.hpp"
#include "storage/epoch_store.hpp"
#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::Hash;

constexpr char insert_run[] =
    "INSERT INTO run (channel, last, first, epoch, prev_hash, proofs, body) VALUES (?, ?, ?, ?, ?, "
    "?, ?)";

// A row of `run` to be: entries of what a commit adds, up to `end`.
struct RunPart {
    std::size_t end = 0;
    std::string prev_hash;
    std::string end_hash;  // where there is more behind it
    std::string body;
    std::string proofs;
};

// What proves the entries begin … end of what a commit adds: the seals over any of them, and
// the checkpoint with the last.
RunProofs proofs_of(const LiveChannel& channel, std::size_t begin, std::size_t end)
{
    std::unordered_set<std::string_view> ids;
    for (auto i = begin; i < end; ++i) ids.insert(protocol::as_view(channel.added[i].event_id));
    const auto is_here = [&](const Hash& id) { return ids.contains(protocol::as_view(id)); };
    RunProofs proofs;
    for (auto seal : channel.proofs.seals) {
        if (std::none_of(seal.events.begin(), seal.events.end(), is_here)) continue;
        seal.proof.root = proofs.root_index(channel.proofs.roots.at(seal.proof.root));
        proofs.seals.push_back(std::move(seal));
    }
    if (end < channel.added.size() || !channel.proofs.checkpoint) return proofs;
    proofs.checkpoint = channel.proofs.checkpoint;
    auto& root = proofs.checkpoint->proof.root;
    root = proofs.root_index(channel.proofs.roots.at(root));
    return proofs;
}

RunPart run_part(const LiveChannel& channel, std::size_t begin, std::string prev_hash)
{
    RunPart part;
    part.prev_hash = std::move(prev_hash);
    part.end = begin;
    while (part.end < channel.added.size() && part.body.size() < max_run_octets)
        append_entry(part.body, channel.added[part.end++].entry);
    const bool is_whole = begin == 0 && part.end == channel.added.size();
    part.proofs = encode_proofs(is_whole ? channel.proofs : proofs_of(channel, begin, part.end));
    if (part.end == channel.added.size()) return part;
    part.end_hash = part.prev_hash;
    for (auto i = begin; i < part.end; ++i) {
        const auto& stored = channel.added[i];
        part.end_hash = protocol::entry_hash(channel.name, channel.run_epoch, stored.seq,
                                             stored.entry.at, part.end_hash, stored.event_id);
    }
    return part;
}

}  // namespace

// What has been added so far; nothing is pending afterwards.
Result<void> ChannelLogStore::write_run(Connection& db, LiveChannel& channel)
{
    auto prev_hash = channel.run_prev_hash;
    for (std::size_t begin = 0; begin < channel.added.size();) {
        auto part = run_part(channel, begin, std::move(prev_hash));
        const auto last = channel.added[part.end - 1].seq;
        auto run = bound(db, insert_run, channel.id, last, channel.added[begin].seq,
                         channel.run_epoch, part.prev_hash, Blob{part.proofs}, Blob{part.body});
        if (!run) return fail(run);
        if (auto done = (*run)->run(); !done) return done;
        newest_run_ = {db.last_insert_id(), run_name(channel.id, last, part.prev_hash)};
        prev_hash = std::move(part.end_hash);
        begin = part.end;
    }
    if (channel.added.empty()) return {};
    for (const auto& stored : channel.added)
        to_index_.push_back({stored.event_id, {channel.id, stored.seq}});
    auto committed = std::make_shared<CommittedRun>();
    committed->channel_id = channel.id;
    committed->channel = channel.name;
    committed->home = channel.run_home;
    committed->users = std::exchange(channel.users, {});
    committed->followers.assign(channel.followers.begin(), channel.followers.end());
    committed->entries = std::exchange(channel.added, {});
    channel.proofs = {};
    written_.push_back(std::move(committed));
    return {};
}

// The run stays open: what proves its entries may still come.
Result<void> ChannelLogStore::end_epoch(Connection& db, LiveChannel& channel)
{
    auto home = server_id(db, channel.home);
    if (!home) return fail(home);
    auto put = put_epoch(db, channel.id, channel.epoch, *home, channel.seq);
    if (!put) return put;
    channel.epoch += 1;
    channel.home = protocol::ServerName::trusted(channel.state.home);
    channel.meta_changed = true;
    return {};
}

}  // namespace entente::storage
