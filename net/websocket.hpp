// One accepted WebSocket (RFC 6455): text messages in, text messages out. Beast's
// stream, hidden.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "protocol/result.hpp"

namespace entente::net {

namespace asio = boost::asio;

class WebSocket {
 public:
    virtual ~WebSocket() = default;
    // The next text message, at most the size given at upgrade (1 MiB); an error when
    // the socket ended. Pings are answered within; 30 s of silence sends one, 60 s end it.
    // A message that finds no room in the listener's budget of bodies ends it with 1013.
    virtual asio::awaitable<Result<std::string>> read() = 0;
    // At most one write at a time. A write without progress for 30 s ends the socket.
    virtual asio::awaitable<Result<void>> write(std::string_view text) = 0;
    virtual asio::awaitable<void> close(std::uint16_t code, std::string_view reason) = 0;
    virtual void abort() = 0;
    [[nodiscard]] virtual asio::any_io_executor executor() = 0;
};

}  // namespace entente::net
