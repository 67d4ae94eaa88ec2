#include "federation/people/signals.hpp"

#include "federation/event_policy.hpp"

#include <algorithm>
#include <utility>

#include "storage/read_marker_store.hpp"

namespace entente::federation {

namespace {

using protocol::ItemStatus;
using protocol::LiveSignal;
using protocol::SignalType;
using storage::LiveChannel;
using storage::WriteTransaction;

trust::policy::Action action_of(SignalType type)
{
    switch (type) {
        case SignalType::typing: return trust::policy::Action::signal_typing;
        case SignalType::read: return trust::policy::Action::signal_read;
        case SignalType::presence: break;
    }
    return trust::policy::Action::signal_presence;
}

}  // namespace

Signals::Signals(SignalsParts parts) : parts_(std::move(parts)) {}

asio::awaitable<Result<void>> Signals::send(protocol::UserId user, Person person,
                                            std::vector<LiveSignal> signals)
{
    if (parts_.commits.figures().queued > most_jobs_for_signals) co_return Result<void>{};
    for (auto& signal : signals) signal.user = user;
    storage::Cause cause{user.str(), 0};
    auto job = [this, person = std::move(person), signals = std::move(signals)](
                   WriteTransaction& transaction) -> Result<std::optional<Error>> {
        std::optional<Error> first;
        for (const auto& signal : signals) {
            auto sent = send_one(transaction, person, signal);
            if (!sent && !first) first = sent.error();
        }
        return first;
    };
    auto sent = co_await parts_.commits.write(std::move(job), std::move(cause));
    if (!sent) co_return fail(sent);
    if (*sent) co_return protocol::Failure{**sent};
    co_return Result<void>{};
}

Result<void> Signals::send_one(WriteTransaction& transaction, const Person& person,
                               LiveSignal signal)
{
    auto& db = transaction.db();
    auto found = parts_.store.find(db, signal.channel);
    const bool is_unknown = !found && found.error().code == Code::not_found;
    if (!found && !is_unknown) return fail(found);
    if (is_unknown || !(*found)->state.is_member(signal.user.str()))
        return refuse(Code::not_found, "no such channel");
    auto& channel = **found;
    auto allowed =
        ask_policies(parts_.policies, {action_of(signal.type), signal.user, trust::Tier::trusted,
                                       signal.channel, channel.home, channel.state, &person});
    if (!allowed) return allowed;
    if (signal.type == SignalType::read) {
        // Nobody has read what isn't there.
        signal.seq = std::min(signal.seq, channel.seq);
        auto raised =
            storage::raise_read_marker(db, signal.user.str(), signal.channel.str(), signal.seq);
        if (!raised) return fail(raised);
        if (!*raised) return {};
    }
    spread(transaction, channel, signal, parts_.identity.name);
    return {};
}

protocol::SignalResult Signals::take(WriteTransaction& transaction, const HeardSignal& heard,
                                     const ServerName& origin)
{
    protocol::SignalResult ignored;
    const auto& signal = heard.signal;
    auto found = parts_.store.find(transaction.db(), signal.channel);
    if (!found) return ignored;
    const auto& channel = **found;
    const auto server = protocol::server_of(signal.user);
    const bool is_home = channel.home == parts_.identity.name;
    // Nobody speaks for another server's users but the channel's home, and nobody for ours.
    const bool is_entitled = is_home ? server == origin : channel.home == origin;
    if (!is_entitled || server == parts_.identity.name ||
        !channel.state.is_member(signal.user.str()))
        return ignored;
    const auto allowed =
        ask_policies(parts_.policies, {action_of(signal.type), signal.user, heard.tier,
                                       signal.channel, channel.home, channel.state});
    if (!allowed) return ignored;
    spread(transaction, channel, signal, origin);
    ignored.status = ItemStatus::accepted;
    return ignored;
}

// The home passes on to all but where it came from; a follower hands in at the home what is
// its own users'.
void Signals::spread(WriteTransaction& transaction, const LiveChannel& channel,
                     const LiveSignal& signal, const ServerName& origin)
{
    std::vector<ServerName> peers;
    // Where many follow, each word would call them all: only how far one has read is worth that.
    const bool is_crowded =
        channel.followers.size() > most_followers_for_signals && signal.type != SignalType::read;
    if (channel.home == parts_.identity.name && !is_crowded) {
        for (const auto& follower : channel.followers)
            if (follower != origin && channel.state.has_member_of(follower))
                peers.push_back(follower);
    } else if (channel.home != parts_.identity.name && origin == parts_.identity.name) {
        peers.push_back(channel.home);
    }
    transaction.after_commit([this, signal, peers = std::move(peers)] {
        parts_.show(signal);
        for (const auto& peer : peers) parts_.pass(peer, signal);
    });
}

}  // namespace entente::federation
