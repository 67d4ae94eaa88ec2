#include "federation/log/follower_log.hpp"

#include <algorithm>
#include <charconv>

#include "federation/log/evidence.hpp"
#include "federation/log/following.hpp"
#include "federation/log/home_log.hpp"
#include "protocol/content_rules.hpp"
#include "storage/epoch_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/vouched_store.hpp"

namespace entente::federation {

namespace {

using protocol::ChannelId;
using protocol::SliceResult;
using protocol::SliceStatus;
using storage::LiveChannel;
using storage::WriteTransaction;

SliceResult refused(const std::string& channel, const Error& problem)
{
    SliceResult result;
    result.channel = channel;
    const bool later = is_passing(problem);
    result.status = later ? SliceStatus::deferred : SliceStatus::refused;
    result.retry_after = later ? std::max<std::int64_t>(problem.retry_after, 1) : 0;
    result.problem = problem;
    return result;
}

// [SUC-6] No content that isn't rightly gone, and no key that nobody else shows.
bool omits_nothing(const LiveChannel& channel, const VerifiedSlice& slice, Millis now)
{
    for (std::size_t i = 0; i < slice.events.size(); ++i) {
        if (!is_whole_or_rightly_gone(channel, slice, i, now)) return false;
    }
    return std::ranges::all_of(slice.facts,
                               [](const SealFacts& facts) { return facts.vouched_kid.empty(); });
}

}  // namespace

SliceResult follower_answer(const LiveChannel& channel, SliceStatus status)
{
    SliceResult result;
    result.channel = channel.name.str();
    result.status = status;
    result.epoch = channel.epoch;
    result.have = {channel.seq, channel.hash};
    return result;
}

std::string believed_before_fact(const ChannelId& channel)
{
    return "believed_before:" + channel.str();
}

FollowerLog::FollowerLog(const Identity& identity, storage::ChannelLogStore& store,
                         LongWaits& waits, const protocol::Clock& clock, FollowerEvents events)
    : identity_(identity), store_(store), waits_(waits), clock_(clock), events_(std::move(events))
{
}

SliceResult FollowerLog::take(WriteTransaction& transaction, const VerifiedSlice& slice,
                              const ServerName& origin)
{
    if (slice.slice.channel.empty()) return take_unreadable(transaction, slice, origin);
    auto& db = transaction.db();
    auto found = store_.find(db, slice.slice.channel);
    if (!found && found.error().code != Code::not_found)
        return refused(slice.channel_text, found.error());
    if (!found) {
        auto joining = awaits_join(transaction, slice, origin);
        if (!joining) return refused(slice.channel_text, joining.error());
        SliceResult result;
        result.channel = slice.channel_text;
        result.status = *joining ? SliceStatus::need_snapshot : SliceStatus::not_following;
        return result;
    }
    auto& channel = **found;
    // [LOG-3] Before anything is said about what is held here.
    const bool is_from_home = channel.home == origin;
    const bool is_next = !is_from_home && is_next_home(channel, slice, origin);
    auto brings = is_from_home || is_next ? Result<bool>{true} : may_bring(db, channel, origin);
    if (!brings) return refused(slice.channel_text, brings.error());
    // What the home's signature doesn't cover, contents and keys, only the home may leave out or
    // vouch for, and who it was handed over to.
    const auto is_proven = [&] {
        return *brings && is_proven_by_home(channel, slice) &&
               (is_next ? has_what_the_fold_needs(slice)
                        : omits_nothing(channel, slice, clock_.now_ms()));
    };
    if (!is_from_home && !is_proven()) {
        auto told = answer_stranger(db, channel, slice, origin);
        return told ? std::move(*told) : refused(slice.channel_text, told.error());
    }
    if (slice.problem) return refuse_slice(transaction, channel, *slice.problem, origin);
    if (channel.frozen) return follower_answer(channel, SliceStatus::fork);
    // [LOG-3] Who has left is owed nothing, and a former home must not fill our disk.
    if (!channel.state.has_member_of(identity_.name)) {
        auto joining = storage::has_open_join(db, slice.slice.channel);
        if (!joining) return refused(slice.channel_text, joining.error());
        if (!*joining) {
            // [LOG-4] But a log that isn't the one that was left shows why nobody is sent what
            // its home owes: the home was put back to before that, and has gone on.
            auto forked = fork_where_it_differs(transaction, channel, slice);
            if (!forked) return refused(slice.channel_text, forked.error());
            return *forked ? std::move(**forked)
                           : follower_answer(channel, SliceStatus::not_following);
        }
    }
    if (!slice.missing.empty()) {
        auto result = follower_answer(channel, SliceStatus::need_keys);
        result.kids = slice.missing;
        return result;
    }
    auto result = compare_and_apply(transaction, channel, slice, is_from_home);
    if (result) return std::move(*result);
    return refuse_slice(transaction, channel, result.error(), origin);
}

// [SUC-6] Who follows the channel may be its next home; and so may who was asked to be joined.
Result<bool> FollowerLog::may_bring(storage::Connection& db, const LiveChannel& channel,
                                    const ServerName& origin)
{
    if (channel.state.has_member_of(origin)) return true;
    return storage::has_open_join(db, channel.name, origin);
}

// A new home learns where its follower stands, an old one that it is none any more; all others
// nothing.
Result<SliceResult> FollowerLog::answer_stranger(storage::Connection& db,
                                                 const LiveChannel& channel,
                                                 const VerifiedSlice& slice,
                                                 const ServerName& origin)
{
    if (slice.slice.epoch > channel.epoch && channel.state.has_member_of(origin))
        return follower_answer(channel, SliceStatus::gap);
    auto was_home = storage::was_home(db, channel.id, origin);
    if (!was_home) return fail(was_home);
    if (!*was_home)
        return refused(slice.channel_text,
                       Error{Code::not_home, "a slice from a server that isn't the home", {}, 0});
    auto result = follower_answer(channel, SliceStatus::superseded);
    result.problem = Error{Code::superseded, "the channel has moved", channel.home.str(), 0};
    if (slice.slice.latest < channel.floor || slice.slice.latest > channel.seq) return result;
    auto hash = store_.hash_at(db, channel, slice.slice.latest);
    if (!hash) return fail(hash);
    result.agrees = protocol::Position{slice.slice.latest, *hash};
    return result;
}

// What can't be read may still name the channel that it keeps from going on.
SliceResult FollowerLog::take_unreadable(WriteTransaction& transaction, const VerifiedSlice& slice,
                                         const ServerName& origin)
{
    const auto name = protocol::parse_channel_id(slice.channel_text, identity_.names);
    if (!name) return refused(slice.channel_text, *slice.problem);
    auto found = store_.find(transaction.db(), *name);
    if (!found || (*found)->home != origin) return refused(slice.channel_text, *slice.problem);
    return refuse_slice(transaction, **found, *slice.problem, origin);
}

// That a log stands still is the home's doing, whatever others bring.
SliceResult FollowerLog::refuse_slice(WriteTransaction& transaction, LiveChannel& channel,
                                      const Error& problem, const ServerName& origin)
{
    auto result = refused(channel.name.str(), problem);
    result.epoch = channel.epoch;
    result.have = {channel.seq, channel.hash};
    const bool stands_still = channel.home == origin && result.status == SliceStatus::refused &&
                              !channel.frozen && channel.state.has_member_of(identity_.name);
    auto noted = stands_still ? waits_.refused(transaction, channel, problem) : Result<void>{};
    if (!noted) return refused(channel.name.str(), noted.error());
    return result;
}

Result<SliceResult> FollowerLog::compare_and_apply(WriteTransaction& transaction,
                                                   LiveChannel& channel,
                                                   const VerifiedSlice& verified, bool is_from_home)
{
    auto& db = transaction.db();
    const auto& slice = verified.slice;
    // The home goes on with what lies before its epoch.
    if (slice.epoch > channel.epoch) return follower_answer(channel, SliceStatus::gap);
    if (slice.epoch < channel.epoch) return compare_past(db, channel, verified);
    if (verified.home != channel.home)
        return refuse(Code::signature_invalid, "a checkpoint by another server than the home");
    if (slice.after.seq > channel.seq) return answer_gap(transaction, channel, slice, is_from_home);

    auto forked = fork_where_it_differs(transaction, channel, verified);
    if (!forked) return fail(forked);
    if (*forked) return std::move(**forked);
    const auto last = last_of(slice);
    const auto shared = std::min(last, channel.seq);
    // Below the floor there is nothing to compare with.
    if (shared < channel.floor) return follower_answer(channel, SliceStatus::gap);

    if (slice.latest < channel.seq) {
        auto result = follower_answer(channel, SliceStatus::ahead);
        auto hash = slice.latest < channel.floor
                        ? Result<std::string>{fail(Code::not_found, "below the floor")}
                        : store_.hash_at(db, channel, slice.latest);
        if (!hash) return follower_answer(channel, SliceStatus::gap);
        result.agrees = protocol::Position{slice.latest, *hash};
        return result;
    }
    const auto first_new = static_cast<std::size_t>(shared - slice.after.seq);
    auto unsealed = find_unsealed(db, channel, verified, first_new);
    if (!unsealed) return fail(unsealed);
    if (*unsealed) return fork(transaction, channel, verified, unsealed_evidence, **unsealed);
    // An old slice that comes again is no progress; having all there is, is. How much there is,
    // and who else has it, only the home can say.
    const bool goes_on = last > channel.seq || (is_from_home && slice.latest == channel.seq);
    auto applied = apply(transaction, channel, verified, first_new);
    if (!applied) return fail(applied);
    auto over = goes_on ? waits_.over(transaction, channel) : Result<void>{};
    if (!over) return fail(over);
    if (is_from_home) note_acks(transaction, channel, verified);
    const bool ends_here = is_from_home && slice.entries.empty() && slice.latest == channel.seq;
    auto lost = ends_here ? hand_in_lost(transaction, channel) : Result<void>{};
    if (!lost) return fail(lost);
    return follower_answer(channel, SliceStatus::ok);
}

// [QRY-13] What lies before the floor isn't given any more. That is the home's to say, whatever
// others bring; and where a join is outstanding its result says it.
Result<SliceResult> FollowerLog::answer_gap(WriteTransaction& transaction,
                                            const LiveChannel& channel,
                                            const protocol::Slice& slice, bool is_from_home) const
{
    if (!is_from_home || slice.floor <= channel.seq)
        return follower_answer(channel, SliceStatus::gap);
    auto joining = storage::has_unsent_join(transaction.db(), channel.name);
    if (!joining) return fail(joining);
    if (!*joining && events_.lacks_floor)
        transaction.after_commit([lacks = events_.lacks_floor, name = channel.name,
                                  home = channel.home,
                                  floor = slice.floor] { lacks(name, home, floor); });
    return follower_answer(channel, SliceStatus::need_snapshot);
}

Result<void> FollowerLog::apply(WriteTransaction& transaction, LiveChannel& channel,
                                const VerifiedSlice& verified, std::size_t first_new)
{
    const auto& slice = verified.slice;
    auto& db = transaction.db();
    if (first_new >= slice.entries.size()) return {};
    if (slice.entries[first_new].at < channel.at)
        return refuse(Code::malformed, "an entry is older than the one before it");
    if (auto can = can_apply(db, channel, verified, first_new); !can) return can;
    const auto home = channel.home;
    for (auto i = first_new; i < slice.entries.size(); ++i) {
        auto applied = apply_entry(transaction, channel, slice.entries[i], verified.events[i],
                                   verified.facts[i], slice.latest);
        if (!applied) {
            store_.abandon(channel, applied.error());
            return applied;
        }
    }
    for (const auto& seal : slice.seals)
        store_.add_seal(channel, seal, verified.root_of(seal.proof));
    store_.set_checkpoint(channel, slice.checkpoint, verified.root_of(slice.checkpoint.proof));
    tell_late(transaction, channel, verified, first_new);
    auto lost = storage::reopen_submissions(db, channel.name, channel.floor, channel.seq);
    const bool has_moved = lost && channel.home != home && events_.moved;
    auto moved = has_moved ? events_.moved(transaction, channel, home) : Result<void>{};
    if (!lost || !moved) {
        const auto error = lost ? moved.error() : lost.error();
        store_.abandon(channel, error);
        return Result<void>{tl::unexpect, error};
    }
    // [LOG-5] Their numbers are other events' now: the home was put back to before them.
    if (*lost && events_.owes)
        transaction.after_commit([owes = events_.owes, home = channel.home] { owes(home); });
    return {};
}

// [MEM-2] What the home should not have taken is held and has no effect; a consent that isn't
// the new home's is none [SUC-2].
Result<protocol::StateChange> FollowerLog::fold(LiveChannel& channel, const protocol::Entry& entry,
                                                const protocol::Event& event,
                                                const SealFacts& facts,
                                                const std::optional<Target>& target) const
{
    if (!facts.has_consent)
        return refuse(Code::signature_invalid, "the consent's signature does not verify");
    return protocol::apply_event(channel.state, event, entry.content.value_or(""), channel.seq + 1,
                                 channel.epoch, facts_of(target), identity_.names);
}

Result<void> FollowerLog::apply_entry(WriteTransaction& transaction, LiveChannel& channel,
                                      const protocol::Entry& entry,
                                      const protocol::FollowedEvent& followed,
                                      const SealFacts& facts, std::int64_t latest)
{
    using protocol::Mark;
    auto& db = transaction.db();
    const auto& event = followed.event;
    storage::ChannelLogStore::Addition addition;
    addition.entry = entry;
    addition.entry.marks = facts.marks;
    // [MEM-4] What would have deleted it isn't there; later it couldn't be told any more.
    if (!entry.content && !entry.expired && entry.deleted_by > latest)
        addition.entry.marks |= protocol::bit(Mark::withheld);
    if (!followed.breach.empty()) addition.entry.marks |= protocol::bit(Mark::no_effect);
    if (!facts.vouched_kid.empty()) {
        auto put = storage::put_vouched(db, channel.id, channel.seq + 1, facts.vouched_kid,
                                        facts.vouched_x);
        if (!put) return put;
    }
    addition.event_id = event.id;
    addition.origin = event.sender.server;
    Result<std::optional<Target>> target;
    protocol::StateChange effect;
    bool has_effect = false;
    bool cant_tell = false;
    if (followed.breach.empty()) {
        addition.txn = event.txn;
        // What can't be told now must not be taken for unknown: the log decides alike wherever
        // it is held.
        target = find_target(store_, db, channel, event, identity_.names);
        if (!target) return fail(target);
        // [EVT-2] What the log holds already has had its effect; and may have been deleted since.
        // What lies before a hole proves nothing: the home may have been put back in between, and
        // have taken it anew.
        auto earlier = store_.find_txn(db, channel, event.sender.server, event.txn);
        if (!earlier) return fail(earlier);
        const bool is_repeat = earlier->value_or(0) > channel.floor;
        if (is_repeat) addition.entry.content.reset();
        auto change = is_repeat
                          ? Result<protocol::StateChange>{fail(
                                Code::equivocation, "an entry under a txn that the log holds")}
                          : fold(channel, entry, event, facts, *target);
        has_effect = change.has_value();
        // What it refers to may lie before the log that is held here.
        cant_tell = !change && change.error().code == Code::not_found && event.target && !*target &&
                    channel.floor > 0;
        if (!change && !cant_tell) addition.entry.marks |= protocol::bit(Mark::no_effect);
        if (change) addition.change = *change;
        if (change) effect = std::move(*change);
        addition.leave = event.type == "member.leave";
        if (event.sender.server == identity_.name) {
            auto settled = storage::settle_submission(db, channel.name, event.txn);
            if (!settled) return settled;
            auto dropped = event.type == "member.join"
                               ? storage::drop_invitation(db, event.sender.text, channel.name.str())
                               : Result<void>{};
            if (!dropped) return dropped;
        }
    }
    auto added = store_.append(db, channel, std::move(addition));
    if (added && cant_tell) return erase_behind_unheld(store_, db, channel, event);
    if (!added || !has_effect) return added;
    auto noted = note_following(store_, db, channel, identity_.name, event, effect);
    if (!noted) return noted;
    return erase_behind(store_, db, channel, event, *target);
}

// [KEY-7] Told, and neither refused nor without effect: every follower has to fold the same.
void FollowerLog::tell_late(WriteTransaction& transaction, const LiveChannel& channel,
                            const VerifiedSlice& verified, std::size_t first_new) const
{
    const auto late = std::ranges::find_if(
        verified.late, [&](const LateEntry& entry) { return entry.index >= first_new; });
    if (late == verified.late.end() || !events_.under_revoked_key) return;
    const auto seq = verified.slice.after.seq + static_cast<std::int64_t>(late->index) + 1;
    transaction.after_commit([tell = events_.under_revoked_key, name = channel.name,
                              home = channel.home, key = late->key,
                              seq] { tell(name, home, key, seq); });
}

// Of servers that may follow at all, and no further than the log goes: a home's word must not
// fill our tables.
void FollowerLog::note_acks(WriteTransaction& transaction, LiveChannel& channel,
                            const VerifiedSlice& verified)
{
    for (const auto& [name, said] : verified.slice.acks) {
        const auto server = ServerName::trusted(name);
        if (server == identity_.name || !channel.state.has_member_of(server)) continue;
        const auto seq = std::min(said, verified.slice.latest);
        auto id = store_.server_id(transaction.db(), server);
        if (!id || !storage::note_cursor(transaction.db(), channel.id, *id, seq)) continue;
        transaction.after_commit([acknowledged = events_.acknowledged, channel_name = channel.name,
                                  server,
                                  held = seq] { acknowledged(channel_name, server, held); });
    }
}

Result<SliceResult> FollowerLog::fork(WriteTransaction& transaction, LiveChannel& channel,
                                      const VerifiedSlice& slice, std::string_view kind,
                                      std::int64_t seq)
{
    auto kept = keep_evidence(transaction.db(), channel, slice, kind, seq, clock_.now_ms());
    if (!kept) return fail(kept);
    store_.freeze(channel);
    auto over = waits_.over(transaction, channel);
    if (!over) return fail(over);
    transaction.after_commit([forked = events_.forked, name = channel.name, home = channel.home,
                              kind] { forked(name, home, kind); });
    if (kind == fork_evidence && events_.fork_proven) {
        transaction.after_commit([proven = events_.fork_proven, home = slice.home,
                                  root = slice.root_of(slice.slice.checkpoint.proof),
                                  name = channel.name, seq] { proven(home, root, name, seq); });
    }
    return follower_answer(channel, SliceStatus::fork);
}

Result<bool> FollowerLog::thaw(WriteTransaction& transaction, const ChannelId& name)
{
    auto& db = transaction.db();
    auto found = store_.find(db, name);
    if (!found) return fail(found);
    auto& channel = **found;
    if (!channel.frozen) return false;
    auto set = storage::set_fact(db, believed_before_fact(name), std::to_string(clock_.now_ms()));
    if (!set) return fail(set);
    store_.thaw(channel);
    if (events_.thawed) transaction.after_commit([thawed = events_.thawed, name] { thawed(name); });
    return true;
}

Result<void> FollowerLog::begin(WriteTransaction& transaction, const protocol::Snapshot& snapshot,
                                protocol::ChannelState state, std::int64_t floor)
{
    const auto creator = protocol::creator_of(snapshot.channel);
    // It may be of an earlier epoch, for a join that was taken then, and names that one's home:
    // the log leads on from there to who has signed it.
    if (snapshot.epoch == 1 && state.home != creator.str())
        return fail(Code::not_home, "a snapshot of the first epoch that names another home");
    storage::ChannelLogStore::NewLog log;
    log.name = snapshot.channel;
    // From entry 1 on the log itself tells how it came to be where it is [SUC-2].
    log.home = creator;
    log.floor = floor;
    if (floor > 0) {
        log.home = ServerName::trusted(state.home);
        log.epoch = snapshot.epoch;
        log.hash = snapshot.hash;
        log.at = snapshot.at;
        log.state = std::move(state);
    }
    auto& db = transaction.db();
    // What ended the need for the snapshot; the join's own entry may lie at the floor and
    // so never come by the log.
    auto found = store_.find(db, snapshot.channel);
    if (!found && found.error().code != Code::not_found) return fail(found);
    if (!found) {
        const auto home = log.home;
        auto created = store_.create(db, std::move(log));
        if (!created) return fail(created);
        // [SUC-6] Others of ours may have asked a home before this one, which has nothing to say of
        // it any more. A log that begins with its first entry tells of each home in its turn.
        auto handed = floor > 0 ? hand_on(transaction, snapshot.channel, home) : Result<void>{};
        if (!handed) return handed;
        return note_followings_before(store_, db, **created, identity_.name);
    }
    auto& channel = **found;
    // [LOG-4] What a fork has frozen is evidence: no snapshot goes over it.
    if (channel.frozen || floor <= channel.seq) return {};
    auto over = waits_.over(transaction, channel);
    if (!over) return over;
    auto settled = storage::settle_submissions_up_to(db, channel.name, floor);
    if (!settled) return settled;
    auto reset = store_.reset_to(db, channel, std::move(log));
    if (!reset) return reset;
    return note_followings_before(store_, db, channel, identity_.name);
}

Result<bool> FollowerLog::begin_again(WriteTransaction& transaction,
                                      const protocol::Snapshot& snapshot,
                                      protocol::ChannelState state, std::int64_t floor,
                                      const ServerName& home)
{
    auto found = store_.find(transaction.db(), snapshot.channel);
    if (!found && found.error().code == Code::not_found) return false;
    if (!found) return fail(found);
    const auto& channel = **found;
    const bool is_by_home = channel.home == home && home != identity_.name &&
                            state.home == home.str() && snapshot.epoch >= channel.epoch;
    const bool is_lacked = channel.seq < floor && floor <= snapshot.seq;
    if (!is_by_home || !is_lacked || channel.frozen || !channel.state.has_member_of(identity_.name))
        return false;
    auto begun = begin(transaction, snapshot, std::move(state), snapshot.seq);
    if (!begun) return fail(begun);
    return true;
}

}  // namespace entente::federation
