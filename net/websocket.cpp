#include "net/websocket.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/associator.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include "net/await.hpp"
#include "net/websocket_accept.hpp"

namespace entente::net {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

namespace {

constexpr std::size_t max_message = 1'048'576;
constexpr std::size_t kept_buffer = 16'384;
// After so much of a socket's messages others get their turn.
constexpr std::size_t turn_octets = 65'536;
constexpr std::size_t message_octets = 2'048;  // what a small one is counted as
constexpr std::size_t frame_step = 16'384;
constexpr std::size_t read_step = 16'384;
constexpr auto handshake_time = std::chrono::seconds(10);
// For the other side's close frame: who never sends one must not hold up a stop.
constexpr auto close_time = std::chrono::seconds(2);
constexpr auto write_time = std::chrono::seconds(30);
constexpr auto dead_after = std::chrono::seconds(60);  // Beast pings at half of it

// The connection and what a write in progress is timed by. Beast's operations hold it, so
// that it outlives them.
struct Carrier {
    explicit Carrier(std::shared_ptr<Connection> carried)
        : connection(std::move(carried)), write_timer(connection->executor())
    {
    }
    std::shared_ptr<Connection> connection;
    asio::steady_timer write_timer;
};
using CarrierPtr = std::shared_ptr<Carrier>;

struct Transferred {
    error_code error;
    std::size_t size = 0;
};

error_code to_error_code(const Error& error)
{
    return error.code == Code::timeout ? asio::error::timed_out : asio::error::connection_reset;
}

asio::awaitable<Transferred> read_part(CarrierPtr carrier, asio::mutable_buffer buffer)
{
    auto count =
        co_await carrier->connection->read_some(static_cast<char*>(buffer.data()), buffer.size());
    Transferred done;
    if (!count) {
        done.error = to_error_code(count.error());
    } else if (*count == 0) {
        done.error = asio::error::eof;
    } else {
        done.size = *count;
    }
    co_return done;
}

// A part at a time, each with the whole time: what counts is that the peer reads on. Of
// `octets` so many are written already.
asio::awaitable<Transferred> write_rest(CarrierPtr carrier, std::string octets, std::size_t written)
{
    carrier->write_timer.expires_after(write_time);
    carrier->write_timer.async_wait([weak = std::weak_ptr(carrier)](error_code error) {
        const auto late = weak.lock();
        if (late && !error) late->connection->abort();
    });
    auto rest = co_await carrier->connection->write(std::string_view(octets).substr(written));
    carrier->write_timer.cancel();
    Transferred done;
    if (!rest) {
        done.error = to_error_code(rest.error());
    } else {
        done.size = octets.size();
    }
    co_return done;
}

asio::awaitable<Transferred> tear_down(CarrierPtr carrier)
{
    co_await carrier->connection->shutdown();
    co_return Transferred();
}

// Hands a coroutine's outcome to one of Beast's handlers, as whom it also poses.
template <class Handler>
struct Forward {
    Handler handler;
    void operator()(const std::exception_ptr& thrown, Transferred done)
    {
        if (thrown) done.error = asio::error::operation_aborted;
        std::move(handler)(done.error, done.size);
    }
};

template <class Handler>
struct ForwardEnd {
    Handler handler;
    void operator()(const std::exception_ptr&, const Transferred&)
    {
        std::move(handler)(error_code());
    }
};

}  // namespace
}  // namespace entente::net

namespace boost::asio {

template <template <class, class> class Associator, class Handler, class Default>
struct associator<Associator, entente::net::Forward<Handler>, Default>
    : Associator<Handler, Default> {
    static auto get(const entente::net::Forward<Handler>& forward,
                    const Default& fallback = Default()) noexcept
    {
        return Associator<Handler, Default>::get(forward.handler, fallback);
    }
};

template <template <class, class> class Associator, class Handler, class Default>
struct associator<Associator, entente::net::ForwardEnd<Handler>, Default>
    : Associator<Handler, Default> {
    static auto get(const entente::net::ForwardEnd<Handler>& forward,
                    const Default& fallback = Default()) noexcept
    {
        return Associator<Handler, Default>::get(forward.handler, fallback);
    }
};

}  // namespace boost::asio

namespace entente::net {
namespace {

template <class Buffers>
asio::mutable_buffer first_of(const Buffers& buffers)
{
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers);
         ++it) {
        const asio::mutable_buffer buffer(*it);
        if (buffer.size() > 0) return buffer;
    }
    return {};
}

// A frame's header and what follows it as one part: one TLS record, one system call.
template <class Buffers>
std::string start_of(const Buffers& buffers)
{
    std::string part;
    part.resize(std::min(asio::buffer_size(buffers), frame_step));
    asio::buffer_copy(asio::buffer(part), buffers);
    return part;
}

// The erased connection as the AsyncStream that Beast works on.
class ConnectionStream {
 public:
    using executor_type = asio::any_io_executor;

