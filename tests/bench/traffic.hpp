// The messages of one run and what became of each: a flow is one writer in one channel,
// with so many messages in flight, read by one or more readers. Traffic sends, takes in the
// servers' frames, and holds each message against what it should have become: accepted once
// for its writer, and there once, in its order and unchanged, for each reader. It knows
// sockets by their numbers only: how they are waited for is the Drive's business
// (drive.hpp), when a run begins and ends is run.hpp's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/bench/frame_text.hpp"
#include "tests/bench/measure.hpp"

namespace entente::bench {

constexpr std::size_t text_octets = 300;

struct FlowPlan {
    std::string channel;
    std::size_t writer = 0;            // of the sockets
    std::vector<std::size_t> readers;  // of the sockets
    std::size_t window = 1;            // messages in flight
};

// What was found wrong with the messages. Any of it makes a run void.
struct Faults {
    std::int64_t lost = 0, doubled = 0, out_of_order = 0, changed = 0, refused = 0, resyncs = 0;
    std::string first;  // the first of them in words
    void add(const Faults& other);
    [[nodiscard]] bool any() const
    {
        return lost + doubled + out_of_order + changed + refused + resyncs > 0;
    }
    [[nodiscard]] std::string text() const;
};

class Traffic {
 public:
    // Takes a whole WebSocket frame, the text of which isn't masked.
    using Send = std::function<void(std::size_t socket, std::string_view frame)>;
    // `posts_a_frame` bounds what a writer sends in one frame.
    Traffic(std::size_t sockets, Send send, const std::vector<FlowPlan>& plans,
            std::size_t posts_a_frame);

    // Fills every window, and from then on whenever a message is done.
    void open();
    // Nothing new from now on.
    void close() { open_ = false; }
    // One message of the flow outside of any window; its latency counts from `due`.
    void post_one(std::size_t flow, Nanoseconds due);
    // Sends what take() has made room for.
    void send_waiting();
    // A frame that socket `index` has received at `now`.
    void take(std::size_t index, std::string_view frame, Nanoseconds now);

    [[nodiscard]] std::int64_t done() const { return done_; }
    [[nodiscard]] std::int64_t under_way() const { return sent_ - done_; }
    [[nodiscard]] std::size_t flows() const { return flows_.size(); }
    // Counts what is still under way as lost.
    [[nodiscard]] Faults judge() const;
    // Latencies in ms of messages done between two calls with `on` and without.
    void keep_latencies(bool on) { keeping_ = on; }
    [[nodiscard]] const std::vector<double>& latencies() const { return latencies_; }

 private:
    struct Message {
        Nanoseconds sent = 0;
        std::uint32_t number = 0;
        std::uint16_t readers_left = 0;
        bool accepted = false;
    };
    struct Flow {
        std::string head, tail;  // of a post, around its number
        std::size_t writer = 0, window = 0, readers = 0, waiting = 0;
        bool listed = false;
        std::uint32_t next = 0;
        std::vector<Message> ring;  // by number; a power of two
        [[nodiscard]] Message& at(std::uint32_t number) { return ring[number & (ring.size() - 1)]; }
    };
    // How far a reader has come in a flow.
    struct View {
        bool reads = false;
        std::uint32_t next = 0;
        std::int64_t seq = 0;
    };
    struct Named {
        std::size_t flow = 0;
        std::uint32_t number = 0;
        bool ours = false;
    };
    struct Writer {
        std::vector<std::size_t> waiting;  // flows with room
        // By the first octets of the event's id: what is stored but not yet accepted.
        std::unordered_map<std::uint64_t, Named> pending;
        std::vector<std::uint64_t> early;  // accepted before we were told the id
    };

    void add_post(Flow& flow, Nanoseconds sent);
    void send(std::size_t socket);
    void take_results(std::size_t index, std::string_view frame, Nanoseconds now);
    void take_states(std::size_t index, std::string_view frame, Nanoseconds now);
    void take_entries(std::size_t index, std::string_view frame, Nanoseconds now);
    void take_entry(std::size_t index, std::int64_t seq, std::string_view txn,
                    std::string_view text, Nanoseconds now);
    [[nodiscard]] Named named_by(std::string_view txn) const;
    void accepted(Named named, Nanoseconds now);
    void check_done(Flow& flow, Message& message, std::size_t index, Nanoseconds now);
    void fault(std::int64_t Faults::* kind, const std::string& what);

    Send send_;
    std::size_t posts_a_frame_;
    std::string prefix_;  // of each txn: no other run has it
    std::vector<Flow> flows_;
    std::vector<Writer> writers_;     // by socket
    std::vector<View> views_;         // by socket and flow
    std::vector<std::size_t> dirty_;  // sockets with flows that wait
    FrameText out_;
    bool open_ = false, keeping_ = false;
    std::int64_t sent_ = 0, done_ = 0;
    std::vector<double> latencies_;
    Faults faults_;
};

}  // namespace entente::bench
