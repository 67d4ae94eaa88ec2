// Turns a connection whose upgrade request has been read into a WebSocket.
#pragma once

#include <memory>

#include "net/body_budget.hpp"
#include "net/connection.hpp"
#include "net/http_message.hpp"
#include "net/websocket.hpp"

namespace entente::net {

// Answers the handshake: 101, or the refusal of one that breaks RFC 6455. What a message
// has of octets beyond 16 KiB is taken from `bodies` until the next one is read.
asio::awaitable<Result<std::shared_ptr<WebSocket>>> accept_websocket(
    std::shared_ptr<Connection> connection, const Request& request,
    std::shared_ptr<BodyBudget> bodies);

}  // namespace entente::net
