// All links: who is woken by what. Starts a link's coroutine when a server is owed
// something and forgets it when it has run out of work. On the I/O thread.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "federation/links/last_heard.hpp"
#include "federation/links/peer_link.hpp"
#include "net/task_group.hpp"
#include "protocol/signal.hpp"
#include "storage/channel_log_store.hpp"

namespace entente::federation {

class PeerLinks {
 public:
    PeerLinks(LinkParts parts, net::TaskGroup& tasks);
    ~PeerLinks();

    // Wakes the links of all servers that were owed something when this one stopped.
    asio::awaitable<Result<void>> start();
    void wake(const ServerName& peer);
    // The same where it is a submission or a direct event.
    void nudge(const ServerName& peer);
    // A heartbeat of the channel to a follower, whether or not it is owed anything.
    void ask(const ServerName& peer, const protocol::ChannelId& channel);
    // [LOG-8] The same to all followers of all channels.
    asio::awaitable<Result<void>> ask_all();
    // Dropped for a minute where the peer couldn't be reached: nobody is called for it.
    void signal(const ServerName& peer, const protocol::LiveSignal& signal);
    // A proven inbound request of that server.
    void heard_from(const ServerName& peer);
    // An administrator's word: tries at once, whatever was waited for.
    void urge(const ServerName& peer);
    // They were blocked, or aren't any more, and those below their names. Whoever is owed nothing
    // gets no link by that.
    void moved(const std::vector<ServerName>& peers);
    // A channel homed here has grown.
    void committed(const storage::CommittedRun& run);

    [[nodiscard]] std::size_t running() const { return links_.size(); }
    // Of those, links whose last attempt failed and that wait for the next.
    [[nodiscard]] std::size_t waiting() const;
    // Nothing where no link is running: it is owed nothing.
    [[nodiscard]] std::optional<LinkState> state_of(const ServerName& peer) const;
    [[nodiscard]] const LastHeard& last_heard() const { return last_heard_; }
    // When a server last asked this one something, and proved who it is; 0: not since the start.
    [[nodiscard]] Millis last_called() const { return last_called_; }

 private:
    asio::awaitable<void> look_around();
    asio::awaitable<void> drive(std::shared_ptr<PeerLink> link, ServerName peer);
    // Null for this server itself, and where the peer is blocked.
    [[nodiscard]] PeerLink* link(const ServerName& peer);

    LinkParts parts_;
    net::TaskGroup& tasks_;
    void ended(const ServerName& peer);
    protocol::SharedRoom room_{link_room};
    std::unordered_map<ServerName, std::shared_ptr<PeerLink>> links_;
    bool is_looking_around_ = false;
    std::unordered_set<ServerName> even_;  // nothing was owed when their links ended
    LastHeard last_heard_;
    Millis last_called_ = 0;
    std::unordered_map<ServerName, Millis> unreachable_until_;  // of those without a link
};

}  // namespace entente::federation
