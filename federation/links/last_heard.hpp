// When each peer last proved to be alive: by a signed request or a signed answer. In memory,
// for people who look: nothing is decided by it. On the I/O thread.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"

namespace entente::federation {

class LastHeard {
 public:
    static constexpr std::size_t most_servers = 4'096;  // beyond it the longest silent is forgotten

    void note(const protocol::ServerName& server, protocol::Millis now);
    // 0: not since this server's start, or forgotten.
    [[nodiscard]] protocol::Millis of(const protocol::ServerName& server) const;
    [[nodiscard]] std::size_t size() const { return places_.size(); }

 private:
    struct Heard {
        protocol::ServerName server;
        protocol::Millis at = 0;
    };
    std::list<Heard> order_;  // the latest first
    std::unordered_map<protocol::ServerName, std::list<Heard>::iterator> places_;
};

}  // namespace entente::federation
