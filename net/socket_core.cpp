#include "net/socket_core.hpp"

#include <array>
#include <csignal>
#include <cstring>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include "net/await.hpp"

namespace entente::net {

namespace {

constexpr auto linger_time = std::chrono::milliseconds(1'000);
constexpr std::size_t linger_octets = 1'048'576;
// How long one connection may keep the executor busy: a peer that sends as fast as we read
// would else be all that we do.
constexpr auto turn_time = std::chrono::milliseconds(1);
// What the kernel takes of ours before it has been sent. It would take megabytes else for a
// peer that doesn't read, where no budget of ours sees them.
constexpr int unsent_octets = 128 * 1024;

void set_options(SocketCore::Socket& socket)
{
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    // A Unix socket has neither.
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_octets,
                 sizeof unsent_octets);
}

}  // namespace

asio::ip::tcp::endpoint tcp_endpoint(const asio::generic::stream_protocol::endpoint& endpoint)
{
    asio::ip::tcp::endpoint made;
    const auto family = endpoint.protocol().family();
    if ((family == AF_INET || family == AF_INET6) && endpoint.size() <= made.capacity())
        std::memcpy(made.data(), endpoint.data(), endpoint.size());
    return made;
}

void ignore_broken_pipes()
{
    static const bool done = [] {
        std::signal(SIGPIPE, SIG_IGN);
        return true;
    }();
    static_cast<void>(done);
}

SocketCore::SocketCore(Socket socket) : socket_(std::move(socket)), timer_(socket_.get_executor())
{
    if (!socket_.is_open()) return;
    boost::system::error_code ignored;
    remote_ = tcp_endpoint(socket_.remote_endpoint(ignored));
    set_options(socket_);
}

void SocketCore::deadline_at(TimePoint deadline)
{
    deadline_ = deadline;
    timed_out_ = false;
    arm();
}

void SocketCore::deadline_after(std::chrono::milliseconds timeout)
{
    deadline_at(std::chrono::steady_clock::now() + timeout);
}

void SocketCore::arm()
{
    if (deadline_ == TimePoint::max()) return;
    if (armed_ && armed_until_ <= deadline_) return;
    armed_ = true;
    armed_until_ = deadline_;
    timer_.expires_at(deadline_);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        const auto self = weak.lock();
        if (self && !error) self->on_timer();
    });
}

void SocketCore::on_timer()
{
    armed_ = false;
    if (std::chrono::steady_clock::now() < deadline_) {
        arm();
        return;
    }
    timed_out_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

asio::awaitable<Result<void>> SocketCore::wait(Socket::wait_type what)
{
    const auto self = shared_from_this();
    if (!socket_.is_open()) co_return fail(Code::unavailable, "connection closed");
    if (timed_out_ || std::chrono::steady_clock::now() >= deadline_) {
        co_return fail(Code::timeout, "deadline passed");
    }
    auto [error] = co_await socket_.async_wait(what, as_result);
    turn_begun_ = std::chrono::steady_clock::now();
    if (timed_out_) co_return fail(Code::timeout, "deadline passed");
    if (error) co_return fail(Code::unavailable, error.message());
    // What was ready may have been closed before this went on: the number of its descriptor may
    // be another file's by now.
    if (!socket_.is_open()) co_return fail(Code::unavailable, "connection closed");
    co_return Result<void>();
}

bool SocketCore::is_turn_over() const
{
    return std::chrono::steady_clock::now() - turn_time > turn_begun_;
}

asio::awaitable<void> SocketCore::give_way()
{
    const auto self = shared_from_this();
    co_await asio::post(socket_.get_executor(), asio::use_awaitable);
    turn_begun_ = std::chrono::steady_clock::now();
}

asio::awaitable<Result<void>> SocketCore::connect(asio::ip::tcp::endpoint endpoint)
{
    const auto self = shared_from_this();
    auto [error] = co_await socket_.async_connect(endpoint, as_result);
    if (timed_out_) co_return fail(Code::timeout, "no connection in time");
    if (error) co_return fail(Code::unavailable, "connect: " + error.message());
    remote_ = tcp_endpoint(socket_.remote_endpoint(error));
    if (error) co_return fail(Code::unavailable, "connect: " + error.message());
    set_options(socket_);
    co_return Result<void>();
}

asio::awaitable<void> SocketCore::linger_and_close()
{
    const auto self = shared_from_this();
    if (!socket_.is_open()) co_return;
    boost::system::error_code error;
    socket_.shutdown(Socket::shutdown_send, error);
    if (!error) {
        deadline_after(linger_time);
        std::size_t discarded = 0;
        while (discarded < linger_octets) {
            std::array<char, 4096> sink;  // on the frame, which ends with the connection
            const auto count = socket_.read_some(asio::buffer(sink), error);
            discarded += count;
            if (!error) continue;
            if (error != asio::error::would_block) break;
            auto ready = co_await wait(Socket::wait_read);
            if (!ready) break;
        }
    }
    close();
}

void SocketCore::close()
{
    boost::system::error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
}

}  // namespace entente::net
