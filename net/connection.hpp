// A byte stream with deadlines, whatever carries it: TLS or plain TCP. Erased, so that
// only the units that make one see Asio's and OpenSSL's templates.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "protocol/result.hpp"

namespace entente::net {

namespace asio = boost::asio;

inline constexpr std::size_t read_octets = 16'384;  // asked for at once: a TLS record's most

class Connection {
 public:
    virtual ~Connection() = default;

    // At least one octet, 0 at the orderly end of the stream; `timeout` when the
    // deadline passes first. At most one read and one write at a time.
    virtual asio::awaitable<Result<std::size_t>> read_some(char* data, std::size_t size) = 0;
    // All of it.
    virtual asio::awaitable<Result<void>> write(std::string_view octets) = 0;
    // As much of it as goes without waiting, and how much that was. What is left must be written
    // next, by write(). Requires: no write is under way.
    virtual Result<std::size_t> write_at_once(std::string_view octets) = 0;
    // Applies to the reads and writes that are under way and to those that follow.
    virtual void deadline_after(std::chrono::milliseconds timeout) = 0;
    virtual void no_deadline() = 0;
    // Closing notice where the transport has one, then close. Safe to repeat.
    virtual asio::awaitable<void> shutdown() = 0;
    // At once; pending operations end with an error.
    virtual void abort() = 0;
    [[nodiscard]] virtual asio::ip::tcp::endpoint remote() const = 0;
    [[nodiscard]] virtual asio::any_io_executor executor() = 0;
};

using ConnectionPtr = std::unique_ptr<Connection>;

}  // namespace entente::net
