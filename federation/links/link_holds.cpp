#include "federation/links/link_holds.hpp"

#include <algorithm>
#include <set>

namespace entente::federation {

namespace {

constexpr Millis longest_hold_ms = 3'600'000;
constexpr Millis longest_snapshot_hold_ms = 60'000;
// Where a peer puts off direct events of more sequences, all others wait with them: each is a
// name in memory.
constexpr std::size_t most_held_sequences = 1000;

}  // namespace

void LinkHolds::remember(const BatchDraft& draft, const Settled& settled)
{
    forget_over(submissions_, [&](const std::string& channel) {
        return !settled.held_submissions.contains(channel) &&
               std::ranges::any_of(draft.submissions,
                                   [&](const auto& part) { return part.channel.str() == channel; });
    });
    // What a peer asks to be shown first is no end of what it was held for.
    forget_over(logs_, [&](const std::string& channel) {
        return !settled.held_logs.contains(channel) && !settled.keys_wanted.contains(channel) &&
               !settled.moves_wanted.contains(channel) &&
               std::ranges::any_of(draft.logs, [&](const auto& part) {
                   return !part.shows_move && part.channel.name.str() == channel;
               });
    });
    for (const auto& [channel, wait] : settled.held_submissions)
        hold_longer(submissions_[channel], wait, longest_hold_ms);
    for (const auto& [channel, wait] : settled.held_logs)
        hold_longer(logs_[channel], wait,
                    settled.awaiting_snapshot.contains(channel) ? longest_snapshot_hold_ms
                                                                : longest_hold_ms);
    if (direct_.empty() && settled.held_direct.empty()) return;
    std::set<std::string> answered;
    for (const auto& row : draft.direct) answered.insert(sequence_of(row));
    forget_over(direct_, [&](const std::string& sequence) {
        return answered.contains(sequence) && !settled.held_direct.contains(sequence);
    });
    for (const auto& [sequence, wait] : settled.held_direct)
        hold_longer(direct_[sequence], wait, longest_hold_ms);
}

// What else is over may still be on its way, and fail again; but not for ever.
void LinkHolds::forget_over(Holds& holds,
                            const std::function<bool(const std::string&)>& is_answered)
{
    const auto now = clock_.now_ms();
    std::erase_if(holds, [&](const auto& entry) {
        return entry.second.until + longest_hold_ms <= now ||
               (entry.second.until <= now && is_answered(entry.first));
    });
}

void LinkHolds::hold(const BatchDraft& draft)
{
    for (const auto& part : draft.submissions)
        hold_longer(submissions_[part.channel.str()], 0, longest_hold_ms);
    for (const auto& part : draft.logs) hold_log(part.channel.name.str());
    std::set<std::string> sequences;
    for (const auto& row : draft.direct) sequences.insert(sequence_of(row));
    for (const auto& sequence : sequences) hold_longer(direct_[sequence], 0, longest_hold_ms);
}

void LinkHolds::hold_log(const std::string& channel)
{
    hold_longer(logs_[channel], 0, longest_hold_ms);
}

void LinkHolds::hold_longer(Hold& hold, std::int64_t seconds, Millis longest) const
{
    const auto own = std::min(longest, Millis{1000} << std::min(hold.doublings++, 20));
    hold.until = clock_.now_ms() + (seconds > 0 ? std::min(seconds, longest / 1000) * 1000 : own);
}

void LinkHolds::add_to(Held& held, Millis now) const
{
    for (const auto& [channel, hold] : submissions_) {
        if (hold.until > now) held.submissions.insert(channel);
    }
    for (const auto& [channel, hold] : logs_) {
        if (hold.until > now) held.logs.insert(channel);
    }
    for (const auto& [sequence, hold] : direct_) {
        if (hold.until > now) held.sequences.insert(sequence);
    }
    held.direct = held.direct || held.sequences.size() >= most_held_sequences;
}

std::optional<Millis> LinkHolds::next_end(Millis now) const
{
    std::optional<Millis> next;
    const auto consider = [&](const Hold& hold) {
        if (hold.until > now && (!next || hold.until < *next)) next = hold.until;
    };
    for (const auto& [channel, hold] : submissions_) consider(hold);
    for (const auto& [channel, hold] : logs_) consider(hold);
    for (const auto& [sequence, hold] : direct_) consider(hold);
    return next;
}

}  // namespace entente::federation
