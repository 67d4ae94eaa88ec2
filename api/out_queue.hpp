// What waits to be written to one WebSocket: bounded in octets, gathered into frames.
// Over the bound everything is dropped and a `resync` takes its place. The bound is what
// the room that all of them share leaves to each. Does no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "protocol/names.hpp"
#include "protocol/shared_room.hpp"

namespace entente::api {

// What a reader that doesn't keep up costs at most, the frame under way included; and what
// it may cost where all readers together hold `plenty_queue_octets`.
inline constexpr std::size_t max_queue_octets = 256 * 1024;
inline constexpr std::size_t least_queue_octets = 16 * 1024;
inline constexpr std::size_t plenty_queue_octets = 128 * 1024 * 1024;
inline constexpr protocol::SharedRoom::Limits queue_room{plenty_queue_octets, max_queue_octets,
                                                         least_queue_octets};

// Entries of one channel, from `first` to `last`, as JSON objects joined by commas.
struct QueuedEntries {
    protocol::ChannelId channel;
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::string json;
};

class OutQueue {
 public:
    // The room lives longer.
    explicit OutQueue(protocol::SharedRoom& room) : held_(room) {}

    // Shared among all who get the same. They must fit: who has no room for them reads them
    // from the store later.
    void push_entries(std::shared_ptr<const QueuedEntries> entries);
    // Takes back what waits of a channel; the first of its entries, nothing where none waits.
    std::optional<std::int64_t> take_back(const protocol::ChannelId& channel);
    // Drops those of a channel that end at or before `seq`; the first of what is left of it, if
    // any.
    std::optional<std::int64_t> drop_until(const protocol::ChannelId& channel, std::int64_t seq);
    // The rest returns false where the queue overflowed: what was followed is then forgotten.
    bool push_state(std::string state);  // a JSON object
    // Cumulative: a later seq of the same key replaces an earlier one that still waits.
    bool push_delivered(const std::string& channel, const std::string& server, std::int64_t seq);
    bool push_frame(std::string frame);  // a whole frame, such as results
    void push_request() { request_ = true; }

    // The next frame, or nothing; its octets count until written() is called.
    [[nodiscard]] std::optional<std::string> take();
    void written() { writing(0); }
    // A frame that didn't come from here is being written: it counts as well.
    void writing(std::size_t size);
    [[nodiscard]] std::size_t octets() const { return held_.held(); }
    // What it may hold now.
    [[nodiscard]] std::size_t most() const { return held_.most(); }
    // How many batches of entries were ever pushed, and taken or dropped since: who must
    // write behind those that wait compares them.
    [[nodiscard]] std::uint64_t pushed() const { return pushed_; }
    [[nodiscard]] std::uint64_t taken() const { return taken_; }
    // Whether `more` octets would still fit; always where nothing waits.
    [[nodiscard]] bool fits(std::size_t more) const { return held_.fits(more); }

 private:
    bool make_room(std::size_t more);
    [[nodiscard]] std::string take_entries();
    [[nodiscard]] std::string take_states();

    std::deque<std::shared_ptr<const QueuedEntries>> entries_;
    std::deque<std::string> states_;
    std::map<std::pair<std::string, std::string>, std::int64_t> delivered_;
    std::deque<std::string> frames_;
    bool resync_ = false;
    bool request_ = false;
    std::uint64_t pushed_ = 0;
    std::uint64_t taken_ = 0;
    protocol::RoomShare held_;  // what waits, and what is being written
    std::size_t writing_ = 0;
};

}  // namespace entente::api
