// A home whose log was put back from an older copy: what followers still hold of it goes
// back into its place, then what its own users wrote meanwhile [LOG-5]. The rest of HomeLog
// is in home_log.cpp.
#include <algorithm>

#include "federation/log/erasing.hpp"
#include "federation/log/following.hpp"
#include "federation/log/home_log.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/retention_store.hpp"

namespace entente::federation {

namespace {

using storage::LiveChannel;
using storage::WriteTransaction;

}  // namespace

Result<HomeLog::PutBack> HomeLog::append_again(WriteTransaction& transaction, LiveChannel& channel,
                                               const VerifiedSlice& verified, Missing missing)
{
    const auto& slice = verified.slice;
    // A move that came back with the last slice is the end of what there is to put back.
    if (channel.home != identity_.name) return PutBack{};
    if (slice.epoch != channel.epoch) return fail(Code::unsupported, "a slice of another epoch");
    const auto last = slice.after.seq + static_cast<std::int64_t>(slice.entries.size());
    if (slice.after.seq > channel.seq || last <= channel.seq) return PutBack{};

    // The chain leads through our end, or it is no part of this log.
    const auto first_new = static_cast<std::size_t>(channel.seq - slice.after.seq);
    const auto& hash = first_new == 0 ? slice.after.hash : verified.hashes[first_new - 1];
    if (hash != channel.hash)
        return fail(Code::signature_invalid, "a follower's log goes on from another end");
    if (slice.entries[first_new].at < channel.at)
        return refuse(Code::malformed, "an entry is older than the one before it");
    for (auto i = first_new; i < slice.entries.size(); ++i) {
        if (missing == Missing::is_refused &&
            !is_whole_or_rightly_gone(channel, verified, i, clock_.now_ms()))
            return PutBack{0, true};
    }
    if (!has_what_the_fold_needs(verified, first_new))
        return refuse(Code::malformed, "an entry's content is withheld");
    const auto give_up = [&](const Error& error) {
        store_.abandon(channel, error);
        return Result<PutBack>{tl::unexpect, error};
    };
    std::vector<std::pair<std::size_t, std::string>> invited;
    for (auto i = first_new; i < slice.entries.size(); ++i) {
        auto change =
            append_entry_again(transaction, channel, slice.entries[i], verified.events[i]);
        if (!change) return give_up(change.error());
        if (verified.events[i].event.type == "member.invite" && change->users.size() == 1)
            invited.emplace_back(i, change->users.front());
    }
    for (const auto& seal : slice.seals)
        store_.add_seal(channel, seal, verified.root_of(seal.proof));
    store_.set_checkpoint(channel, slice.checkpoint, verified.root_of(slice.checkpoint.proof));
    // What was told to the invited user's server may have been lost with the rest.
    for (const auto& [i, invitee] : invited) {
        if (!channel.state.invited.contains(invitee)) continue;
        auto sent = send_invitation(transaction, channel, verified.events[i].event,
                                    *slice.entries[i].content, invitee);
        if (!sent) return give_up(sent.error());
    }
    // They are older than what the plan of erasing was made for.
    if (auto hurried = storage::hurry_retention(transaction.db(), channel.id); !hurried)
        return give_up(hurried.error());
    return PutBack{last - slice.after.seq - static_cast<std::int64_t>(first_new)};
}

Result<protocol::StateChange> HomeLog::append_entry_again(WriteTransaction& transaction,
                                                          LiveChannel& channel,
                                                          const protocol::Entry& entry,
                                                          const protocol::FollowedEvent& followed)
{
    auto& db = transaction.db();
    const auto& event = followed.event;
    storage::ChannelLogStore::Addition addition;
    addition.entry = entry;
    addition.event_id = event.id;
    addition.origin = event.sender.server;
    protocol::StateChange change;
    Result<std::optional<Target>> target;
    bool has_effect = false;
    if (followed.breach.empty()) {
        target = find_target(store_, db, channel, event, identity_.names);
        if (!target) return fail(target);
        // What had an effect then has it again; what had none, has none.
        auto applied =
            protocol::apply_event(channel.state, event, entry.content.value_or(""), channel.seq + 1,
                                  channel.epoch, facts_of(*target), identity_.names);
        has_effect = applied.has_value();
        if (applied) change = std::move(*applied);
        addition.txn = event.txn;
        addition.change = change;
        addition.leave = event.type == "member.leave";
    }
    auto added = store_.append(db, channel, std::move(addition));
    if (added && has_effect) added = erase_behind(store_, db, channel, event, *target);
    if (!added) return fail(added);
    auto followed_up = note_following_at_home(store_, db, channel, identity_.name, event, change);
    if (followed_up && channel.home != identity_.name)
        followed_up = hand_over(transaction, channel);
    if (!followed_up) return fail(followed_up);
    return change;
}

// Its author wrote the same again, since we knew nothing of the first: that one stands.
Result<Appended> HomeLog::append_or_find(WriteTransaction& transaction, LiveChannel& channel,
                                         const storage::SubmissionRow& row)
{
    auto event = protocol::parse_channel_event(row.event, identity_.names);
    if (!event) return fail(event);
    auto appended = append_waited(transaction, channel, *event, row);
    if (appended || appended.error().code != Code::equivocation) return appended;
    auto& db = transaction.db();
    auto seq = store_.find_txn(db, channel, identity_.name, row.txn);
    if (!seq || !*seq) return appended;
    auto entry = store_.entry_at(db, channel, **seq);
    if (!entry) return fail(entry);
    auto first = protocol::parse_followed_event(entry->entry.event, identity_.names);
    if (!first || first->event.sender.text != row.user) return appended;
    return Appended{**seq, false, {}};
}

Result<HomeLog::Waited> HomeLog::append_waiting(WriteTransaction& transaction, LiveChannel& channel,
                                                std::size_t limit)
{
    auto& db = transaction.db();
    auto rows = storage::unsent_submissions(db, identity_.name, channel.name, 0, limit);
    if (!rows) return fail(rows);
    Waited waited;
    auto freed = store_.set_held(db, channel, false);
    if (!freed) return fail(freed);
    waited.more = rows->size() == limit;
    for (auto& row : *rows) {
        // Behind a move they are the new home's.
        if (channel.home != identity_.name) {
            waited.more = false;
            break;
        }
        auto appended = append_or_find(transaction, channel, row);
        if (!appended && is_passing(appended.error())) {
            waited.more = true;
            break;
        }
        auto stored = appended ? storage::settle_submission(db, channel.name, row.txn)
                               : storage::reject_submission(
                                     db, row.id, protocol::code_name(appended.error().code));
        if (!stored) {
            store_.abandon(channel, stored.error());
            return fail(stored);
        }
        auto seq = appended ? Result<std::int64_t>{appended->seq}
                            : Result<std::int64_t>{tl::unexpect, appended.error()};
        waited.settled.emplace_back(std::move(row), std::move(seq));
    }
    if (waited.more) {
        auto held = store_.set_held(db, channel, true);
        if (!held) return fail(held);
    }
    return waited;
}

}  // namespace entente::federation
