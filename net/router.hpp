// Routes: a method, a path pattern with {captures}, limits, and the handler. One router
// per listener, put together by what that listener serves.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "net/http_message.hpp"

namespace entente::net {

namespace asio = boost::asio;

class WebSocket;

// May take out of the request what it needs, such as a large body.
using Handler = std::function<asio::awaitable<Response>(Request&)>;

// An upgrade in two steps: `admit` looks at the request and says why not (nothing to
// go on); `serve` then owns the socket until it ends.
struct WebSocketHandler {
    std::function<asio::awaitable<Result<std::shared_ptr<void>>>(const Request&)> admit;
    std::function<asio::awaitable<void>(std::shared_ptr<void> admitted, WebSocket& socket)> serve;
};

struct Route {
    std::string method;        // "GET"; a GET route also answers HEAD
    std::string pattern;       // "/federation/v1/channels/{channel}/log"
    std::size_t max_body = 0;  // octets; 0: a body is refused
    Handler handler;
};

class Router {
 public:
    void add(Route route);
    void add_websocket(std::string pattern, WebSocketHandler handler);

    struct Match {
        const Route* route = nullptr;
        const WebSocketHandler* websocket = nullptr;
        std::vector<std::string> captures;
        std::string allow;  // where the path is known but not the method: for 405
    };
    // By the undecoded path, before the body is read.
    [[nodiscard]] Match match(std::string_view method, std::string_view path) const;

 private:
    struct Entry;
    void insert(std::shared_ptr<const Entry> entry);
    std::vector<std::shared_ptr<const Entry>> entries_;  // the more literal first
};

}  // namespace entente::net
