// One link to one remote server that is owed something: reads what lies behind the cursors,
// sends it as signed transactions, settles the answers, and again until nothing is owed.
// What is under way is a lane: a peer that answers soon never has more than one, so that all
// that has gathered goes into the next; one that doesn't has up to four, none of a channel
// that another carries, so nothing overtakes what it follows. State worth keeping is in the
// store; this is a loop.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/gate/signed_client.hpp"
#include "federation/links/backoff.hpp"
#include "federation/links/link_holds.hpp"
#include "federation/links/settlement.hpp"
#include "federation/links/signal_queue.hpp"
#include "net/task_group.hpp"
#include "protocol/shared_room.hpp"

namespace entente::federation {

// What all links hold of transactions under way, in octets of events and contents: a
// transaction costs about five times as much while it is sent. Peers that answer late or
// never take what is plenty; each of the others may still send a little at a time.
inline constexpr protocol::SharedRoom::Limits link_room{32 * 1024 * 1024, 4 * 1024 * 1024,
                                                        64 * 1024};

// [INBOX-7] Transactions of one link under way.
inline constexpr std::size_t most_lanes = 4;

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
    // Whether nothing at all goes there now: it is blocked. What is owed stays owed.
    std::function<bool(const ServerName&)> is_paused = {};
    // How long the last transaction is waited for before another may go beside it: each costs
    // four signatures, so what is answered sooner is worth waiting for.
    std::chrono::milliseconds patience{50};
};

// How a link stands, for people who look.
struct LinkState {
    Millis next_try = 0;           // of a wait; 0: it doesn't wait
    int failures = 0;              // in a row
    std::optional<Error> problem;  // of the last attempt, where it failed
};

class PeerLink : public std::enable_shared_from_this<PeerLink> {
 public:
    // `room` is what all links share; `tasks` own what is under way.
    // `is_even`: an earlier link has ended, and nothing was owed then.
    PeerLink(LinkParts parts, ServerName peer, net::TaskGroup& tasks, protocol::SharedRoom& room,
             bool is_even = false);

    // Runs until nothing is owed. Requires: a shared_ptr has it.
    asio::awaitable<void> run();
    // There is something new to send, whatever it is.
    void wake();
    // There is a submission or a direct event: no log is looked at for its sake.
    void nudge();
    // There is an entry in the log of the channel of that row: no other log is looked at.
    void grown(std::int64_t channel);
    // The peer is alive: a wait for it to come back ends, as often as `Backoff` allows.
    void heard();
    // An administrator's word: whatever wait there is ends now.
    void urge();
    // Ends once what is under way is answered, if it is paused by now.
    void look_whether_paused();
    [[nodiscard]] LinkState state() const;
    // A signal goes with the next transaction, or with one of its own, which there is once a
    // second. Dropped while the peer can't be reached, or where too many wait [INBOX-5].
    void signal(const std::string& key, std::string json);
    // Once it has ended: nothing is owed, neither held back nor unprovable.
    [[nodiscard]] bool is_even() const { return grown_.empty() && !looks_at_all_; }
    // Whether the last attempt failed.
    [[nodiscard]] bool is_down() const { return is_down_; }
    // A heartbeat with acks is due for a channel, in 2 s at the latest [section 5].
    void acks_due(const std::string& channel);
    // A slice or a heartbeat of the channel goes next, whatever the peer holds of it.
    void ask(const std::string& channel);

 private:
    // One transaction under way. What it carries no other does.
    struct Lane {
        explicit Lane(protocol::SharedRoom& room) : share(room) {}

        BatchDraft draft;
        std::string body;
        std::set<std::string> channels;
        std::set<std::string> heartbeats;  // that were due when it was read
        bool has_direct = false;
        bool has_signals = false;
        Millis begun = 0;
        std::uint64_t failures = 0;  // of the link, when it began
        std::uint64_t answers = 0;   // the same
        bool is_settled = false;     // whatever came of it is known
        protocol::RoomShare share;
    };

