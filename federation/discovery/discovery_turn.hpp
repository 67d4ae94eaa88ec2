// Whose turn it is to change a pin: for the parts of Discovery, and nobody else.
#pragma once

#include <utility>

#include "federation/discovery/discovery.hpp"

namespace entente::federation {

// The right to change one server's pin: two that judged the same pin would each put back
// what the other had added. Passed on however its holder ends.
class Discovery::Turn {
 public:
    Turn(Discovery& discovery, ServerName server)
        : discovery_(&discovery), server_(std::move(server))
    {
    }
    Turn(Turn&& other) noexcept
        : discovery_(std::exchange(other.discovery_, nullptr)), server_(std::move(other.server_))
    {
    }
    Turn& operator=(Turn&&) = delete;
    ~Turn()
    {
        if (discovery_ == nullptr) return;
        auto waiting = discovery_->pinning_.extract(server_);
        waiting.mapped()->cancel();
    }

 private:
    Discovery* discovery_;
    ServerName server_;
};

}  // namespace entente::federation
