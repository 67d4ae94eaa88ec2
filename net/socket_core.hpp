// What TLS and plain connections share: the socket, be it TCP's or a Unix one, its one
// deadline and the waits that keep to it. Knows nothing of what the octets mean.
#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "protocol/result.hpp"

namespace entente::net {

namespace asio = boost::asio;

// Writing to a connection that its peer has closed must be an error, not the end of the
// process. Once per process; safe to repeat.
void ignore_broken_pipes();

// Unspecified where the endpoint isn't TCP's.
[[nodiscard]] asio::ip::tcp::endpoint tcp_endpoint(
    const asio::generic::stream_protocol::endpoint& endpoint);

class SocketCore : public std::enable_shared_from_this<SocketCore> {
 public:
    using TimePoint = std::chrono::steady_clock::time_point;
    using Socket = asio::generic::stream_protocol::socket;  // a tcp::socket becomes one

    explicit SocketCore(Socket socket);

    [[nodiscard]] Socket& socket() { return socket_; }
    // Unspecified where it isn't TCP.
    [[nodiscard]] const asio::ip::tcp::endpoint& remote() const { return remote_; }

    void deadline_at(TimePoint deadline);
    void deadline_after(std::chrono::milliseconds timeout);
    void no_deadline() { deadline_at(TimePoint::max()); }

    // Until the socket can be read or written: `timeout`, or `unavailable`.
    asio::awaitable<Result<void>> wait(Socket::wait_type what);
    asio::awaitable<Result<void>> connect(asio::ip::tcp::endpoint endpoint);

    // Whether this connection has been served for so long without a wait that others on the
    // executor should have their turn first: give_way().
    [[nodiscard]] bool is_turn_over() const;
    asio::awaitable<void> give_way();

    // Tells the peer that no more comes, then discards what still arrives, for a second at
    // most: closing with unread octets would make the kernel take back our last answer.
    asio::awaitable<void> linger_and_close();
    void close();

 private:
    void arm();
    void on_timer();

    Socket socket_;
    asio::ip::tcp::endpoint remote_;
    // Armed lazily: moving the deadline on, as every request does, leaves the timer alone.
    asio::steady_timer timer_;
    TimePoint deadline_ = TimePoint::max();
    TimePoint armed_until_ = TimePoint::max();
    TimePoint turn_begun_ = TimePoint::min();
    bool armed_ = false;
    bool timed_out_ = false;
};

}  // namespace entente::net
