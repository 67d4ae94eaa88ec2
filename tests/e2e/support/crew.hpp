// Writers that post to one channel all the time, each over a WebSocket of its own, and
// remember what they were told. When a server goes away they come back and repeat what had
// no answer, with the same txn, as the client API asks of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/support/client.hpp"

namespace entente::e2e {

struct Acknowledged {
    std::string txn, text, sender;
    std::int64_t seq = 0;  // 0: only stored so far
};

class Crew {
 public:
    // Each writer sends `posts_per_tick` messages every 20 ms.
    explicit Crew(std::string channel);
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    void add(Client& client, int posts_per_tick);
    void start();
    // No new messages; waits until each has its answer. Broken says what else went wrong
    // than lost connections.
    void finish(Milliseconds time);

    // Of the writers of one server.
    [[nodiscard]] std::size_t acknowledged(const std::string& server) const;
    // What each writer was told beyond the first `seen` answers, which then count as seen.
    [[nodiscard]] std::vector<std::vector<Acknowledged>> told_since(
        std::vector<std::size_t>& seen) const;
    // In each writer's order. After finish().
    [[nodiscard]] const std::vector<std::vector<Acknowledged>>& all() const { return told_; }

 private:
    struct Writer;
    void run();
    void tick(Writer& writer, bool fresh);
    void take_results(Writer& writer, const json& results);

    std::string channel_;
    std::vector<std::unique_ptr<Writer>> writers_;
    std::vector<std::vector<Acknowledged>> told_;
    mutable std::mutex mutex_;
    std::map<std::string, std::size_t> counts_;
    std::vector<std::string> complaints_;
    std::atomic<bool> ending_ = false, ended_ = false, abandoned_ = false;
    std::thread thread_;
};

}  // namespace entente::e2e
