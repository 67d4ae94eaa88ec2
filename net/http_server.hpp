// Listeners and the HTTP/1.1 service on them: TLS, PROXY protocol, Unix sockets, limits
// against slow and large requests, keep-alive, WebSocket upgrades. What the answers say is
// the router's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/address_guard.hpp"
#include "net/router.hpp"
#include "net/task_group.hpp"
#include "net/unix_socket.hpp"
#include "protocol/clock.hpp"

namespace entente::net {

class TlsServerContext;

// Every limit is named here and documented in docs/reference/limits.md.
struct HttpLimits {
    std::size_t header_octets = 16 * 1024;
    std::size_t header_count = 100;
    std::size_t target_octets = 8 * 1024;
    std::chrono::milliseconds header_time{10'000};   // from its first octet to its last
    std::chrono::milliseconds body_grace{10'000};    // a body may be slow for so long
    std::size_t body_octets_per_second = 1'024;      // then it must keep this pace
    std::size_t hurried_octets_per_second = 16'384;  // this one while bodies are scarce
    std::chrono::milliseconds idle_time{75'000};     // between requests
    std::chrono::milliseconds tls_time{10'000};      // for the handshake
    std::chrono::milliseconds write_time{30'000};    // without progress
    // Octets of bodies that arrive or are dealt with, of the listener and of each source (an
    // IPv4 address or IPv6 /64); large WebSocket messages are among them.
    std::size_t bodies_in_flight = 256 * 1024 * 1024;
    std::size_t bodies_per_source = 32 * 1024 * 1024;
    // Beyond that of the listener they are scarce: a source may hold so little, or one body.
    std::size_t bodies_plenty = 128 * 1024 * 1024;
    std::size_t bodies_little = 5 * 1024 * 1024;
    // Octets of large answers (over 64 KiB) that their readers haven't taken yet.
    std::size_t answers_in_flight = 256 * 1024 * 1024;
    std::size_t answers_per_source = 32 * 1024 * 1024;
    std::size_t connections = 20'000;            // of the listener
    std::size_t connections_per_source = 1'000;  // IPv4 address or IPv6 /64; proxies exempt
};

struct ListenerOptions {
    asio::ip::tcp::endpoint address;
    int passed = -1;  // a descriptor that listens there already, in place of binding; closed here
    std::optional<UnixListener> unix_socket;  // in place of the address; all is one source then
    std::shared_ptr<TlsServerContext> tls;    // nothing: plain
    std::vector<Network> trusted_proxies;     // PROXY v2 or Forwarded is taken from these only
    HttpLimits limits;
};

// What the service did, for metrics and the request log; called on the executor.
struct RequestDone {
    const Request& request;
    const Response& response;
    std::chrono::microseconds duration;
};

class HttpServer {
 public:
    HttpServer(TaskGroup& tasks, ListenerOptions options, std::shared_ptr<const Router> router,
               const protocol::Clock& clock);
    ~HttpServer();

    // Binds and starts to accept; an error says the address and why.
    [[nodiscard]] Result<void> start();
    [[nodiscard]] asio::ip::tcp::endpoint local() const;
    void on_request_done(std::function<void(const RequestDone&)> observer);
    // Accepts no more, lets requests under way finish until `limit`, ends the rest.
    asio::awaitable<void> stop(std::chrono::milliseconds limit);

 private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace entente::net
