// What one socket's client has posted and what is not yet committed: posts that arrive
// while a commit is under way gather and become the next one, so that a client which
// sends a message a frame costs no commit a message. One batch of a socket is under way
// at a time, so its posts keep their order. For the I/O executor.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/api.hpp"
#include "api/client_frame.hpp"
#include "api/follower.hpp"

namespace entente::api {

// A batch takes no more once it has so many octets: what it is part of, a commit, is what
// others wait for.
inline constexpr std::size_t max_batch_octets = 128 * 1024;

// Beyond it the socket isn't read: what its client sends then waits in the client. A
// frame that alone is larger is taken. Where posts of `plenty_post_octets` wait in all, a
// socket isn't read beyond `least_waiting_post_octets`.
inline constexpr std::size_t max_waiting_post_octets = 256 * 1024;
inline constexpr std::size_t least_waiting_post_octets = 16 * 1024;
inline constexpr std::size_t plenty_post_octets = 64 * 1024 * 1024;
inline constexpr protocol::SharedRoom::Limits post_room{plenty_post_octets, max_waiting_post_octets,
                                                        least_waiting_post_octets};

class Intake : public std::enable_shared_from_this<Intake> {
 public:
    Intake(Api& api, std::shared_ptr<Follower> follower);
    ~Intake();

    // Returns once there is room for more. Each post gets its result, in order.
    asio::awaitable<void> take(std::vector<FramePost> posts);

 private:
    asio::awaitable<void> run();
    [[nodiscard]] std::vector<FramePost> next_batch();

    Api& api_;
    std::shared_ptr<Follower> follower_;
    std::deque<FramePost> waiting_;
    protocol::RoomShare waiting_octets_;
    bool running_ = false;
    net::Wakeup room_;
};

}  // namespace entente::api
