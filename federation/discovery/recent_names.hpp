// Names of servers in the order of their last use. Holds no more than names; its holder bounds it.
#pragma once

#include <algorithm>
#include <iterator>
#include <list>
#include <unordered_map>
#include <vector>

#include "protocol/names.hpp"

namespace entente::federation {

class RecentNames {
 public:
    // Now the latest used; added where it isn't held.
    void use(const protocol::ServerName& name)
    {
        if (const auto found = places_.find(name); found != places_.end()) {
            order_.splice(order_.begin(), order_, found->second);
            return;
        }
        order_.push_front(name);
        places_.emplace(name, order_.begin());
    }
    void use_if_held(const protocol::ServerName& name)
    {
        if (places_.contains(name)) use(name);
    }
    void drop(const protocol::ServerName& name)
    {
        const auto found = places_.find(name);
        if (found == places_.end()) return;
        order_.erase(found->second);
        places_.erase(found);
    }
    [[nodiscard]] std::size_t size() const { return order_.size(); }
    [[nodiscard]] std::vector<protocol::ServerName> oldest(std::size_t count) const
    {
        const auto end =
            std::next(order_.rbegin(), static_cast<std::ptrdiff_t>(std::min(count, order_.size())));
        return {order_.rbegin(), end};
    }

 private:
    std::list<protocol::ServerName> order_;  // the latest used first
    std::unordered_map<protocol::ServerName, std::list<protocol::ServerName>::iterator> places_;
};

}  // namespace entente::federation
