#include "federation/peer_links.hpp"

#include "storage/outgoing_store.hpp"

namespace entente::federation {

PeerLinks::PeerLinks(LinkParts parts, net::TaskGroup& tasks)
    : parts_(std::move(parts)), tasks_(tasks)
{
    parts_.advanced = [this](const AdvancedLog& log) {
        for (const auto& other : log.others) link(other).acks_due(log.channel.str());
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

PeerLink& PeerLinks::link(const ServerName& peer)
{
    auto& held = links_[peer];
    if (!held) {
        held = std::make_shared<PeerLink>(parts_, peer, tasks_.executor(), room_);
        tasks_.spawn(drive(held, peer));
    }
    return *held;
}

void PeerLinks::wake(const ServerName& peer)
{
    if (peer == parts_.identity.name) return;
    link(peer).wake();
}

void PeerLinks::heard_from(const ServerName& peer)
{
    if (const auto found = links_.find(peer); found != links_.end()) found->second->heard();
}

void PeerLinks::committed(const storage::CommittedRun& run)
{
    if (run.home != parts_.identity.name) return;
    for (const auto& peer : run.followers) wake(peer);
}

asio::awaitable<void> PeerLinks::drive(std::shared_ptr<PeerLink> running, ServerName peer)
{
    // No await lies between the last look for work and the end: nothing can be missed. An
    // exception ends the link too, and the next wake starts another.
    struct Ending {
        PeerLinks& links;
        const ServerName& peer;
        ~Ending() { links.links_.erase(peer); }
    };
    const Ending ending{*this, peer};
    co_await running->run();
}

}  // namespace entente::federation
