// The way from one server to another, which can be cut: passes on what goes over TCP. While it
// is cut nothing moves on it and nothing is refused either, as on a line that is down;
// connections of before are closed once it is whole again.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>

#include "tests/e2e/support/node.hpp"

namespace entente::e2e {

class Cable {
 public:
    // From `from`, which has to be stopped and goes this way from its next start on.
    Cable(const World& world, const Node& from, const std::string& to);
    ~Cable();
    Cable(const Cable&) = delete;
    Cable& operator=(const Cable&) = delete;

    // When these return it is so.
    void cut();
    void mend();
    [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
    struct Pair {
        int near = -1, far = -1;
        bool ended = false;
    };
    void serve();
    void take_one();
    void close_all();
    static void pass(Pair& pair, int from, int to);

    ReservedPort port_;
    std::uint16_t target_;
    int listening_ = -1;
    std::list<Pair> pairs_;
    std::atomic<bool> shall_be_cut_ = false, is_cut_ = false, stopping_ = false;
    std::atomic<std::size_t> connections_ = 0;
    std::thread thread_;
};

}  // namespace entente::e2e
