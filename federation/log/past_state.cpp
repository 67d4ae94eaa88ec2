#include "federation/log/past_state.hpp"

#include <algorithm>

#include "protocol/content_rules.hpp"
#include "protocol/event.hpp"

namespace entente::federation {

void PastState::fold(const storage::StoredEntry& stored, std::int64_t epoch,
                     protocol::NameRules rules)
{
    seq = stored.seq;
    // Taken over from another home, and found not to be allowed [MEM-2, SUC-2].
    if ((stored.entry.marks & protocol::bit(protocol::Mark::no_effect)) != 0) return;
    auto followed = protocol::parse_followed_event(stored.entry.event, rules);
    if (!followed || !followed->breach.empty()) return;
    // No message changes a state, so no target has to be known.
    static_cast<void>(protocol::apply_event(state, followed->event,
                                            stored.entry.content.value_or(""), stored.seq, epoch,
                                            std::nullopt, rules));
}

Result<PastState> fold_stored(storage::Connection& db, const storage::ChannelRow& channel,
                              std::int64_t seq, int pages, protocol::NameRules rules)
{
    PastState past;
    const auto end = std::min(seq, channel.seq);
    for (; past.seq < end && pages > 0; --pages) {
        storage::PageLimits limits;
        limits.entries = std::min(limits.entries, end - past.seq);
        auto page = storage::read_log(db, channel, past.seq, limits);
        if (!page) return fail(page);
        if (page->entries.empty()) return fail(Code::internal, "a log with a hole");
        for (const auto& stored : page->entries) past.fold(stored, page->epoch, rules);
    }
    return past;
}

}  // namespace entente::federation
