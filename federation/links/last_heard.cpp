#include "federation/links/last_heard.hpp"

namespace entente::federation {

void LastHeard::note(const protocol::ServerName& server, protocol::Millis now)
{
    if (const auto found = places_.find(server); found != places_.end()) {
        found->second->at = now;
        order_.splice(order_.begin(), order_, found->second);
        return;
    }
    if (places_.size() >= most_servers) {
        places_.erase(order_.back().server);
        order_.pop_back();
    }
    order_.push_front({server, now});
    places_.emplace(server, order_.begin());
}

protocol::Millis LastHeard::of(const protocol::ServerName& server) const
{
    const auto found = places_.find(server);
    return found == places_.end() ? 0 : found->second->at;
}

}  // namespace entente::federation
