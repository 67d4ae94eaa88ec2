// HTTPS requests to other servers: resolves by c-ares (or the configured override),
// connects only where the address guard allows, checks the certificate for the host,
// keeps a few connections per origin. Follows no redirects and sends no credentials.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/address_guard.hpp"
#include "net/http_message.hpp"
#include "protocol/shared_room.hpp"

namespace entente::net {

namespace asio = boost::asio;

struct ClientOptions {
    AddressGuard guard;
    std::string ca_file;  // besides the system's
    // name → address:port, in place of DNS and port (the certificate is still the name's).
    // "*.a.test" stands for all names below a.test; a name of its own, and a longer domain, win.
    std::map<std::string, asio::ip::tcp::endpoint> resolve;
    std::string dns_servers;  // "address:port,…" in place of the system's
    std::size_t idle_connections_per_origin = 4;
    std::size_t idle_connections = 256;  // of all origins; beyond it none is kept
    std::chrono::milliseconds idle_time{60'000};
    std::size_t requests_under_way = 768;  // a connection each; beyond it: `unavailable`
    // Octets of answers' bodies while they are read.
    protocol::SharedRoom::Limits answers{32 * 1024 * 1024, 16 * 1024 * 1024, 64 * 1024};
};

struct Fetch {
    std::string method = "GET";
    std::string host;
    std::uint16_t port = 443;
    std::string target;
    Fields fields;
    std::string body;
    std::chrono::milliseconds time{30'000};  // in all, DNS to last octet
    std::size_t max_body = 4'194'304;
};

struct FetchedResponse {
    int status = 0;
    Fields fields;  // names in lower case
    std::string body;
};

// How the rooms above reach other servers. Errors: `unavailable` (DNS, connect, TLS, cut off,
// too many under way), `timeout`, `too_large`, `malformed` (not HTTP), `forbidden` (the guard);
// the detail says which and where.
class Fetcher {
 public:
    virtual ~Fetcher() = default;
    virtual asio::awaitable<Result<FetchedResponse>> fetch(Fetch fetch) = 0;
};

class HttpClient final : public Fetcher {
 public:
    HttpClient(asio::any_io_executor executor, ClientOptions options);
    ~HttpClient() override;
    asio::awaitable<Result<FetchedResponse>> fetch(Fetch fetch) override;
    // Drops idle connections.
    void close_idle();

 private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace entente::net
