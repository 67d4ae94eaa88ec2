// Another server's users that write into a channel of a server under test: a peer of our
// own, trusted, with budgets and limits out of the way. Its requests are signed before a
// clock starts and sent over several connections at once, one transaction under way on each.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/support/client.hpp"
#include "tests/e2e/support/forger.hpp"

namespace entente::bench {

constexpr std::size_t peer_connections = 8;

class Peer {
 public:
    // A server a.test, and a channel of its alice's that the peer's user has joined.
    Peer();

    [[nodiscard]] e2e::Node& server() { return world_["a.test"]; }
    [[nodiscard]] e2e::Client& alice() { return *alice_; }
    [[nodiscard]] const std::string& channel() const { return channel_; }

    // A whole signed request with so many messages of 300 octets; valid for five minutes.
    [[nodiscard]] std::string request(std::size_t messages) const;
    [[nodiscard]] std::vector<std::string> requests(std::size_t count, std::size_t messages) const;
    // Sends all; Broken where one isn't answered with so many accepted events.
    void send(const std::vector<std::string>& requests, std::size_t messages);

 private:
    e2e::World world_;
    std::unique_ptr<e2e::Forger> forger_;
    std::unique_ptr<e2e::Client> alice_;
    std::string channel_;
};

}  // namespace entente::bench
