#include "storage/channel_log_store.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "storage/directory_store.hpp"
#include "storage/held_store.hpp"
#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/query.hpp"
#include "storage/retention_store.hpp"

namespace entente::storage {

namespace {

using protocol::ChannelId;
using protocol::Hash;
using protocol::ServerName;

constexpr char insert_channel[] =
    "INSERT INTO channel (name, home, floor, state) VALUES (?, ?, ?, ?)";
constexpr char update_channel[] =
    "UPDATE channel SET home = ?, floor = ?, frozen = ?, state = ? WHERE id = ?";
constexpr char insert_head[] =
    "INSERT INTO head (channel, epoch, seq, hash, at) VALUES (?, ?, ?, ?, ?)";
constexpr char update_head[] =
    "UPDATE head SET epoch = ?, seq = ?, hash = ?, at = ? WHERE channel = ?";
constexpr char insert_dedup[] =
    "INSERT INTO dedup (channel, origin, txn, seq) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
// A change of role keeps the seq of the join: it decides what the user may see.
constexpr char upsert_member[] =
    "INSERT INTO member (channel, user, standing, since, sees_after) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (channel, user) DO UPDATE SET "
    "since = CASE WHEN standing <= 2 AND excluded.standing <= 2 THEN since ELSE excluded.since "
    "END, "
    "sees_after = CASE WHEN standing <= 2 AND excluded.standing <= 2 THEN sees_after ELSE "
    "excluded.sees_after END, "
    "standing = excluded.standing";
constexpr char delete_member[] = "DELETE FROM member WHERE channel = ? AND user = ?";
constexpr char delete_members[] = "DELETE FROM member WHERE channel = ?";
constexpr char insert_server[] = "INSERT INTO server (name) VALUES (?)";
constexpr char select_server[] = "SELECT id FROM server WHERE name = ?";

std::string meta_json(const protocol::ChannelState& state)
{
    protocol::ChannelState meta;
    meta.kind = state.kind;
    meta.name = state.name;
    meta.topic = state.topic;
    meta.avatar = state.avatar;
    meta.is_public = state.is_public;
    meta.history = state.history;
    meta.retention = state.retention;
    meta.encryption = state.encryption;
    meta.successors = state.successors;
    meta.home = state.home;
    return protocol::state_json(meta);
}

std::optional<Standing> standing_in(const protocol::ChannelState& state, const std::string& user)
{
    if (const auto member = state.members.find(user); member != state.members.end())
        return static_cast<Standing>(member->second);
    if (state.invited.contains(user)) return Standing::invited;
    if (state.banned.contains(user)) return Standing::banned;
    return std::nullopt;
}

Result<void> write_standing(Connection& db, std::int64_t channel, std::string_view user,
                            Standing standing, std::int64_t since, std::int64_t sees_after)
{
    auto query = Query::prepare(db, upsert_member);
    if (!query) return fail(query);
    (*query)
        ->bind(0, channel)
        .bind_text(1, user)
        .bind(2, static_cast<std::int64_t>(standing))
        .bind(3, since)
        .bind(4, sees_after);
    return (*query)->run();
}

}  // namespace

ChannelLogStore::ChannelLogStore(EventIndex* index, protocol::NameRules rules,
                                 std::size_t max_cached_channels,
                                 std::function<void(CommittedRun&)> on_committed)
    : index_(index),
      rules_(rules),
      max_cached_(max_cached_channels),
      on_committed_(std::move(on_committed))
{
}

Result<LiveChannel*> ChannelLogStore::find(Connection& db, const ChannelId& name)
{
    if (const auto known = by_name_.find(name); known != by_name_.end()) {
        cached_.splice(cached_.begin(), cached_, known->second);
        return known->second->get();
    }
    auto loaded = load(db, name);
    if (!loaded) return fail(loaded);
    cached_.push_front(std::move(*loaded));
    by_name_[name] = cached_.begin();
    return cached_.front().get();
}

Result<std::unique_ptr<LiveChannel>> ChannelLogStore::load(Connection& db, const ChannelId& name)
{
    auto row = read_channel(db, name);
    if (!row) return fail(row);
    auto state = read_state(db, *row, rules_);
    if (!state) return fail(state);
    auto channel = std::make_unique<LiveChannel>();
    channel->id = row->id;
    channel->name = name;
    channel->home = row->home;
    channel->floor = row->floor;
    channel->frozen = row->frozen;
    channel->epoch = row->epoch;
    channel->seq = row->seq;
    channel->hash = row->hash;
    channel->at = row->at;
    channel->state = std::move(*state);
    auto cursors = cursors_of(db, channel->id);
    if (!cursors) return fail(cursors);
    for (const auto& cursor : *cursors) channel->followers.insert(cursor.server);
    auto stall = find_stall(db, channel->id);
    if (!stall) return fail(stall);
    channel->stall = std::move(*stall);
    auto held = is_held(db, channel->id);
    if (!held) return fail(held);
    channel->held = *held;
    auto submissions = has_submissions(db, name);
    if (!submissions) return fail(submissions);
    channel->has_submissions = *submissions;
    return channel;
}

Result<LiveChannel*> ChannelLogStore::create(Connection& db, NewLog log)
{
    auto home = server_id(db, log.home);
    if (!home) return fail(home);
    auto query = Query::prepare(db, insert_channel);
    if (!query) return fail(query);
    (*query)
        ->bind_text(0, log.name.str())
        .bind(1, *home)
        .bind(2, log.floor)
        .bind_text(3, meta_json(log.state));
    if (auto done = keep((*query)->run()); !done) return fail(done);

    auto channel = std::make_unique<LiveChannel>();
    channel->id = db.last_insert_id();
    channel->name = log.name;
    channel->home = log.home;
    channel->floor = channel->seq = log.floor;
    channel->epoch = log.epoch;
    channel->hash = std::move(log.hash);
    channel->at = log.at;
    channel->state = std::move(log.state);

    auto head = Query::prepare(db, insert_head);
    if (!head) return fail(head);
    (*head)->bind(0, channel->id).bind(1, channel->epoch).bind(2, channel->seq);
    (*head)->bind_text(3, channel->hash).bind(4, channel->at);
    if (auto done = keep((*head)->run()); !done) return fail(done);

    cached_.push_front(std::move(channel));
    by_name_[log.name] = cached_.begin();
    auto* live = cached_.front().get();
    touch(*live);
    if (auto done = keep(write_channel(db, *live)); !done) return fail(done);
    return live;
}

Result<void> ChannelLogStore::reset_to(Connection& db, LiveChannel& channel, NewLog log)
{
    // What this transaction has added lies before the hole: a run has no holes in it.
    touch(channel);
    if (auto done = keep(write_run(db, channel)); !done) return done;
    auto query = Query::prepare(db, delete_members);
    if (!query) return keep(fail(query));
    (*query)->bind(0, channel.id);
    if (auto done = keep((*query)->run()); !done) return done;
    channel.home = log.home;
    channel.floor = channel.seq = log.floor;
    channel.epoch = log.epoch;
    channel.hash = std::move(log.hash);
    channel.at = log.at;
    channel.state = std::move(log.state);
    return keep(write_channel(db, channel));
}

// Writes what append() doesn't follow entry by entry: home, floor, state and everybody in it.
Result<void> ChannelLogStore::write_channel(Connection& db, LiveChannel& channel)
{
    channel.meta_changed = true;
    for (const auto& [user, role] : channel.state.members) {
        auto done =
            write_standing(db, channel.id, user, static_cast<Standing>(role), channel.floor, 0);
        if (!done) return done;
    }
    for (const auto& user : channel.state.invited) {
        auto done = write_standing(db, channel.id, user, Standing::invited, channel.floor, 0);
        if (!done) return done;
    }
    for (const auto& user : channel.state.banned) {
        auto done = write_standing(db, channel.id, user, Standing::banned, channel.floor, 0);
        if (!done) return done;
    }
    return {};
}

Result<void> ChannelLogStore::append(Connection& db, LiveChannel& channel, Addition addition)
{
    touch(channel);
    if (!channel.added.empty() && channel.run_epoch != channel.epoch) {
        if (auto done = keep(write_run(db, channel)); !done) return done;
    }
    if (channel.added.empty()) {
        channel.run_first = channel.seq + 1;
        channel.run_epoch = channel.epoch;
        channel.run_home = channel.home;
        channel.run_prev_hash = channel.hash;
    }
    channel.seq += 1;
    channel.at = addition.entry.at;
    channel.hash = protocol::entry_hash(channel.name, channel.epoch, channel.seq, channel.at,
                                        channel.hash, addition.event_id);
    channel.meta_changed |= addition.change.meta;

    if (addition.txn) {
        auto server = server_id(db, addition.origin);
        if (!server) return keep(fail(server));
        auto query = Query::prepare(db, insert_dedup);
        if (!query) return keep(fail(query));
        (*query)
            ->bind(0, channel.id)
            .bind(1, *server)
            .bind_blob(2, addition.txn->bytes())
            .bind(3, channel.seq);
        if (auto done = keep((*query)->run()); !done) return done;
    }
    if (auto done = keep(write_standings(db, channel, addition)); !done) return done;
    channel.users.insert(channel.users.end(), addition.change.users.begin(),
                         addition.change.users.end());
    channel.added.push_back({channel.seq, addition.event_id, std::move(addition.entry)});
    const bool is_over = !channel.state.home.empty() && channel.state.home != channel.home.str();
    return is_over ? keep(end_epoch(db, channel)) : Result<void>{};
}

Result<void> ChannelLogStore::write_standings(Connection& db, LiveChannel& channel,
                                              const Addition& addition)
{
    const auto sees_after = channel.state.history == "all" ? 0 : channel.seq;
    for (const auto& user : addition.change.users) {
        auto standing = standing_in(channel.state, user);
        // Remembered, so that a repeated leave finds the one it repeats [MEM-1].
        if (!standing && addition.leave) standing = Standing::left;
        if (standing) {
            auto done = write_standing(db, channel.id, user, *standing, channel.seq, sees_after);
            if (!done) return done;
            continue;
        }
        auto query = Query::prepare(db, delete_member);
        if (!query) return fail(query);
        (*query)->bind(0, channel.id).bind_text(1, user);
        if (auto done = (*query)->run(); !done) return done;
    }
    return {};
}

void ChannelLogStore::add_seal(LiveChannel& channel, protocol::Seal seal, std::string_view root)
{
    touch(channel);
    seal.proof.root = channel.proofs.root_index(root);
    channel.proofs.seals.push_back(std::move(seal));
}

void ChannelLogStore::set_checkpoint(LiveChannel& channel, protocol::Checkpoint checkpoint,
                                     std::string_view root)
{
    touch(channel);
    checkpoint.proof.root = channel.proofs.root_index(root);
    channel.proofs.checkpoint = std::move(checkpoint);
}

void ChannelLogStore::freeze(LiveChannel& channel)
{
    touch(channel);
    channel.frozen = true;
    channel.meta_changed = true;
}

void ChannelLogStore::thaw(LiveChannel& channel)
{
    touch(channel);
    channel.frozen = false;
    channel.meta_changed = true;
}

Result<void> ChannelLogStore::set_stall(Connection& db, LiveChannel& channel,
                                        std::optional<Stall> stall)
{
    touch(channel);
    channel.stall = std::move(stall);
    return keep(channel.stall ? put_stall(db, channel.id, *channel.stall)
                              : drop_stall(db, channel.id));
}

Result<void> ChannelLogStore::set_held(Connection& db, LiveChannel& channel, bool held)
{
    touch(channel);
    channel.held = held;
    return keep(held ? put_held(db, channel.id) : drop_held(db, channel.id));
}

void ChannelLogStore::note_submission(LiveChannel& channel)
{
    touch(channel);
    channel.has_submissions = true;
}

void ChannelLogStore::add_follower(LiveChannel& channel, const ServerName& server)
{
    touch(channel);
    channel.followers.insert(server);
}

void ChannelLogStore::forget_follower(LiveChannel& channel, const ServerName& server)
{
    touch(channel);
    channel.followers.erase(server);
}

void ChannelLogStore::abandon(LiveChannel& channel, const Error& error)
{
    touch(channel);
    if (!broken_) broken_ = error;
}

Result<std::optional<std::int64_t>> ChannelLogStore::find_server_id(Connection& db,
                                                                    const ServerName& name)
{
    if (const auto known = server_ids_.find(name); known != server_ids_.end())
        return std::optional{known->second};
    auto query = Query::prepare(db, select_server);
    if (!query) return fail(query);
    (*query)->bind_text(0, name.str());
    auto row = (*query)->step();
    if (!row) return fail(row);
    if (!*row) return std::optional<std::int64_t>{};
    return std::optional{server_ids_[name] = (*query)->integer(0)};
}

Result<std::int64_t> ChannelLogStore::server_id(Connection& db, const ServerName& name)
{
    auto known = find_server_id(db, name);
    if (!known) return fail(known);
    if (*known) return **known;
    auto insert = Query::prepare(db, insert_server);
    if (!insert) return fail(insert);
    (*insert)->bind_text(0, name.str());
    if (auto done = (*insert)->run(); !done) return fail(done);
    return server_ids_[name] = db.last_insert_id();
}

Result<void> ChannelLogStore::flush(WriteTransaction& transaction)
{
    if (broken_) return Result<void>{tl::unexpect, *broken_};
    auto& db = transaction.db();
    for (auto* channel : dirty_) {
        if (channel->meta_changed) {
            if (auto done = write_meta(db, *channel); !done) return done;
        }
        auto head = Query::prepare(db, update_head);
        if (!head) return fail(head);
        (*head)->bind(0, channel->epoch).bind(1, channel->seq).bind_text(2, channel->hash);
        (*head)->bind(3, channel->at).bind(4, channel->id);
        if (auto done = (*head)->run(); !done) return done;
        if (auto done = write_run(db, *channel); !done) return done;
    }
    if (auto done = write_erasures(db); !done) return done;
    if (index_ != nullptr) index_->expect(std::exchange(to_index_, {}));
    for (auto& run : written_) transaction.after_commit([this, run] { on_committed_(*run); });
    written_.clear();
    return {};
}

Result<void> ChannelLogStore::write_meta(Connection& db, LiveChannel& channel)
{
    auto home = server_id(db, channel.home);
    if (!home) return fail(home);
    const auto& state = channel.state;
    auto done = entente::storage::run(db, update_channel, *home, channel.floor,
                                      channel.frozen ? 1 : 0, meta_json(state), channel.id);
    if (done) done = set_retention(db, channel.id, state.retention);
    const bool is_listed = state.is_public && state.kind == "group";
    if (done) done = set_listed(db, *home, channel.name, channel.id, is_listed);
    return done;
}

void ChannelLogStore::rolled_back()
{
    // What the database no longer has must not be remembered: channels are loaded anew,
    // server ids may have been given in the transaction that is gone.
    for (auto* channel : dirty_) {
        const auto known = by_name_.find(channel->name);
        if (known == by_name_.end()) continue;
        const auto place = known->second;
        by_name_.erase(known);
        cached_.erase(place);
    }
    dirty_.clear();
    server_ids_.clear();
    to_index_.clear();
    if (index_ != nullptr) index_->rolled_back();
    newest_run_ = {};
    written_.clear();
    erasures_.clear();
    broken_.reset();
}

void ChannelLogStore::committed()
{
    for (auto* channel : dirty_) {
        channel->added.clear();
        channel->users.clear();
        channel->proofs = {};
        channel->meta_changed = false;
        channel->dirty = false;
    }
    dirty_.clear();
    if (marks_ != nullptr && newest_run_.run > 0) marks_->committed(newest_run_);
    erasures_.clear();
    if (index_ != nullptr && newest_run_.run > 0) index_->committed(std::move(newest_run_));
    newest_run_ = {};
    evict();
}

Result<void> ChannelLogStore::keep(Result<void> result)
{
    if (!result && !broken_) broken_ = result.error();
    return result;
}

void ChannelLogStore::touch(LiveChannel& channel)
{
    if (channel.dirty) return;
    channel.dirty = true;
    dirty_.push_back(&channel);
}

void ChannelLogStore::evict()
{
    while (cached_.size() > max_cached_) {
        by_name_.erase(cached_.back()->name);
        cached_.pop_back();
    }
}

}  // namespace entente::storage
