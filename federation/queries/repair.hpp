// The home's part of LOG-5: while older data may have been put back, the channels that
// others follow are held; each follower is asked what it holds, and what this server signed
// and no longer has is fetched, verified and appended again. Decides when a held channel
// goes on. What is appended, and how, is HomeLog's; who is asked when, the peer links'. On
// the I/O thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/links/settlement.hpp"
#include "federation/log/home_log.hpp"
#include "federation/log/verification.hpp"
#include "federation/notices.hpp"
#include "net/task_group.hpp"
#include "protocol/log.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

// Once one follower has answered, so long the others are waited for.
inline constexpr Millis others_wait_ms = 30'000;
// So long the first is waited for.
inline constexpr Millis first_wait_ms = 600'000;
// A follower that could not show what it claimed isn't believed again for so long.
inline constexpr Millis disbelief_ms = 3'600'000;
inline constexpr std::size_t max_disbelieved = 4'096;
// Before a follower that did not answer is asked for entries again.
inline constexpr Millis fetch_retry_ms = 5'000;
// Followers that are fetched from at once, one channel of each: who answers slowly keeps
// nobody else waiting.
inline constexpr std::size_t max_fetching = 8;
inline constexpr std::size_t max_freed_at_once = 100;    // channels in one commit
inline constexpr std::size_t max_waiting_at_once = 500;  // own events of one of them

struct RepairParts {
    const Identity& identity;
    Verifier& verifier;
    HomeLog& home;
    storage::ChannelLogStore& store;
    storage::GroupCommit& commits;
    Notices& notices;
    net::TaskGroup& tasks;
    protocol::Log& log;
    const protocol::Clock& clock;
    // A heartbeat of the channel goes to the follower at once.
    std::function<void(const ServerName& follower, const protocol::ChannelId&)> ask;
    // The body of a signed 200 to a query.
    std::function<asio::awaitable<Result<std::string>>(ServerName follower, std::string target)>
        fetch;
};

class Repair {
 public:
    explicit Repair(RepairParts parts);

    // Asks about all channels that are held. Where nobody can be asked they go on at once.
    asio::awaitable<Result<void>> start(bool can_ask);
    // Goes on with what has been answered, and with what has waited long enough. Until the
    // tasks are cancelled.
    asio::awaitable<void> run();
    // One round of it.
    asio::awaitable<Result<void>> look();

    // What a follower said of a held channel, or of one that it is ahead of.
    void said(const ServerName& follower, const FollowerWord& word);
    [[nodiscard]] bool believes(const protocol::ChannelId& channel, const ServerName& follower);

    // [SUC-2] A channel is held for nobody's word, but for more to append than goes at once.
    void free_when_ready(const protocol::ChannelId& channel);

    // An administrator's word: a channel goes on at the next round. False where it isn't held.
    bool end_wait(const protocol::ChannelId& channel);
    struct Waiting {
        protocol::ChannelId channel;
        Millis since = 0;
        std::vector<ServerName> unheard;
    };
    [[nodiscard]] std::vector<Waiting> waiting() const;
    [[nodiscard]] bool is_fetching() const { return !fetching_.empty(); }

 private:
    struct Claim {
        std::int64_t seq = 0;
        bool has_given = false;   // entries, since the channel is held
        bool has_failed = false;  // it did not answer when it was asked for it
        bool withholds = false;   // contents, and doesn't show why they are gone
        Millis retry_at = 0;
    };
    struct Hold {
        Millis since = 0;
        Millis gained_at = 0;  // when one of its claims last gave an entry, of whatever channel
        std::set<ServerName> unheard;
        std::size_t heard = 0;
        std::map<ServerName, Claim> claims;
        bool is_fetched_from = false;  // by one at a time
        bool is_ended = false;         // by the administrator
    };
    using Holds = std::map<protocol::ChannelId, Hold>;
    enum class Gain : std::uint8_t { all, nothing, withheld, later, unreachable };

    void begin(const protocol::ChannelId& channel, const std::vector<ServerName>& followers);
    void count(Hold& hold, const ServerName& follower);
    void start_fetching();
    [[nodiscard]] Holds::iterator next_for(const ServerName& follower);
    asio::awaitable<void> fetch_from(ServerName follower);
    asio::awaitable<Gain> fetch_log(ServerName follower, protocol::ChannelId channel,
                                    std::int64_t until);
    asio::awaitable<Result<HomeLog::PutBack>> fetch_some(ServerName follower,
                                                         protocol::ChannelId channel,
                                                         std::int64_t after);
    [[nodiscard]] Missing if_missing(const protocol::ChannelId& channel,
                                     const ServerName& follower) const;
    void disbelieve(const protocol::ChannelId& channel, const ServerName& follower);
    void note_gain(const ServerName& follower);
    void settle_claim(const protocol::ChannelId& channel, const ServerName& follower, Gain gain);
    [[nodiscard]] static bool is_promised_more(const Hold& hold);
    [[nodiscard]] bool may_go_on(const protocol::ChannelId& channel, const Hold& hold) const;
    asio::awaitable<Result<void>> ask_followers(protocol::ChannelId channel);
    asio::awaitable<Result<void>> hold_again(std::vector<protocol::ChannelId> channels);
    asio::awaitable<Result<void>> go_on(std::vector<protocol::ChannelId> channels);

    RepairParts parts_;
    net::Wakeup wakeup_;
    Holds holds_;
    std::set<protocol::ChannelId> unasked_;  // held by what a follower said
    std::set<ServerName> fetching_;
    std::map<std::pair<protocol::ChannelId, ServerName>, Millis> disbelieved_;  // until when
};

}  // namespace entente::federation
