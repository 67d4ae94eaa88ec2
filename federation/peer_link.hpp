// One link to one remote server that is owed something: reads what lies behind the cursors,
// sends it as one signed transaction, settles the answer, and again until nothing is owed.
// One transaction is in flight at a time, so nothing overtakes what it follows; the busier
// the link, the larger the batches. State worth keeping is in the store; this is a loop.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/backoff.hpp"
#include "federation/settlement.hpp"
#include "federation/signal_queue.hpp"
#include "federation/signed_client.hpp"
#include "net/task_group.hpp"
#include "protocol/shared_room.hpp"

namespace entente::federation {

// What all links hold of transactions under way, in octets of events and contents: a
// transaction costs about five times as much while it is sent. Peers that answer late or
// never take what is plenty; each of the others may still send a little at a time.
inline constexpr protocol::SharedRoom::Limits link_room{32 * 1024 * 1024, 4 * 1024 * 1024,
                                                        64 * 1024};

struct LinkParts {
    const Identity& identity;
    Discovery& discovery;
    SignedClient& client;
    Settlement& settlement;
    storage::GroupCommit& commits;
    protocol::Log& log;
    const protocol::Clock& clock;
    protocol::Random& random;
    BackoffOptions backoff;
    // Other followers want to know how far this one is.
    std::function<void(const AdvancedLog&)> advanced;
    // A peer has answered, and signed it.
    std::function<void(const ServerName&)> answered = {};
    // What it says of channels that wait for its word [LOG-5].
    std::function<void(const ServerName& peer, const FollowerWord&)> said = {};
};

// How a link stands, for people who look.
struct LinkState {
    Millis next_try = 0;           // of a wait; 0: it doesn't wait
    int failures = 0;              // in a row
    std::optional<Error> problem;  // of the last attempt, where it failed
};

class PeerLink {
 public:
    // `room` is what all links share.
    PeerLink(LinkParts parts, ServerName peer, asio::any_io_executor executor,
             protocol::SharedRoom& room);

    // Runs until nothing is owed.
    asio::awaitable<void> run();
    // There is something new to send.
    void wake();
    // The peer is alive: a wait for it to come back ends at once.
    void heard();
    // An administrator's word: whatever wait there is ends now.
    void urge();
    [[nodiscard]] LinkState state() const;
    // A signal goes with the next transaction, or with one of its own, which there is once a
    // second. Dropped while the peer can't be reached, or where too many wait [INBOX-5].
    void signal(const std::string& key, std::string json);
    // Whether the last attempt failed.
    [[nodiscard]] bool is_down() const { return is_down_; }
    // A heartbeat with acks is due for a channel, in 2 s at the latest [section 5].
    void acks_due(const std::string& channel);
    // A slice or a heartbeat of the channel goes next, whatever the peer holds of it.
    void ask(const std::string& channel);

 private:
    using WaitTime = std::chrono::milliseconds;
    struct Hold {
        Millis until = 0;
        int doublings = 0;
    };

    // How long until the next attempt; nothing when the link has nothing left to do.
    asio::awaitable<std::optional<Wait>> deliver();
    // What is owed, as it is to be sent: read and sealed on a reader.
    asio::awaitable<Result<std::string>> write_out(std::shared_ptr<const BatchDraft> draft);
    [[nodiscard]] BatchLimits batch_limits() const;
    asio::awaitable<Result<Settled>> exchange(const BatchDraft& draft, std::string body);
    asio::awaitable<Result<protocol::TransactionResult>> read_result(std::string body);
    asio::awaitable<void> fetch_snapshots(
        std::map<std::string, std::optional<std::int64_t>> channels);
    asio::awaitable<void> ask_about_all();
    void show_keys(const std::string& channel, const std::vector<std::string>& kids);
    asio::awaitable<void> pause(Wait wait);
    void add_signals(BatchDraft& draft, const BatchLimits& limits);
    [[nodiscard]] bool are_signals_due() const;
    [[nodiscard]] Held held_now();
    // Of what was held when the last batch was looked for.
    [[nodiscard]] std::optional<Wait> until_hold_ends() const;
    void remember(const Settled& settled);
    void hold_longer(std::map<std::string, Hold>& holds, const std::string& channel,
                     std::int64_t seconds);
    Wait failed(const Error& error);

    LinkParts parts_;
    ServerName peer_;
    net::Wakeup wakeup_;
    protocol::SharedRoom& room_;
    Backoff backoff_;
    bool woken_ = false;
    Millis looked_at_ = 0;  // when what was held was left out of a batch
    bool heard_ = false;
    bool urged_ = false;
    Millis next_try_ = 0;
    std::optional<Error> problem_;
    int halvings_ = 0;
    std::map<std::string, Hold> held_submissions_;
    std::map<std::string, Hold> held_logs_;
    Millis held_direct_until_ = 0;
    std::map<std::string, Millis> acks_due_;                       // channel → when
    std::set<std::string> questions_;                              // channels
    std::map<std::string, std::vector<protocol::ShownKey>> keys_;  // channel → what goes with it
    bool was_away_ = false;                                        // since the last answer
    SignalQueue signals_;
    Millis signals_due_ = 0;  // not for their own sake before
    bool is_down_ = false;
};

}  // namespace entente::federation
