// Clients that post as fast as their sockets take it, from one thread, and remember what
// became of each message: what was acknowledged has to be in the log once and in order.
#pragma once

#include <atomic>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/load_socket.hpp"
#include "tests/e2e/support/client.hpp"

namespace entente::overload {

struct PostFloodPlan {
    std::size_t sockets_each = 1;
    std::size_t posts_a_frame = 20;
    std::size_t text_octets = 2'000;
    // Messages of a socket without an answer: then it sends no more.
    std::size_t most_unanswered = 4'000;
    bool reads = true;  // false: never looks at what comes back
};

class PostFlood {
 public:
    // All are members of `channel`.
    PostFlood(const e2e::World& world, const std::vector<e2e::Client*>& people, std::string channel,
              PostFloodPlan plan);
    ~PostFlood();
    PostFlood(const PostFlood&) = delete;
    PostFlood& operator=(const PostFlood&) = delete;

    void start();
    // No new messages; with plan.reads, waits for the answers to those that were sent.
    void stop();

    [[nodiscard]] std::size_t sent() const { return sent_; }
    [[nodiscard]] std::size_t acknowledged() const { return acknowledged_; }
    [[nodiscard]] std::size_t refused() const { return refused_; }
    // What is wrong with the log; "" where each acknowledged message is in it once, and each
    // socket's messages stand in their order.
    [[nodiscard]] std::string complaint(e2e::Client& reader) const;

 private:
    struct Sender {
        std::string prefix;  // of each txn
        std::unique_ptr<bench::LoadSocket> socket;
        std::size_t next = 0;
        std::deque<std::size_t> unanswered;
        std::vector<std::size_t> acknowledged;
    };
    void run();
    bool serve(Sender& sender, bool fresh);
    void send(Sender& sender);
    void take_results(Sender& sender, std::string_view frame);

    std::string channel_;
    PostFloodPlan plan_;
    std::string text_;
    std::vector<std::unique_ptr<Sender>> senders_;
    std::size_t sent_ = 0, acknowledged_ = 0, refused_ = 0;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
    std::exception_ptr broken_;
};

}  // namespace entente::overload
