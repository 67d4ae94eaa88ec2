// One connection's HTTP/1.1: request after request through the router, until either side
// has enough. Accepting connections and ending them all is http_server's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/body_budget.hpp"
#include "net/connection.hpp"
#include "net/http_server.hpp"
#include "net/request_body.hpp"
#include "net/request_head.hpp"
#include "net/response_head.hpp"
#include "net/socket_core.hpp"

namespace entente::net {

// What all connections of a listener share.
struct Service {
    Service(TaskGroup& owner, ListenerOptions with, std::shared_ptr<const Router> routes,
            const protocol::Clock& time)
        : tasks(owner),
          options(std::move(with)),
          router(std::move(routes)),
          clock(time),
          bodies(std::make_shared<BodyBudget>(
              BodyLimits{options.limits.bodies_in_flight, options.limits.bodies_per_source,
                         options.limits.bodies_plenty, options.limits.bodies_little})),
          answers(std::make_shared<BodyBudget>(
              BodyLimits{options.limits.answers_in_flight, options.limits.answers_per_source}))
    {
    }

    TaskGroup& tasks;
    ListenerOptions options;
    std::shared_ptr<const Router> router;
    const protocol::Clock& clock;
    std::shared_ptr<BodyBudget> bodies;
    std::shared_ptr<BodyBudget> answers;
    std::function<void(const RequestDone&)> observer;
    bool stopping = false;

    // The Date field's value, made once a second.
    [[nodiscard]] std::string_view date();

 private:
    protocol::Seconds date_second_ = -1;
    std::string date_;
};

// How the listener reaches a connection that it wants to end.
struct Live {
    std::shared_ptr<SocketCore> core;
    bool idle = true;  // no request under way: may be cut at any time
    std::weak_ptr<WebSocket> websocket;
};

class HttpSession {
 public:
    // `peer` is who the connection comes from, behind the PROXY protocol.
    HttpSession(Service& service, Live& live, ConnectionPtr connection, asio::ip::address peer);
    asio::awaitable<void> run();

 private:
    // Nothing where the connection is to end; what there was to answer is answered.
    asio::awaitable<std::optional<RequestHead>> read_head();
    asio::awaitable<bool> wait_for_request();
    asio::awaitable<Result<std::string>> read_body(const RequestHead& head, std::size_t max_body,
                                                   BodyBudget::Share& held);
    asio::awaitable<Result<std::size_t>> read_more(SocketCore::TimePoint deadline);
    // Each says whether the connection can carry another request.
    asio::awaitable<bool> answer(RequestHead head);
    asio::awaitable<bool> answer_with_body(const Route& route, const RequestHead& head,
                                           Request request);
    asio::awaitable<bool> run_handler(const Handler& handler, const RequestHead& head,
                                      Request& request, BodyBudget::Share* held);
    asio::awaitable<bool> upgrade(const WebSocketHandler& handler, const RequestHead& head,
                                  const Request& request);
    asio::awaitable<bool> send(const RequestHead& head, const Request& request, Response response);
    asio::awaitable<bool> refuse_request(Error error);
    asio::awaitable<bool> write(std::string octets);

    Service& service_;
    Live& live_;
    std::shared_ptr<Connection> connection_;
    asio::ip::address peer_;
    std::string buffer_;  // what has arrived and isn't read yet
    std::chrono::steady_clock::time_point started_;
};

}  // namespace entente::net
