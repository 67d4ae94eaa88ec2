#include "federation/log/erasing.hpp"

#include "protocol/content_rules.hpp"
#include "storage/erasing_store.hpp"

namespace entente::federation {

namespace {

using storage::ChannelLogStore;
using storage::Connection;
using storage::LiveChannel;

Result<void> erase_edits(ChannelLogStore& store, Connection& db, LiveChannel& channel,
                         std::int64_t target)
{
    auto edits = storage::edits_of(db, channel.id, target, edits_erased_at_once + 1);
    if (!edits) return fail(edits);
    const bool are_many = edits->size() > edits_erased_at_once;
    if (are_many) edits->pop_back();
    for (const auto seq : *edits) store.erase(channel, seq, channel.seq);
    auto forgotten = edits->empty() ? Result<void>{}
                                    : storage::forget_edits(db, channel.id, target, edits->back());
    if (!forgotten || !are_many) return forgotten;
    return storage::owe_erasure(db, {channel.id, target, channel.seq});
}

}  // namespace

Result<std::optional<Target>> find_target(ChannelLogStore& store, Connection& db,
                                          const LiveChannel& channel, const protocol::Event& event,
                                          protocol::NameRules rules)
{
    using Found = Result<std::optional<Target>>;
    if (!event.target) return Found{std::nullopt};
    auto stored = store.entry_by_id(db, channel, *event.target);
    if (!stored) return stored.error().code == Code::not_found ? Found{std::nullopt} : fail(stored);
    // Another server may hold the target as deleted by an entry that comes after this one.
    const auto deleted_by = stored->entry.deleted_by;
    if (deleted_by > 0 && deleted_by <= channel.seq) return Found{std::nullopt};
    auto read = protocol::parse_followed_event(stored->entry.event, rules);
    if (!read) return Found{std::nullopt};
    return Found{Target{stored->seq, {read->event.type, read->event.sender.text}}};
}

std::optional<protocol::TargetFacts> facts_of(const std::optional<Target>& target)
{
    if (!target) return std::nullopt;
    return target->facts;
}

Result<void> erase_behind(ChannelLogStore& store, Connection& db, LiveChannel& channel,
                          const protocol::Event& event, const std::optional<Target>& target)
{
    if (!target) return {};
    if (event.type == "message.edit")
        return storage::note_edit(db, channel.id, target->seq, channel.seq);
    if (event.type != "message.delete") return {};
    // Whatever else held the content, such as a submission that has come back in the same
    // slice: of that too nothing must be left in the files.
    db.erase_traces();
    store.erase(channel, target->seq, channel.seq);
    if (target->facts.type != "message.create") return {};
    return erase_edits(store, db, channel, target->seq);
}

Result<void> erase_behind_unheld(ChannelLogStore& store, Connection& db, LiveChannel& channel,
                                 const protocol::Event& event)
{
    if (event.type == "message.edit") {
        auto target = storage::unheld_target(db, channel.id, *event.target);
        return target ? storage::note_edit(db, channel.id, *target, channel.seq) : fail(target);
    }
    if (event.type != "message.delete") return {};
    auto target = storage::find_unheld_target(db, channel.id, *event.target);
    if (!target) return fail(target);
    if (!*target) return {};
    db.erase_traces();
    return erase_edits(store, db, channel, **target);
}

bool has_what_the_fold_needs(const VerifiedSlice& slice, std::size_t first)
{
    for (auto i = first; i < slice.events.size(); ++i) {
        const auto& entry = slice.slice.entries[i];
        const auto& [event, breach] = slice.events[i];
        const bool may_be_gone =
            event.type.starts_with("message.") && (entry.deleted_by > 0 || entry.expired);
        if (breach.empty() && !entry.content && !may_be_gone) return false;
    }
    return true;
}

bool is_whole_or_rightly_gone(const LiveChannel& channel, const VerifiedSlice& slice,
                              std::size_t index, Millis now)
{
    const auto& entry = slice.slice.entries[index];
    if (entry.content) return true;
    const auto& event = slice.events[index].event;
    const auto& retention = channel.state.retention;
    if (entry.expired)
        return retention != "relay" &&
               protocol::may_have_expired(retention, event.type, entry.at, now);
    const auto by = entry.deleted_by - slice.slice.after.seq - 1;
    if (by <= static_cast<std::int64_t>(index) || by >= std::ssize(slice.events)) return false;
    return protocol::can_be_deleted(event.type) &&
           protocol::deletes(slice.events[static_cast<std::size_t>(by)].event, event);
}

}  // namespace entente::federation
