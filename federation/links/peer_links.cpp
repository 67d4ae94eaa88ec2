#include "federation/links/peer_links.hpp"

#include <algorithm>
#include <utility>

#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

// A signal alone is no reason to try a peer again that was just found away.
constexpr Millis unreachable_ms = 60'000;
constexpr std::size_t max_unreachable = 10'000;

// Of whom it is remembered that nothing is owed to them.
constexpr std::size_t max_even = 10'000;

}  // namespace

PeerLinks::PeerLinks(LinkParts parts, net::TaskGroup& tasks)
    : parts_(std::move(parts)), tasks_(tasks)
{
    parts_.advanced = [this](const AdvancedLog& log) {
        for (const auto& other : log.others) {
            if (auto* const owing = link(other)) owing->acks_due(log.channel.str());
        }
    };
    parts_.answered = [this](const ServerName& peer) {
        last_heard_.note(peer, parts_.clock.now_ms());
    };
}

PeerLinks::~PeerLinks() = default;

asio::awaitable<Result<void>> PeerLinks::start()
{
    auto job = [self = parts_.identity.name](storage::Connection& db) {
        return storage::owed_servers(db, self);
    };
    auto owed = co_await parts_.commits.read(std::move(job));
    if (!owed) co_return fail(owed);
    for (const auto& peer : *owed) wake(peer);
    co_return Result<void>{};
}

PeerLink* PeerLinks::link(const ServerName& peer)
{
    if (peer == parts_.identity.name || (parts_.is_paused && parts_.is_paused(peer)))
        return nullptr;
    auto& held = links_[peer];
    if (!held) {
        const bool is_even = even_.erase(peer) > 0;
        held = std::make_shared<PeerLink>(parts_, peer, tasks_, room_, is_even);
        tasks_.spawn(drive(held, peer));
    }
    return held.get();
}

void PeerLinks::wake(const ServerName& peer)
{
    if (auto* const woken = link(peer)) woken->wake();
}

void PeerLinks::nudge(const ServerName& peer)
{
    if (auto* const nudged = link(peer)) nudged->nudge();
}

void PeerLinks::ask(const ServerName& peer, const protocol::ChannelId& channel)
{
    if (auto* const asked = link(peer)) asked->ask(channel.str());
}

asio::awaitable<Result<void>> PeerLinks::ask_all()
{
    auto job = [self = parts_.identity.name](storage::Connection& db) {
        return storage::followings(db, self, "");
    };
    auto all = co_await parts_.commits.read(std::move(job));
    if (!all) co_return fail(all);
    for (const auto& following : *all) ask(following.server, following.channel);
    co_return Result<void>{};
}

void PeerLinks::signal(const ServerName& peer, const protocol::LiveSignal& signal)
{
    if (peer == parts_.identity.name) return;
    if (const auto found = unreachable_until_.find(peer); found != unreachable_until_.end()) {
        if (found->second > parts_.clock.now_ms()) return;
        unreachable_until_.erase(found);
    }
    if (auto* const told = link(peer)) told->signal(signal.key(), protocol::write_signal(signal));
}

void PeerLinks::ended(const ServerName& peer)
{
    const auto found = links_.find(peer);
    if (found == links_.end()) return;
    if (found->second->is_down()) {
        if (unreachable_until_.size() >= max_unreachable) unreachable_until_.clear();
        unreachable_until_[peer] = parts_.clock.now_ms() + unreachable_ms;
    }
    links_.erase(found);
}

void PeerLinks::heard_from(const ServerName& peer)
{
    last_called_ = parts_.clock.now_ms();
    last_heard_.note(peer, last_called_);
    unreachable_until_.erase(peer);
    if (const auto found = links_.find(peer); found != links_.end()) found->second->heard();
}

std::size_t PeerLinks::waiting() const
{
    return static_cast<std::size_t>(std::count_if(links_.begin(), links_.end(), [](const auto& of) {
        return of.second->state().next_try > 0;
    }));
}

void PeerLinks::urge(const ServerName& peer)
{
    auto* const urged = link(peer);
    if (urged == nullptr) return;
    urged->wake();
    urged->urge();
}

void PeerLinks::moved(const std::vector<ServerName>& peers)
{
    for (const auto& peer : peers) {
        if (const auto found = links_.find(peer); found != links_.end()) found->second->wake();
    }
    if (std::exchange(is_looking_around_, true)) return;
    tasks_.spawn(look_around());
}

// A block holds for the names below as well. Once for all that move at a time: a list may have a
// hundred thousand.
asio::awaitable<void> PeerLinks::look_around()
{
    for (const auto& [name, one] : links_) one->look_whether_paused();
    auto job = [self = parts_.identity.name](storage::Connection& db) {
        return storage::owed_servers(db, self);
    };
    auto owed = co_await parts_.commits.read(std::move(job));
    is_looking_around_ = false;
    for (const auto& [name, one] : links_) one->look_whether_paused();
    if (!owed) {
        // They are owed it at the next event for them, or the next start.
        protocol::log_warning(parts_.log, "links", "who is owed something could not be read",
                              {{"detail", owed.error().detail}});
        co_return;
    }
    for (const auto& peer : *owed) {
        if (!links_.contains(peer)) wake(peer);
    }
}

std::optional<LinkState> PeerLinks::state_of(const ServerName& peer) const
{
    const auto found = links_.find(peer);
    if (found == links_.end()) return std::nullopt;
    return found->second->state();
}

void PeerLinks::committed(const storage::CommittedRun& run)
{
    if (run.home != parts_.identity.name) return;
    for (const auto& peer : run.followers) {
        if (auto* const owed = link(peer)) owed->grown(run.channel_id);
    }
}

asio::awaitable<void> PeerLinks::drive(std::shared_ptr<PeerLink> running, ServerName peer)
{
    // No await lies between the last look for work and the end: nothing can be missed. An
    // exception ends the link too, and the next wake starts another.
    struct Ending {
        PeerLinks& links;
        const ServerName& peer;
        ~Ending() { links.ended(peer); }
    };
    const Ending ending{*this, peer};
    co_await running->run();
    if (!running->is_even()) co_return;
    if (even_.size() >= max_even) even_.clear();
    even_.insert(peer);
}

}  // namespace entente::federation
