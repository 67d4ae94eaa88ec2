#include "federation/log/shown_marks.hpp"

#include <algorithm>

#include "protocol/content_rules.hpp"
#include "protocol/slice.hpp"
#include "storage/vouched_store.hpp"

namespace entente::federation {

namespace {

using storage::ChannelRow;
using storage::Connection;

// Whether entry `by` deletes this one: by itself, or with the message that it edits.
Result<bool> is_deleted_by(Connection& db, const ChannelRow& channel, std::int64_t by,
                           const protocol::Event& event, protocol::NameRules rules)
{
    auto stored = storage::read_entry(db, channel.id, by);
    // What lies below the floor, or isn't there yet, can't be told.
    if (!stored) return stored.error().code == Code::not_found ? Result<bool>{true} : fail(stored);
    if ((stored->entry.marks & protocol::bit(protocol::Mark::no_effect)) != 0) return false;
    auto deletion = protocol::parse_followed_event(stored->entry.event, rules);
    return deletion && protocol::deletes(deletion->event, event);
}

Result<bool> is_withheld(Connection& db, const ChannelRow& channel,
                         const protocol::ChannelState& meta, Millis now, protocol::NameRules rules,
                         const ClientEntry& entry)
{
    auto followed = protocol::parse_followed_event(entry.event, rules);
    if (!followed) return true;
    if (entry.expired)
        return !protocol::may_have_expired(meta.retention, followed->event.type, entry.at, now);
    if (entry.deleted_by <= entry.seq) return true;
    auto deleted = is_deleted_by(db, channel, entry.deleted_by, followed->event, rules);
    if (!deleted) return fail(deleted);
    return !*deleted;
}

}  // namespace

Result<void> add_shown_marks(Connection& db, const ChannelRow& channel,
                             const protocol::ChannelState& meta, Millis now,
                             protocol::NameRules rules, ClientEntries& entries)
{
    if (entries.empty()) return {};
    auto vouched =
        storage::vouched_between(db, channel.id, entries.front().seq, entries.back().seq);
    if (!vouched) return fail(vouched);
    for (const auto seq : *vouched) {
        const auto entry = std::ranges::lower_bound(entries, seq, {}, &ClientEntry::seq);
        if (entry != entries.end() && entry->seq == seq)
            entry->marks |= protocol::bit(protocol::Mark::unverified);
    }
    for (auto& entry : entries) {
        if (entry.content) continue;
        auto withheld = is_withheld(db, channel, meta, now, rules, entry);
        if (!withheld) return fail(withheld);
        if (*withheld) entry.marks |= protocol::bit(protocol::Mark::withheld);
    }
    return {};
}

}  // namespace entente::federation
