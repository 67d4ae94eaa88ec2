// What a follower looks a slice's new entries over for before anything of them is written.
#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>

#include "federation/log/follower_log.hpp"
#include "storage/incoming_store.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

using storage::LiveChannel;

// Whatever is to refuse a slice or put it off does so before anything of it is written: what
// fails afterwards takes the whole commit with it, others' items too.
Result<void> FollowerLog::can_apply(storage::Connection& db, const LiveChannel& channel,
                                    const VerifiedSlice& verified, std::size_t first_new)
{
    std::set<protocol::Hash> in_slice;
    for (auto i = first_new; i < verified.events.size(); ++i) {
        const auto& event = verified.events[i].event;
        const bool is_elsewhere = event.target && !in_slice.contains(*event.target);
        in_slice.insert(event.id);
        if (!is_elsewhere) continue;
        auto target = store_.entry_by_id(db, channel, *event.target);
        if (!target && target.error().code != Code::not_found) return fail(target);
    }
    if (ends_epoch_early(channel, verified, first_new))
        return refuse(Code::malformed, "an entry behind the move that ended its epoch");
    return {};
}

bool FollowerLog::is_proven_by_home(const LiveChannel& channel, const VerifiedSlice& slice)
{
    return !slice.problem && !slice.is_by_revoked_key && slice.home == channel.home &&
           slice.slice.epoch == channel.epoch && !slice.slice.entries.empty();
}

std::optional<protocol::Consent> FollowerLog::consent_at_end(const VerifiedSlice& slice) const
{
    if (slice.events.empty()) return std::nullopt;
    const auto& last = slice.events.back();
    const bool may_be = slice.missing.empty() && last.breach.empty() &&
                        last.event.type == protocol::move_type && slice.facts.back().has_consent;
    if (!may_be) return std::nullopt;
    return protocol::consent_of_move(slice.slice.entries.back().content.value_or(""),
                                     identity_.names);
}

// Nobody but the home that was asked learns that somebody here wants to join, and who shows that
// this one has handed the channel over to it: it would take us for gone [SUC-6]. The join is its
// business from then on: who was asked first may be gone for good.
Result<bool> FollowerLog::awaits_join(storage::WriteTransaction& transaction,
                                      const VerifiedSlice& slice, const ServerName& origin)
{
    auto& db = transaction.db();
    auto joining = storage::has_open_join(db, slice.slice.channel, origin);
    if (!joining || *joining || slice.problem || slice.is_by_revoked_key) return joining;
    const auto consent = consent_at_end(slice);
    if (!consent || consent->home != origin) return false;
    joining = storage::has_open_join(db, slice.slice.channel, slice.home);
    if (!joining || !*joining) return joining;
    auto handed = hand_on(transaction, slice.slice.channel, origin);
    if (!handed) return fail(handed);
    return true;
}

Result<void> FollowerLog::hand_on(storage::WriteTransaction& transaction,
                                  const protocol::ChannelId& channel, const ServerName& home)
{
    auto id = store_.server_id(transaction.db(), home);
    if (!id) return fail(id);
    auto handed = storage::hand_on_submissions(transaction.db(), channel, *id);
    if (!handed) return fail(handed);
    if (*handed && events_.owes)
        transaction.after_commit([owes = events_.owes, home] { owes(home); });
    return {};
}

bool FollowerLog::is_next_home(const LiveChannel& channel, const VerifiedSlice& slice,
                               const ServerName& origin)
{
    if (!is_proven_by_home(channel, slice)) return false;
    const auto consent = consent_at_end(slice);
    if (consent && consent->epoch == channel.epoch + 1) {
        if (next_homes_.size() >= max_next_homes) next_homes_.erase(next_homes_.begin());
        next_homes_.insert_or_assign({channel.id, channel.epoch}, consent->home);
    }
    const auto found = next_homes_.find({channel.id, channel.epoch});
    return found != next_homes_.end() && found->second == origin;
}

// [SUC-2] Only a slice in which something follows on a move is folded for that.
bool FollowerLog::ends_epoch_early(const LiveChannel& channel, const VerifiedSlice& verified,
                                   std::size_t first_new) const
{
    const auto& events = verified.events;
    const auto last = events.end() - 1;
    const auto begin = events.begin() + static_cast<std::ptrdiff_t>(first_new);
    const auto is_move = [](const auto& followed) { return followed.event.type == "channel.move"; };
    const auto last_move =
        std::find_if(std::make_reverse_iterator(last), std::make_reverse_iterator(begin), is_move);
    if (last_move == std::make_reverse_iterator(begin)) return false;
    auto state = channel.state;
    const auto home = state.home;
    for (auto i = first_new; i + 1 < events.size() && state.home == home; ++i) {
        if (!events[i].breach.empty() || !verified.facts[i].has_consent) continue;
        const auto seq = channel.seq + 1 + static_cast<std::int64_t>(i - first_new);
        // Who changes the home is told by the members alone, not by messages and their targets.
        static_cast<void>(protocol::apply_event(state, events[i].event,
                                                verified.slice.entries[i].content.value_or(""), seq,
                                                channel.epoch, std::nullopt, identity_.names));
    }
    return state.home != home;
}

// [LOG-11] The seal is proven under a key of ours: either we made it, or who has the key.
Result<std::optional<std::int64_t>> FollowerLog::find_unsealed(storage::Connection& db,
                                                               const LiveChannel& channel,
                                                               const VerifiedSlice& verified,
                                                               std::size_t first_new)
{
    // What this server ordered itself it has sealed by its checkpoints.
    if (verified.home == identity_.name) return std::optional<std::int64_t>{};
    for (auto i = first_new; i < verified.events.size(); ++i) {
        if (verified.events[i].event.sender.server != identity_.name) continue;
        auto sealed = was_sealed(db, channel, verified.events[i]);
        if (!sealed) return fail(sealed);
        if (*sealed) continue;
        auto believed = is_believed(db, channel, verified.facts[i].sealed_at);
        if (!believed) return fail(believed);
        if (!*believed)
            return std::optional<std::int64_t>{verified.slice.after.seq +
                                               static_cast<std::int64_t>(i) + 1};
    }
    return std::optional<std::int64_t>{};
}

// [LOG-11] What was sealed so long ago may have been forgotten, or an administrator lets it pass.
Result<bool> FollowerLog::is_believed(storage::Connection& db, const LiveChannel& channel,
                                      Millis sealed_at)
{
    for (const auto& name : {std::string(sealed_since_fact), believed_before_fact(channel.name)}) {
        auto fact = storage::find_fact(db, name);
        if (!fact) return fail(fact);
        if (!*fact) continue;
        Millis before = 0;
        std::from_chars((*fact)->data(), (*fact)->data() + (*fact)->size(), before);
        if (sealed_at < before) return true;
    }
    return false;
}

// What was sealed is a submission until it comes back, and stands in the log then.
Result<bool> FollowerLog::was_sealed(storage::Connection& db, const LiveChannel& channel,
                                     const protocol::FollowedEvent& followed)
{
    const auto& event = followed.event;
    auto row = storage::find_submission(db, event.id);
    if (!row) return fail(row);
    if (*row) return true;
    if (!followed.breach.empty()) return false;
    auto seq = store_.find_txn(db, channel, identity_.name, event.txn);
    if (!seq) return fail(seq);
    if (!*seq) return false;
    auto entry = store_.entry_at(db, channel, **seq);
    if (!entry) return entry.error().code == Code::not_found ? Result<bool>{false} : fail(entry);
    return entry->event_id == event.id;
}

}  // namespace entente::federation
