// Host names to addresses, by c-ares on the caller's executor: no thread waits for DNS.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>

#include "protocol/result.hpp"

namespace entente::net {

// A and AAAA answers, in the order to try (RFC 6724). `unavailable` where the name has
// none or the servers fail, `timeout` at the deadline. `servers` as "address:port,…" in
// place of the system's.
boost::asio::awaitable<Result<std::vector<boost::asio::ip::address>>> resolve_host(
    std::string host, std::string servers, std::chrono::steady_clock::time_point deadline);

}  // namespace entente::net