    explicit ConnectionStream(std::shared_ptr<Connection> connection)
        : carrier_(std::make_shared<Carrier>(std::move(connection)))
    {
    }
    executor_type get_executor() noexcept { return carrier_->connection->executor(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token)
    {
        const auto start = [](auto&& handler, CarrierPtr carrier, asio::mutable_buffer buffer) {
            using Handler = std::decay_t<decltype(handler)>;
            const auto executor = carrier->connection->executor();
            asio::co_spawn(executor, read_part(std::move(carrier), buffer),
                           Forward<Handler>{std::forward<decltype(handler)>(handler)});
        };
        return asio::async_initiate<Token, void(error_code, std::size_t)>(start, token, carrier_,
                                                                          first_of(buffers));
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token)
    {
        const auto start = [](auto&& handler, CarrierPtr carrier, std::string part) {
            using Handler = std::decay_t<decltype(handler)>;
            const auto executor = carrier->connection->executor();
            // Most parts go at once: those need neither a coroutine nor a timer.
            const auto written = carrier->connection->write_at_once(part);
            if (written && *written < part.size()) {
                asio::co_spawn(executor, write_rest(std::move(carrier), std::move(part), *written),
                               Forward<Handler>{std::forward<decltype(handler)>(handler)});
                return;
            }
            const auto error = written ? error_code() : to_error_code(written.error());
            asio::post(executor, beast::bind_front_handler(std::forward<decltype(handler)>(handler),
                                                           error, written.value_or(0)));
        };
        return asio::async_initiate<Token, void(error_code, std::size_t)>(start, token, carrier_,
                                                                          start_of(buffers));
    }

    template <class Handler>
    friend void async_teardown(beast::role_type, ConnectionStream& stream, Handler&& handler)
    {
        const auto carrier = stream.carrier_;
        asio::co_spawn(carrier->connection->executor(), tear_down(carrier),
                       ForwardEnd<std::decay_t<Handler>>{std::forward<Handler>(handler)});
    }
    friend void beast_close_socket(ConnectionStream& stream)
    {
        stream.carrier_->connection->abort();
    }

 private:
    CarrierPtr carrier_;
};

class BeastSocket final : public WebSocket, public std::enable_shared_from_this<BeastSocket> {
 public:
    BeastSocket(std::shared_ptr<Connection> connection, const asio::ip::address& source,
                std::shared_ptr<BodyBudget> bodies)
        : connection_(connection), stream_(std::move(connection)), held_(std::move(bodies), source)
    {
        websocket::stream_base::timeout timeout{};
        timeout.handshake_timeout = handshake_time;
        timeout.idle_timeout = dead_after;
        timeout.keep_alive_pings = true;
        stream_.set_option(timeout);
        stream_.read_message_max(max_message);
        stream_.text(true);
        stream_.auto_fragment(false);
    }

    asio::awaitable<Result<void>> accept(const Request& request)
    {
        const auto self = shared_from_this();
        beast::http::request<beast::http::empty_body> upgrade;
        upgrade.method(beast::http::verb::get);
        upgrade.target(request.target);
        upgrade.version(11);
        for (const auto& [name, value] : request.fields) upgrade.insert(name, value);
        auto [error] = co_await stream_.async_accept(upgrade, as_result);
        if (error) co_return fail(Code::unavailable, "WebSocket handshake: " + error.message());
        co_return Result<void>();
    }

    asio::awaitable<Result<std::string>> read() override
    {
        const auto self = shared_from_this();
        held_.give_back();
        if (taken_ >= turn_octets) {
            taken_ = 0;
            co_await asio::post(connection_->executor(), asio::use_awaitable);
        }
        std::size_t size = 0;
        do {
            auto [error, count] = co_await stream_.async_read_some(buffer_, read_step, as_result);
            if (error) co_return fail(Code::unavailable, "WebSocket: " + error.message());
            size += count;
            if (size > kept_buffer && !held_.take(count)) {
                co_await close(websocket::close_code::try_again_later, "too much is under way");
                co_return fail(Code::unavailable, "too many large WebSocket messages");
            }
        } while (!stream_.is_message_done());
        taken_ += size + message_octets;
        if (!stream_.got_text()) {
            co_await close(websocket::close_code::unknown_data, "text messages only");
            co_return fail(Code::malformed, "a binary WebSocket message");
        }
        auto text = beast::buffers_to_string(buffer_.data());
        buffer_.consume(size);
        if (buffer_.capacity() > kept_buffer) buffer_.shrink_to_fit();
        co_return text;
    }

    asio::awaitable<Result<void>> write(std::string_view text) override
    {
        const auto self = shared_from_this();
        const auto octets = asio::buffer(text.data(), text.size());
        auto [error, size] = co_await stream_.async_write(octets, as_result);
        static_cast<void>(size);
        if (error) co_return fail(Code::unavailable, "WebSocket: " + error.message());
        co_return Result<void>();
    }

    asio::awaitable<void> close(std::uint16_t code, std::string_view reason) override
    {
        const auto self = shared_from_this();
        if (closing_ || !stream_.is_open()) co_return;
        closing_ = true;
        websocket::close_reason why;
        why.code = code;
        why.reason.assign(reason.data(), std::min<std::size_t>(reason.size(), 123));
        connection_->deadline_after(close_time);
        co_await stream_.async_close(why, as_result);
    }

    void abort() override { connection_->abort(); }
    asio::any_io_executor executor() override { return connection_->executor(); }

 private:
    std::shared_ptr<Connection> connection_;
    websocket::stream<ConnectionStream, false> stream_;  // false: no compression
    beast::flat_buffer buffer_;
    BodyBudget::Share held_;  // by a large message
    std::size_t taken_ = 0;   // of messages in this turn
    bool closing_ = false;
};

}  // namespace

asio::awaitable<Result<std::shared_ptr<WebSocket>>> accept_websocket(
    std::shared_ptr<Connection> connection, const Request& request,
    std::shared_ptr<BodyBudget> bodies)
{
    auto socket =
        std::make_shared<BeastSocket>(std::move(connection), request.source, std::move(bodies));
    auto accepted = co_await socket->accept(request);
    if (!accepted) co_return fail(accepted);
    co_return std::shared_ptr<WebSocket>(std::move(socket));
}

}  // namespace entente::net
