#include "api/out_queue.hpp"

#include <limits>
#include <string_view>
#include <utility>

#include "protocol/json_rules.hpp"

namespace entente::api {
namespace {

// What one coalesced delivery mark is counted as, beside its names.
constexpr std::size_t delivered_octets = 64;

}  // namespace

bool OutQueue::make_room(std::size_t more)
{
    if (fits(more)) {
        held_.take(more);
        return true;
    }
    entries_.clear();
    states_.clear();
    delivered_.clear();
    frames_.clear();
    held_.give_back(octets() - writing_);
    taken_ = pushed_;
    resync_ = true;
    return false;
}

void OutQueue::push_entries(std::shared_ptr<const QueuedEntries> entries)
{
    held_.take(entries->json.size());
    entries_.push_back(std::move(entries));
    ++pushed_;
}

std::optional<std::int64_t> OutQueue::take_back(const protocol::ChannelId& channel)
{
    std::optional<std::int64_t> first;
    for (const auto& queued : entries_) {
        if (!first && queued->channel == channel) first = queued->first;
    }
    if (first) drop_until(channel, std::numeric_limits<std::int64_t>::max());
    return first;
}

std::optional<std::int64_t> OutQueue::drop_until(const protocol::ChannelId& channel,
                                                 std::int64_t seq)
{
    std::optional<std::int64_t> first_left;
    std::erase_if(entries_, [&](const std::shared_ptr<const QueuedEntries>& queued) {
        if (queued->channel != channel) return false;
        if (queued->last > seq) {
            if (!first_left) first_left = queued->first;
            return false;
        }
        held_.give_back(queued->json.size());
        return true;
    });
    if (entries_.empty()) taken_ = pushed_;
    return first_left;
}

bool OutQueue::push_state(std::string state)
{
    if (!make_room(state.size())) return false;
    states_.push_back(std::move(state));
    return true;
}

bool OutQueue::push_delivered(const std::string& channel, const std::string& server,
                              std::int64_t seq)
{
    std::pair<std::string, std::string> key{channel, server};
    const auto found = delivered_.find(key);
    if (found != delivered_.end()) {
        found->second = seq;
        return true;
    }
    if (!make_room(channel.size() + server.size() + delivered_octets)) return false;
    delivered_.emplace(std::move(key), seq);
    return true;
}

bool OutQueue::push_frame(std::string frame)
{
    if (!make_room(frame.size())) return false;
    frames_.push_back(std::move(frame));
    return true;
}

void OutQueue::writing(std::size_t size)
{
    held_.give_back(writing_);
    held_.take(size);
    writing_ = size;
}

std::string OutQueue::take_entries()
{
    // Written once: each reader of a busy channel has its own.
    std::size_t size = 0;
    for (const auto& part : entries_) size += part->json.size() + 1;
    constexpr std::string_view begin = R"({"entries":[)", end = "]}";
    std::string frame;
    frame.reserve(begin.size() + size + end.size());
    frame = begin;
    for (const auto& part : entries_) {
        if (frame.back() != '[') frame += ',';
        frame += part->json;
        held_.give_back(part->json.size());
    }
    entries_.clear();
    taken_ = pushed_;
    frame += end;
    return frame;
}

std::string OutQueue::take_states()
{
    std::string frame = R"({"state":[)";
    for (const auto& state : states_) {
        if (frame.back() != '[') frame += ',';
        frame += state;
        held_.give_back(state.size());
    }
    states_.clear();
    for (const auto& [key, seq] : delivered_) {
        if (frame.back() != '[') frame += ',';
        frame += R"({"channel":)" + protocol::json_string(key.first);
        frame += R"(,"server":)" + protocol::json_string(key.second);
        frame += R"(,"delivered":)" + std::to_string(seq) + "}";
        held_.give_back(key.first.size() + key.second.size() + delivered_octets);
    }
    delivered_.clear();
    frame += "]}";
    return frame;
}

std::optional<std::string> OutQueue::take()
{
    std::optional<std::string> frame;
    if (std::exchange(resync_, false)) {
        frame = R"({"resync":true})";
    } else if (!frames_.empty()) {
        frame = std::move(frames_.front());
        frames_.pop_front();
        held_.give_back(frame->size());
    } else if (!entries_.empty()) {
        frame = take_entries();
    } else if (!states_.empty() || !delivered_.empty()) {
        frame = take_states();
    } else if (std::exchange(request_, false)) {
        frame = R"({"request":true})";
    }
    if (frame) writing(frame->size());
    return frame;
}

}  // namespace entente::api
