#include "federation/links/batch.hpp"

#include <algorithm>

#include "protocol/raw_members.hpp"
#include "storage/epoch_store.hpp"

namespace entente::federation {

namespace {

constexpr std::size_t submissions_per_page = 200;
constexpr std::size_t direct_per_batch = 100;
constexpr std::size_t direct_pages = 100;  // looked at, where some wait for the clock

// What is left of a batch's limits while it fills.
struct Room {
    std::size_t octets;
    std::size_t items;
    [[nodiscard]] bool is_full() const { return octets == 0 || items == 0; }
    void take(std::size_t size)
    {
        octets -= std::min(octets, size);
        items -= std::min<std::size_t>(items, 1);
    }
};

// [EVT-5] What was written by a clock that was fast waits until the right one has caught up: the
// receiver would put it off, and with it what others wrote. What it would refuse goes.
bool is_early(Millis at, Millis now)
{
    return now > 0 && at > now &&
           at <= now + protocol::max_event_ahead_ms + protocol::max_event_wait_ms;
}

// As many as there is room for, each author's behind what waits for the clock with it.
Result<void> read_direct(storage::Connection& db, const ServerName& peer, Millis now,
                         const std::set<std::string>& held, Room& room, BatchDraft& draft)
{
    const auto most = std::min(room.items, direct_per_batch);
    std::set<std::string> early;
    std::int64_t after = 0;
    for (std::size_t page = 0; page < direct_pages; ++page) {
        auto rows = storage::outgoing_direct(db, peer, after, direct_per_batch);
        if (!rows) return fail(rows);
        for (auto& row : *rows) {
            after = row.id;
            if (early.contains(row.sender) || is_early(row.at, now)) {
                if (early.insert(row.sender).second) draft.note_due(row.at);
                continue;
            }
            if (!held.empty() && held.contains(sequence_of(row))) continue;
            if (room.is_full() || draft.direct.size() == most) {
                draft.is_cut = true;
                return {};
            }
            const auto size = row.event.size() + row.content.size();
            room.take(size);
            ++draft.items;
            draft.octets += size;
            draft.direct.push_back(std::move(row));
        }
        if (rows->size() < direct_per_batch) return {};
    }
    draft.is_cut = !draft.direct.empty();
    return {};
}

Result<void> read_submissions(storage::Connection& db, const ServerName& peer, const Held& held,
                              Millis now, Room& room, BatchDraft& draft)
{
    std::map<std::string, std::size_t> places;
    std::set<std::pair<std::string, std::string>> early;  // channel and author
    // Page by page: what is held back must not hide what lies behind it.
    std::int64_t after = 0;
    while (!room.is_full()) {
        auto rows = storage::unsent_submissions(db, peer, after, submissions_per_page);
        if (!rows) return fail(rows);
        if (rows->empty()) return {};
        for (auto& row : *rows) {
            after = row.id;
            if (held.submissions.contains(row.channel.str())) continue;
            auto way = std::pair{row.channel.str(), row.user};
            if (early.contains(way) || is_early(row.at, now)) {
                if (early.insert(std::move(way)).second) draft.note_due(row.at);
                continue;
            }
            const auto size = row.event.size() + row.content.size();
            if (room.is_full() || (size > room.octets && draft.items > 0)) {
                draft.is_cut = true;
                return {};
            }
            room.take(size);
            ++draft.items;
            draft.octets += size;
            const auto [place, is_new] =
                places.try_emplace(row.channel.str(), draft.submissions.size());
            if (is_new) draft.submissions.push_back({row.channel, {}});
            draft.submissions[place->second].rows.push_back(std::move(row));
        }
    }
    draft.is_cut = true;
    return {};
}

Result<LogPart> read_part(storage::Connection& db, const ServerName& self,
                          storage::ChannelRow channel, const storage::CursorRow& cursor,
                          const Room& room)
{
    storage::PageLimits limits;
    limits.entries = static_cast<std::int64_t>(room.items);
    if (cursor.until > 0) limits.entries = std::min(limits.entries, cursor.until - cursor.seq);
    limits.octets = room.octets;
    auto part = read_provable(db, self, std::move(channel), cursor.seq, limits);
    if (!part) return part;
    part->until = cursor.until;
    part->floor = std::max(cursor.floor, part->channel.floor);
    return part;
}

// How far others are is told to authors, and then not with every slice.
Result<void> read_acks(storage::Connection& db, const ServerName& peer, LogPart& part)
{
    auto cursors = storage::cursors_of(db, part.channel.id);
    if (!cursors) return fail(cursors);
    for (const auto& other : *cursors) {
        if (other.server != peer && other.until == 0) part.acks[other.server.str()] = other.seq;
    }
    return {};
}

// [SUC-6] The last entry of the epoch of `part`, under its home's checkpoint.
Result<LogPart> read_move(storage::Connection& db, const ServerName& self, LogPart part)
{
    auto last = storage::find_epoch_end(db, part.channel.id, part.page.epoch);
    if (!last) return fail(last);
    if (!*last) return part;
    storage::PageLimits limits;
    limits.entries = 1;
    auto move = read_provable(db, self, std::move(part.channel), **last - 1, limits);
    if (move) move->shows_move = true;
    return move;
}

// Where not all logs are looked at, those are besides for which a heartbeat is due: one that has
// just grown carries it.
Result<std::vector<storage::OwedLog>> owed_of(storage::Connection& db, const ServerName& self,
                                              const ServerName& peer,
                                              std::optional<std::set<std::int64_t>> logs,
                                              const std::set<std::string>& beats)
{
    if (!logs) return storage::owed_logs(db, self, peer);
    for (const auto& name : beats) {
        auto channel = storage::read_channel(db, protocol::ChannelId::trusted(name));
        if (channel) logs->insert(channel->id);
    }
    return storage::owed_logs(db, self, peer, *logs);
}

Result<void> read_logs(storage::Connection& db, const ServerName& self, const ServerName& peer,
                       const Held& held, const BatchLimits& limits, Room& room, BatchDraft& draft)
{
    auto beats = held.heartbeats;
    beats.insert(held.questions.begin(), held.questions.end());
    auto owed = owed_of(db, self, peer, limits.logs, beats);
    if (!owed) return fail(owed);
    const auto is_behind = [&](const storage::OwedLog& log) {
        return log.channel > limits.last_log;
    };
    std::ranges::rotate(*owed, std::ranges::find_if(*owed, is_behind));
    std::set<std::string> sent;
    for (const auto& log : *owed) {
        draft.logs_left.insert(log.channel);
        if (room.is_full()) {
            draft.is_cut = true;
            continue;
        }
        auto channel = storage::read_channel(db, log.channel);
        if (!channel) return fail(channel);
        const auto name = channel->name.str();
        if (held.logs.contains(name)) continue;
        auto part = read_part(db, self, std::move(*channel),
                              storage::CursorRow{peer, log.seq, log.floor, log.until}, room);
        if (part && held.moves.contains(name) && part->is_past_homes)
            part = read_move(db, self, std::move(*part));
        if (!part) return fail(part);
        if (part->page.entries.empty()) continue;
        if (held.heartbeats.contains(name)) {
            if (auto read = read_acks(db, peer, *part); !read) return fail(read);
        }
        if (const auto keys = held.keys.find(name); keys != held.keys.end())
            part->keys = keys->second;
        for (const auto& stored : part->page.entries) {
            const auto size = stored.entry.event.size() +
                              (stored.entry.content ? stored.entry.content->size() : 0);
            room.take(size);
            draft.octets += size;
        }
        draft.items += part->page.entries.size();
        if (part->page.end.seq == (log.until > 0 ? log.until : part->channel.seq))
            draft.logs_left.erase(log.channel);
        sent.insert(name);
        draft.logs.push_back(std::move(*part));
    }
    // A heartbeat carries acks that no entry is going to carry, or asks what is held there.
    for (const auto& name : beats) {
        if (room.is_full() || sent.contains(name) || held.logs.contains(name)) continue;
        auto channel = storage::read_channel(db, protocol::ChannelId::trusted(name));
        if (!channel || channel->home != self) continue;
        auto cursor = storage::find_cursor(db, channel->id, peer);
        if (!cursor) return fail(cursor);
        if (!*cursor || (*cursor)->seq != channel->seq) continue;
        auto part = read_part(db, self, std::move(*channel), **cursor, room);
        if (!part) return fail(part);
        if (!part->page.entries.empty()) continue;
        if (held.heartbeats.contains(name)) {
            if (auto read = read_acks(db, peer, *part); !read) return fail(read);
        }
        room.take(0);
        ++draft.items;
        draft.logs.push_back(std::move(*part));
    }
    return {};
}

// Nothing is under it: every place is one less. A root that nothing uses is malformed.
void leave_out_first_root(protocol::OutgoingTransaction& transaction,
                          std::vector<std::string> roots)
{
    roots.erase(roots.begin());
    for (auto& slice : transaction.logs) {
        slice.checkpoint.proof.root -= 1;
        for (auto& seal : slice.seals) seal.proof.root -= 1;
    }
    transaction.roots = std::move(roots);
}

}  // namespace

std::string sequence_of(const storage::DirectRow& row)
{
    protocol::RawMembers members{row.event, ""};
    const auto to = members.text("to", protocol::max_name_octets);
    auto sequence = members.text("sender", protocol::max_name_octets) + ' ' + to;
    if (to.find('@') == std::string::npos)
        sequence += ' ' + members.text("type", protocol::max_event_octets);
    return sequence;
}

Result<BatchDraft> read_batch(storage::Connection& db, const ServerName& self,
                              const ServerName& peer, const BatchLimits& limits, const Held& held)
{
    BatchDraft draft;
    Room room{limits.octets, limits.items};
    if (!held.direct) {
        auto direct = read_direct(db, peer, limits.now, held.sequences, room, draft);
        if (!direct) return fail(direct);
    }
    // Half of the room is the logs': neither side of a busy peer starves the other. Where there
    // is none they are looked at all the same, for what is left.
    const Room all = room;
    room = {all.octets - all.octets / 2, all.items - all.items / 2};
    auto submissions = read_submissions(db, peer, held, limits.now, room, draft);
    if (!submissions) return fail(submissions);
    Room rest{all.octets / 2 + room.octets, all.items / 2 + room.items};
    auto logs = read_logs(db, self, peer, held, limits, rest, draft);
    if (!logs) return fail(logs);
    return draft;
}

Result<LogPart> read_provable(storage::Connection& db, const ServerName& self,
                              storage::ChannelRow channel, std::int64_t after,
                              storage::PageLimits limits)
{
    LogPart part;
    auto page = storage::read_log(db, channel, after, limits);
    if (!page) return fail(page);
    auto is_own = storage::is_home_of(db, channel, page->epoch, self);
    if (!is_own) return fail(is_own);
    if (!*is_own) {
        limits.to_checkpoint = true;
        page = storage::read_log(db, channel, after, limits, true);
        if (!page) return fail(page);
        if (!page->proofs.checkpoint) page->entries.clear();
    }
    part.is_past_homes = !*is_own;
    part.page = std::move(*page);
    part.channel = std::move(channel);
    return part;
}

protocol::Slice home_slice(const LogPart& part, protocol::RootBuilder& leaves,
                           storage::RunProofs& roots)
{
    protocol::Slice slice;
    const auto& page = part.page;
    slice.channel = part.channel.name;
    slice.epoch = page.epoch;
    slice.after = page.after;
    slice.entries.reserve(page.entries.size());
    for (const auto& stored : page.entries) slice.entries.push_back(stored.entry);
    for (auto seal : page.proofs.seals) {
        seal.proof.root = roots.root_index(page.proofs.roots[seal.proof.root]);
        slice.seals.push_back(std::move(seal));
    }
    if (part.is_past_homes) {
        slice.checkpoint = *page.proofs.checkpoint;
        auto& root = slice.checkpoint.proof.root;
        root = roots.root_index(page.proofs.roots[root]);
    } else {
        slice.checkpoint = {page.epoch, page.end.seq, page.end.hash, {}};
        slice.checkpoint.proof.index = leaves.add(
            protocol::checkpoint_leaf(slice.channel, page.epoch, page.end.seq, page.end.hash));
    }
    slice.latest = std::max(part.channel.seq, page.end.seq);
    slice.floor = part.floor;
    slice.acks = part.acks;
    slice.keys = part.keys;
    return slice;
}

protocol::OutgoingTransaction sign_batch(const BatchDraft& draft, const Identity& identity,
                                         Millis now)
{
    protocol::OutgoingTransaction transaction;
    protocol::RootBuilder leaves;
    storage::RunProofs roots;
    roots.roots.emplace_back();  // our own, once it is signed

    for (const auto& part : draft.submissions) {
        protocol::Submission submission;
        submission.channel = part.channel;
        for (const auto& row : part.rows) {
            submission.events.push_back({row.event, row.content});
            submission.seal.events.push_back(row.event_id);
        }
        submission.seal.proof.index =
            leaves.add(protocol::seal_leaf(part.channel, submission.seal.events));
        transaction.submissions.push_back(std::move(submission));
    }
    for (const auto& part : draft.logs) transaction.logs.push_back(home_slice(part, leaves, roots));
    for (const auto& row : draft.direct) transaction.direct.push_back({row.event, row.content});
    transaction.signals = draft.signals;
    if (leaves.empty()) {
        leave_out_first_root(transaction, std::move(roots.roots));
        return transaction;
    }
    auto signed_root = leaves.sign(identity.key, identity.name, now);
    roots.roots.front() = std::move(signed_root.jws);
    for (auto& submission : transaction.submissions)
        submission.seal.proof.path = signed_root.paths[submission.seal.proof.index];
    for (auto& slice : transaction.logs) {
        auto& proof = slice.checkpoint.proof;
        if (proof.root == 0) proof.path = signed_root.paths[proof.index];
    }
    transaction.roots = std::move(roots.roots);
    return transaction;
}

}  // namespace entente::federation
