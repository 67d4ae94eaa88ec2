// Fetches one server document [DISC-2]: at most one delegation, no redirects, 64 KiB, a time
// for all of it. Caches nothing and decides about no key: that is discovery's and the ring's.
#pragma once

#include <chrono>

#include <boost/asio/awaitable.hpp>

#include "net/http_client.hpp"
#include "protocol/server_document.hpp"

namespace entente::federation {

namespace asio = boost::asio;

// The document of `server`, checked [DISC-1]. `malformed` where it is unusable, `timeout`,
// `too_large`, `forbidden` (the address guard), else `unavailable`.
asio::awaitable<Result<protocol::ServerDocument>> fetch_document(net::Fetcher& http,
                                                                 protocol::ServerName server,
                                                                 protocol::NameRules names,
                                                                 std::chrono::milliseconds time);

}  // namespace entente::federation
