// One request and its answer over an open connection, on the client's side. Where the
// connection comes from and what becomes of it is http_client's.
#pragma once

#include "net/connection.hpp"
#include "net/http_client.hpp"
#include "protocol/shared_room.hpp"

namespace entente::net {

struct Exchange {
    FetchedResponse response;
    bool reusable = false;  // the connection can carry another request
};

struct ExchangeFailure {
    Error error;
    bool answer_begun = false;  // at least an octet of the answer had arrived
    bool cut_off = false;       // the peer closed or reset: perhaps it was never asked
};

// `malformed` for a request that would not be one.
[[nodiscard]] Result<void> check_fetch(const Fetch& fetch);

// Requires: a deadline is set on the connection. `room`: what the bodies of all answers that
// are being read may hold; `unavailable` where this one's doesn't fit any more. Without one
// `fetch.max_body` is the only bound.
asio::awaitable<tl::expected<Exchange, ExchangeFailure>> exchange(
    Connection& connection, const Fetch& fetch, protocol::SharedRoom* room = nullptr);

}  // namespace entente::net
