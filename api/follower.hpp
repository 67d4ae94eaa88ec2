// One connected device as a follower of channels: a cursor per channel, what waits for
// its socket, and the coroutine that writes. What comes straight after a cursor is taken
// from the commit; all else is read from the store, page by page, until the cursor has
// caught up. So nothing is missing, nothing comes twice, and each channel is in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "api/mail.hpp"
#include "api/out_queue.hpp"
#include "api/sessions.hpp"
#include "federation/channels.hpp"
#include "federation/links/signal_queue.hpp"
#include "net/task_group.hpp"
#include "net/websocket.hpp"

namespace entente::api {

inline constexpr std::size_t max_followed_channels = 10'000;
// What waits of signals for one WebSocket, beside the rest.
inline constexpr std::size_t max_waiting_signals = 200;
inline constexpr std::size_t max_signal_octets = 16 * 1024;
// Over all sockets of a user: what each of them follows costs memory and, at first, a page.
inline constexpr std::size_t max_followed_by_user = 100'000;

// Entries of one channel that became durable together.
struct LiveBatch {
    std::int64_t first = 0;
    std::int64_t last = 0;
    // Not to be pushed but read by each follower for itself: memberships change within, or
    // it is large.
    bool from_store = false;
    std::shared_ptr<const QueuedEntries> entries;  // nothing if from_store
};

class Follower {
 public:
    // `followed` and `unfollowed` keep the hub's index right; the first says whether its
    // user may follow one more.
    struct Index {
        std::function<bool(Follower&, const protocol::ChannelId&)> followed;
        std::function<void(Follower&, const protocol::ChannelId&)> unfollowed;
    };
    // `room` is what all of them share for what waits.
    Follower(Caller caller, federation::Channels& channels, federation::People& people,
             asio::any_io_executor io, Index index, protocol::SharedRoom& room);
    ~Follower();
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    [[nodiscard]] const Caller& caller() const { return caller_; }
    [[nodiscard]] bool follows(const protocol::ChannelId& channel) const;

    // Everything after `seq`. `too_large` beyond the number of channels one may follow.
    [[nodiscard]] Result<void> follow(const protocol::ChannelId& channel, std::int64_t seq);
    // The device has the channel up to there.
    void acknowledge(const protocol::ChannelId& channel, std::int64_t seq);
    // All channels of the user from now on, those that he joins later included.
    void follow_all();

    // From the hub.
    void entries(const protocol::ChannelId& channel, const LiveBatch& batch);
    // [MEM-4] Contents of the channel are erased: what of it still waits is read anew.
    void take_back(const protocol::ChannelId& channel);
    void state(std::string json);  // an item of a `state` frame
    // The same, of an own event.
    void moved(const protocol::Hash& event, std::string json);
    void delivered(const protocol::ChannelId& channel, const protocol::ServerName& server,
                   std::int64_t seq);
    void membership_changed();
    void mail_came();
    // Shown when nothing else waits, the latest of each key; dropped where too many wait.
    void signal(const std::string& key, const std::string& json);
    // A whole frame for this device alone.
    void answer(std::string frame);

    // Writes until the socket fails or end() is called; owns the socket's writing side.
    asio::awaitable<void> pump(net::WebSocket& socket);
    // Nothing more is written; a write that is under way is cut off.
    void end();
    [[nodiscard]] bool has_ended() const { return ended_; }

 private:
    struct Cursor {
        std::int64_t seq = 0;          // the last that was queued or written
        std::int64_t noticed = 0;      // the last commit that we heard of
        bool live = false;             // nothing is committed beyond `seq` but what is queued
        std::uint64_t generation = 0;  // follow() again: a page under way is then void
        std::uint64_t behind = 0;      // pages go behind what was pushed before they began
        bool is_acknowledged = false;  // that the device has what lies before its first page
        std::int64_t from_store = 0;   // the last commit that each follower reads for itself
    };
    using Cursors = std::map<protocol::ChannelId, Cursor>;
    // What is committed in a channel while a page of it is read waits in the queue: in a busy
    // channel no page would come back as the last one.
    struct Ahead {
        protocol::ChannelId channel;
        std::int64_t last = 0;  // 0: nothing waits
        bool is_broken = false;
    };

    void drop_all();
    void lag(Cursors::iterator cursor);
    void keep_ahead(const Cursor& cursor, const LiveBatch& batch,
                    const protocol::ChannelId& channel);
    // Whether the page that was read and what is kept ahead are all there is: then it goes on live.
    void join(const Ahead& ahead, const Cursor& before, bool is_empty);
    asio::awaitable<void> write(net::WebSocket& socket, std::string frame);
    asio::awaitable<bool> write_queued(net::WebSocket& socket);
    asio::awaitable<bool> catch_up(net::WebSocket& socket);
    asio::awaitable<void> list_anew();
    asio::awaitable<bool> write_mail(net::WebSocket& socket);
    asio::awaitable<void> write_signals(net::WebSocket& socket);
    asio::awaitable<Result<void>> tell_overdue();
    void unfollow(const protocol::ChannelId& channel, const Error& error);
    void took_page(const protocol::ChannelId& channel, const Cursor& before,
                   federation::ClientEntries page, std::string& frame);

    Caller caller_;
    federation::Channels& channels_;
    Index index_;
    net::Wakeup wake_;
    OutQueue queue_;
    Mail mail_;
    federation::SignalQueue signals_{{max_waiting_signals, max_signal_octets}};
    Cursors cursors_;
    std::deque<protocol::ChannelId> lagging_;  // each at most once, in turn
    std::optional<Ahead> ahead_;               // while a page is read
    std::uint64_t generation_ = 0;
    bool all_ = false;           // follow channels that come
    bool list_ = false;          // the list of channels is to be read
    bool all_from_now_ = false;  // what that list shows is followed from its end
    // Own events that moved while the overdue ones are read: what is read of them is old.
    std::optional<std::set<protocol::Hash>> moved_;
    net::WebSocket* writing_to_ = nullptr;
    bool ended_ = false;
};

}  // namespace entente::api
