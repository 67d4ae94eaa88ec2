// All links: who is woken by what. Starts a link's coroutine when a server is owed
// something and forgets it when it has run out of work. On the I/O thread.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "federation/peer_link.hpp"
#include "net/task_group.hpp"
#include "storage/channel_log_store.hpp"

namespace entente::federation {

class PeerLinks {
 public:
    PeerLinks(LinkParts parts, net::TaskGroup& tasks);
    ~PeerLinks();

    // Wakes the links of all servers that were owed something when this one stopped.
    asio::awaitable<Result<void>> start();
    void wake(const ServerName& peer);
    // A proven inbound request of that server.
    void heard_from(const ServerName& peer);
    // A channel homed here has grown.
    void committed(const storage::CommittedRun& run);

    [[nodiscard]] std::size_t running() const { return links_.size(); }

 private:
    asio::awaitable<void> drive(std::shared_ptr<PeerLink> link, ServerName peer);
    PeerLink& link(const ServerName& peer);

    LinkParts parts_;
    net::TaskGroup& tasks_;
    protocol::SharedRoom room_{link_room};
    std::unordered_map<ServerName, std::shared_ptr<PeerLink>> links_;
};

}  // namespace entente::federation