    // --- which transaction goes next: peer_link.cpp
    [[nodiscard]] bool is_paused() const { return parts_.is_paused && parts_.is_paused(peer_); }
    // True where one more is under way.
    asio::awaitable<bool> open_lane();
    [[nodiscard]] bool may_open_lane() const;
    // Until another lane may have something to carry.
    asio::awaitable<void> rest();
    // What is owed, as it is to be sent: read and sealed on a reader.
    asio::awaitable<Result<std::string>> write_out(std::shared_ptr<const BatchDraft> draft);
    [[nodiscard]] BatchLimits batch_limits() const;
    // Takes what is to be looked at.
    [[nodiscard]] std::optional<std::set<std::int64_t>> logs_to_look_at();
    void note_logs_left(const std::set<std::int64_t>& channels);
    void add_signals(BatchDraft& draft, const BatchLimits& limits);
    [[nodiscard]] bool are_signals_due() const;
    [[nodiscard]] Held held_now();
    // Nobody is left there to be told or asked.
    void forget_unfounded(const Held& held);
    // Of what was held when the last batch was looked for.
    [[nodiscard]] std::optional<Wait> until_hold_ends() const;
    void begin_wait(Wait wait);
    asio::awaitable<void> pause(Wait wait);
    // `items` of a batch, where one has failed.
    void failed(const Error& error, std::size_t items = 0);
    void tell_failure(const Error& error, const Wait& wait, bool was_down);
    void is_back();

    // --- what becomes of one that is under way: peer_lane.cpp
    static asio::awaitable<void> carry(std::shared_ptr<PeerLink> link, std::shared_ptr<Lane> lane);
    asio::awaitable<Result<Settled>> exchange(const BatchDraft& draft, std::string body);
    asio::awaitable<Result<protocol::TransactionResult>> read_result(std::string body);
    asio::awaitable<void> delivered(std::shared_ptr<Lane> lane, Settled settled);
    void not_delivered(const Lane& lane, const Error& error);
    void note_answer(const Lane& lane, const Settled& settled);
    void lane_ended(const Lane& lane);
    asio::awaitable<void> fetch_snapshots(std::map<std::string, WantedSnapshot> channels);
    asio::awaitable<void> ask_about_all();
    // `sent`: what went with the slice already.
    asio::awaitable<void> show_keys(std::string channel, std::vector<std::string> kids,
                                    std::vector<protocol::ShownKey> sent);
    void show_move(const std::string& channel);

    LinkParts parts_;
    ServerName peer_;
    net::TaskGroup& tasks_;
    net::Wakeup wakeup_;
    protocol::SharedRoom& room_;
    Backoff backoff_;
    std::vector<std::shared_ptr<Lane>> lanes_;
    std::uint64_t failures_ = 0;  // of the link: those of one moment count once
    std::uint64_t answers_ = 0;
    std::optional<Wait> wait_;  // before anything else is sent
    bool woken_ = false;
    // Which logs may be owed: all that the peer follows, or no others than these. To ask for all
    // of many thousand channels costs milliseconds.
    bool looks_at_all_;
    std::set<std::int64_t> grown_;
    bool has_more_ = false;      // than what the last batch had room for
    std::int64_t last_log_ = 0;  // the channel whose turn was last, where there was more
    Millis looked_at_ = 0;       // when what was held was left out of a batch
    Millis clock_due_ = 0;  // when what waits for the clock is looked at again; 0: nothing does
    bool heard_ = false;
    bool urged_ = false;
    Millis next_try_ = 0;
    std::optional<Error> problem_;
    int halvings_ = 0;
    LinkHolds holds_;
    std::map<std::string, Millis> acks_due_;                       // channel → when
    std::set<std::string> questions_;                              // channels
    std::map<std::string, std::vector<protocol::ShownKey>> keys_;  // channel → what goes with it
    std::set<std::string> moves_due_;    // channels whose move is to be shown
    std::set<std::string> moves_shown_;  // and those whose move was, until it is refused
    bool was_away_ = false;              // since the last answer
    SignalQueue signals_;
    Millis signals_due_ = 0;  // not for their own sake before
    bool is_down_ = false;
    // Nothing goes but the smallest transaction until one is answered: where it goes is what the
    // peer's document says, and that may be a third party's address.
    bool is_probing_ = false;
    std::optional<Code> told_;  // the administrator, since it is down
};

}  // namespace entente::federation
