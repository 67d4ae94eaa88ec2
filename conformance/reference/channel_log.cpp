#include "conformance/reference/channel_log.hpp"

#include <utility>

#include "conformance/reference/names.hpp"
#include "conformance/wire/events.hpp"

namespace entente::conformance::reference {

ChannelLog::ChannelLog(std::string id, const Flags& flags)
    : id_(std::move(id)), flags_(flags), home_(server_of(id_))
{
    state_.home = home_;
}

ChannelLog::ChannelLog(std::string id, std::uint64_t floor, std::string hash, ChannelState state,
                       const Flags& flags)
    : id_(std::move(id)),
      flags_(flags),
      home_(server_of(id_)),
      floor_(floor),
      floor_hash_(std::move(hash)),
      state_(std::move(state))
{
}

const std::string& ChannelLog::hash_at(std::uint64_t seq) const
{
    return seq == floor_ ? floor_hash_ : entry(seq).hash;
}

const Entry& ChannelLog::entry(std::uint64_t seq) const
{
    return entries_.at(seq - floor_ - 1);
}

std::uint64_t ChannelLog::find(const std::string& event_id) const
{
    const auto found = by_id_.find(event_id);
    return found == by_id_.end() ? 0 : found->second;
}

std::string ChannelLog::find_txn(const std::string& server, const std::string& txn) const
{
    const auto found = by_txn_.find((flags_.has<"txn-of-any-server">() ? "" : server) + " " + txn);
    return found == by_txn_.end() ? "" : found->second;
}

TargetFacts ChannelLog::facts_of(const std::string& event_id) const
{
    const auto seq = find(event_id);
    if (seq == 0) return {};
    const auto& found = entry(seq);
    return {true, found.deleted_by > 0, found.event.type == "message.create", found.event.sender};
}

std::uint64_t ChannelLog::last_of(const std::string& user, const std::string& type) const
{
    for (auto seq = latest(); seq > floor_; --seq) {
        const auto& one = entry(seq);
        if (one.event.sender == user && one.event.type == type && !one.is_marked) return seq;
    }
    return 0;
}

std::uint64_t ChannelLog::append(Entry entry)
{
    const auto seq = latest() + 1;
    entry.hash = entry_hash(id_, epoch_, seq, entry.at, hash_at(latest()), entry.event.id);
    const auto& event = entry.event;
    by_id_.try_emplace(event.id, seq);
    const auto server = flags_.has<"txn-of-any-server">() ? "" : server_of(event.sender);
    by_txn_.try_emplace(server + " " + event.txn, event.id);
    if (!entry.is_marked) fold(state_, event);
    if (!entry.is_marked && event.type == "channel.move" && !flags_.has<"moves-ignored">()) {
        home_ = state_.home;
        ++epoch_;
    }
    const bool deletes = event.type == "message.delete" && !entry.is_marked;
    entries_.push_back(std::move(entry));
    if (deletes) erase_by(seq, entries_.back().event);
    return seq;
}

// [MEM-4] The target, and all edits of it.
void ChannelLog::erase_by(std::uint64_t seq, const ReadEvent& deletion)
{
    if (flags_.has<"delete-ignored">()) return;
    for (auto place = floor_ + 1; place < seq; ++place) {
        auto& one = at(place);
        const bool is_target = one.event.id == deletion.target;
        const bool is_edit =
            one.event.type == "message.edit" && one.event.target == deletion.target;
        if ((!is_target && !is_edit) || one.deleted_by > 0) continue;
        one.deleted_by = seq;
        if (flags_.has<"deleted-shown">()) continue;
        one.has_content = false;
        one.event.content.clear();
        one.event.body = nullptr;
    }
}

}  // namespace entente::conformance::reference
