// Signals on their way [INBOX-5]: from an own user's device to the channel's home, from the
// home to its followers, and to own devices. Nothing is kept and nothing is tried again, but
// for how far an own user has read. Decides on the writer's thread, where the channels are at
// hand; what follows happens behind the commit.
#pragma once

#include <functional>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/identity.hpp"
#include "protocol/signal.hpp"
#include "protocol/transaction.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"
#include "trust/policy/enforcer.hpp"
#include "trust/tier.hpp"

namespace entente::federation {

namespace asio = boost::asio;

// While more jobs wait for the writer, signals are dropped before they cost it anything.
inline constexpr std::size_t most_jobs_for_signals = 4'096;

// Typing and presence in a channel that more servers follow go to none of them.
inline constexpr std::size_t most_followers_for_signals = 200;

struct SignalsParts {
    const Identity& identity;
    storage::ChannelLogStore& store;
    storage::GroupCommit& commits;
    // To own devices that follow the channel.
    std::function<void(const protocol::LiveSignal&)> show;
    // To the link of a peer.
    std::function<void(const ServerName& peer, const protocol::LiveSignal&)> pass;
    trust::policy::Enforcer* policies = nullptr;  // nothing: nobody is asked
};

// One that came from another server, and how far the server of its user is trusted: no further
// than who passed it on.
struct HeardSignal {
    protocol::LiveSignal signal;
    trust::Tier tier = trust::Tier::blocked;
};

class Signals {
 public:
    explicit Signals(SignalsParts parts);

    // By a device of `user`; their `user` is filled in. `not_found` where one is for a channel
    // of which he is no member, `forbidden` and `rate_limited` as policies say; the others are sent
    // all the same. Under load they are dropped.
    asio::awaitable<Result<void>> send(protocol::UserId user, Person person,
                                       std::vector<protocol::LiveSignal> signals);
    // By another server: of one of its users to a channel that is homed here, or passed on by
    // the home. Others are ignored, and so is what policies refuse.
    [[nodiscard]] protocol::SignalResult take(storage::WriteTransaction& transaction,
                                              const HeardSignal& heard, const ServerName& origin);

 private:
    [[nodiscard]] Result<void> send_one(storage::WriteTransaction& transaction,
                                        const Person& person, protocol::LiveSignal signal);
    void spread(storage::WriteTransaction& transaction, const storage::LiveChannel& channel,
                const protocol::LiveSignal& signal, const ServerName& origin);

    SignalsParts parts_;
};

}  // namespace entente::federation
