// A server that takes every connection, shakes hands, and never reads a word: for what is
// sent to it there is neither an answer nor an end.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/support/node.hpp"

namespace entente::overload {

class MutePeer {
 public:
    // On the port that `name` has in the world; nobody else listens there.
    MutePeer(const e2e::World& world, const std::string& name);
    ~MutePeer();
    MutePeer(const MutePeer&) = delete;
    MutePeer& operator=(const MutePeer&) = delete;
    [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
    void serve(std::string certificate, std::string key);

    int listening_ = -1;
    std::atomic<bool> stopping_ = false;
    std::atomic<std::size_t> connections_ = 0;
    std::vector<e2e::TlsSocket> held_;
    std::thread thread_;
};

}  // namespace entente::overload
