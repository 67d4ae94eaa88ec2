#include "conformance/sockets/socket.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace entente::conformance {

namespace {

struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    [[nodiscard]] const sockaddr* get() const
    {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] int family() const { return storage.ss_family; }
};

std::optional<Address> address_of(const Endpoint& endpoint)
{
    Address address;
    auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
    if (::inet_pton(AF_INET, endpoint.address.c_str(), &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(endpoint.port);
        address.length = sizeof(sockaddr_in);
        return address;
    }
    auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (::inet_pton(AF_INET6, endpoint.address.c_str(), &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(endpoint.port);
        address.length = sizeof(sockaddr_in6);
        return address;
    }
    return std::nullopt;
}

bool wait_for(int descriptor, short events, Deadline deadline)
{
    for (;;) {
        pollfd one{descriptor, events, 0};
        const auto time = static_cast<int>(std::min<std::int64_t>(left(deadline).count(), 60'000));
        const int ready = ::poll(&one, 1, time);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
        if (ready == 0 && Clock::now() >= deadline) return false;
    }
}

class PlainStream final : public Stream {
 public:
    explicit PlainStream(Descriptor socket) : socket_(std::move(socket)) {}

    bool write(std::string_view octets, Deadline deadline) override
    {
        while (!octets.empty()) {
            const auto sent =
                ::send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent > 0) {
                octets.remove_prefix(static_cast<std::size_t>(sent));
            } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
                return false;
            } else if (!wait_writable(socket_.get(), deadline)) {
                return false;
            }
        }
        return true;
    }

    ReadResult read(Deadline deadline) override
    {
        std::array<char, 16'384> buffer;
        for (;;) {
            const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (got > 0) return {ReadState::octets, {buffer.data(), static_cast<std::size_t>(got)}};
            if (got == 0) return {ReadState::closed, {}};
            if (errno != EAGAIN && errno != EINTR) return {ReadState::reset, {}};
            if (!wait_readable(socket_.get(), deadline)) return {ReadState::timeout, {}};
        }
    }

    void close() override { ::shutdown(socket_.get(), SHUT_WR); }

    void reset() override
    {
        reset_when_closed(socket_.get());
        socket_.close();
    }

    int descriptor() const override { return socket_.get(); }

 private:
    Descriptor socket_;
};

}  // namespace

std::optional<Endpoint> Endpoint::parse(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    Endpoint endpoint;
    const auto* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, endpoint.port);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    endpoint.address = std::string(host);
    if (!address_of(endpoint)) return std::nullopt;
    return endpoint;
}

std::string Endpoint::text() const
{
    const bool six = address.find(':') != std::string::npos;
    return (six ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept
{
    if (this != &other) {
        close();
        value_ = other.release();
    }
    return *this;
}

int Descriptor::release()
{
    return std::exchange(value_, -1);
}

void Descriptor::close()
{
    if (value_ >= 0) ::close(std::exchange(value_, -1));
}

bool wait_readable(int descriptor, Deadline deadline)
{
    return wait_for(descriptor, POLLIN, deadline);
}

bool wait_writable(int descriptor, Deadline deadline)
{
    return wait_for(descriptor, POLLOUT, deadline);
}

Descriptor connect_tcp(const Endpoint& endpoint, Deadline deadline, const std::string& source)
{
    const auto address = address_of(endpoint);
    if (!address) return {};
    Descriptor socket(::socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.is_open()) return {};
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (const auto from = address_of({source, 0}); from && from->family() == address->family()) {
        ::setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        static_cast<void>(::bind(socket.get(), from->get(), from->length));
    }
    if (::connect(socket.get(), address->get(), address->length) == 0) return socket;
    if (errno != EINPROGRESS || !wait_writable(socket.get(), deadline)) return {};
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return {};
    return socket;
}

Descriptor listen_tcp(const Endpoint& endpoint, std::string& error)
{
    const auto address = address_of(endpoint);
    if (!address) {
        error = endpoint.text() + " is no address";
        return {};
    }
    Descriptor socket(::socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket.get(), address->get(), address->length) != 0 ||
        ::listen(socket.get(), 1024) != 0) {
        error = "can't listen at " + endpoint.text() + ": " + std::strerror(errno);
        return {};
    }
    return socket;
}

std::uint16_t port_of(int descriptor)
{
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length);
    return storage.ss_family == AF_INET6
               ? ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port)
               : ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string local_address_of(int descriptor)
{
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length);
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, text.data(),
                    text.size());
        return text.data();
    }
    const auto& six = reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        ::inet_ntop(AF_INET, &six.s6_addr[12], text.data(), text.size());
    } else {
        ::inet_ntop(AF_INET6, &six, text.data(), text.size());
    }
    return text.data();
}

void reset_when_closed(int descriptor)
{
    const linger at_once{1, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

std::unique_ptr<Stream> plain_stream(Descriptor socket)
{
    return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace entente::conformance
