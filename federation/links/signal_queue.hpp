// Signals that wait for one reader, a peer or a device: of each kind the latest alone, in the
// order in which they came first; bounded, and what doesn't fit is dropped, since it is
// nothing that anybody needs [INBOX-5]. Does no I/O.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace entente::federation {

class SignalQueue {
 public:
    struct Limits {
        std::size_t signals = 1'000;
        std::size_t octets = 64 * 1024;
    };
    explicit SignalQueue(Limits limits) : limits_(limits) {}
    SignalQueue() : SignalQueue(Limits{}) {}

    // False where it was dropped. One of a key that waits takes its place.
    bool push(const std::string& key, std::string json);
    // At most `signals` and `octets` of them, the longest waiting first.
    [[nodiscard]] std::vector<std::string> take(std::size_t signals, std::size_t octets);
    void clear();
    [[nodiscard]] bool empty() const { return order_.empty(); }
    [[nodiscard]] std::size_t size() const { return order_.size(); }
    [[nodiscard]] std::size_t octets() const { return octets_; }

 private:
    Limits limits_;
    std::deque<std::string> order_;  // keys
    std::unordered_map<std::string, std::string> waiting_;
    std::size_t octets_ = 0;
};

}  // namespace entente::federation
