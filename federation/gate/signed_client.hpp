// Sends one signed request to another server and takes only an answer that the server
// itself has signed [SIG-10, SIG-11]. Keeps no queue and decides about no retry but the one
// of `replayed`: that is the peer link's.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/discovery/discovery.hpp"
#include "federation/identity.hpp"
#include "net/http_client.hpp"
#include "protocol/clock.hpp"

namespace entente::federation {

struct Answer {
    int status = 0;
    std::string body;
    // Where the status isn't 200: what the problem document says, or what the status alone
    // does. A hint only unless `is_signed`.
    std::optional<Error> problem;
    protocol::Fields fields;
    bool is_signed = false;
};

struct SignedClientOptions {
    std::chrono::milliseconds time{45'000};  // [SIG-11] at least 30 s
    std::size_t max_body = 16'777'216;       // a snapshot's state is JSON within JSON
};

class SignedClient {
 public:
    SignedClient(const Identity& identity, Discovery& discovery, net::Fetcher& http,
                 const protocol::Clock& clock, protocol::Random& random,
                 SignedClientOptions options = {});

    // `target` is path and query under the peer's `api`, such as "/federation/v1/inbox".
    // Errors: discovery's; `unavailable`, `timeout`, `malformed`, `too_large`, `forbidden` of
    // the fetch; `unavailable` for a 200 without a valid signature: no answer, as after a
    // timeout.
    asio::awaitable<Result<Answer>> send(ServerName destination, std::string method,
                                         std::string target, std::string body);

 private:
    asio::awaitable<Result<Answer>> send_once(ServerName destination, std::string method,
                                              std::string target, std::string body);
    asio::awaitable<Result<void>> check_signature(ServerName destination,
                                                  const net::FetchedResponse& response,
                                                  std::string request_signature);

    const Identity& identity_;
    Discovery& discovery_;
    net::Fetcher& http_;
    const protocol::Clock& clock_;
    protocol::Random& random_;
    SignedClientOptions options_;
};

}  // namespace entente::federation
