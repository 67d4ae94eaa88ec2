#pragma once

// TCP connections whose every wait ends: blocking calls with a deadline, one thread each. A hostile
// peer writes raw octets at its own pace, which straight-line code says best.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "conformance/sockets/deadline.hpp"

namespace entente::conformance {

struct Endpoint {
    // An IPv4 or IPv6 address, as text.
    std::string address;
    std::uint16_t port = 0;

    // "127.0.0.1:8448", "[::1]:8448"; nothing where it is neither.
    [[nodiscard]] static std::optional<Endpoint> parse(std::string_view text);
    [[nodiscard]] std::string text() const;
};

// A descriptor, closed with its owner.
class Descriptor {
 public:
    Descriptor() = default;
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() { close(); }
    Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int get() const { return value_; }
    [[nodiscard]] bool is_open() const { return value_ >= 0; }
    int release();
    void close();

 private:
    int value_ = -1;
};

enum class ReadState { octets, closed, timeout, reset };

struct ReadResult {
    ReadState state = ReadState::closed;
    std::string octets;
};

// A connection as octets, plain or TLS.
class Stream {
 public:
    Stream() = default;
    virtual ~Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // False where the other side doesn't take it all by `deadline`.
    [[nodiscard]] virtual bool write(std::string_view octets, Deadline deadline) = 0;
    // What there is, at most 16 KiB.
    [[nodiscard]] virtual ReadResult read(Deadline deadline) = 0;
    // Ends it as an orderly peer does, or with a reset.
    virtual void close() = 0;
    virtual void reset() = 0;
    [[nodiscard]] virtual int descriptor() const = 0;
};

// Waits until `descriptor` can be read or written; false at the deadline.
[[nodiscard]] bool wait_readable(int descriptor, Deadline deadline);
[[nodiscard]] bool wait_writable(int descriptor, Deadline deadline);

// An open, non-blocking TCP socket; closed where nobody answers by `deadline`. From the address
// `source` where this machine has it, else, and where it is empty, from one of the system's choice.
[[nodiscard]] Descriptor connect_tcp(const Endpoint& endpoint, Deadline deadline,
                                     const std::string& source = {});

// A listening socket; closed, with the reason in `error`, where it can't be had. Port 0: any.
[[nodiscard]] Descriptor listen_tcp(const Endpoint& endpoint, std::string& error);
[[nodiscard]] std::uint16_t port_of(int descriptor);
// The local address of a connection; an IPv4-mapped one as the IPv4 address that it is.
[[nodiscard]] std::string local_address_of(int descriptor);

// What is closed next ends with a reset, not in order.
void reset_when_closed(int descriptor);

[[nodiscard]] std::unique_ptr<Stream> plain_stream(Descriptor socket);

}  // namespace entente::conformance
