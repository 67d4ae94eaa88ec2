#include "conformance/target/connection.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>

#include "conformance/sockets/patience.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr Millis connect_time{10'000};

Endpoint resolve(const std::string& host, std::uint16_t port)
{
    if (auto literal = Endpoint::parse(host + ":" + std::to_string(port))) return *literal;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0 || found == nullptr)
        throw std::runtime_error(host + " has no address; say where it is by target.connect");
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* address =
        found->ai_family == AF_INET6
            ? static_cast<const void*>(
                  &reinterpret_cast<const sockaddr_in6*>(found->ai_addr)->sin6_addr)
            : &reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr;
    ::inet_ntop(found->ai_family, address, text.data(), text.size());
    ::freeaddrinfo(found);
    return {text.data(), port};
}

}  // namespace

Door::Door(std::string host, std::uint16_t port, const std::optional<Endpoint>& connect,
           const std::string& ca_file)
    : host_(std::move(host)),
      authority_(port == 443 ? host_ : host_ + ":" + std::to_string(port)),
      endpoint_(connect ? *connect : resolve(host_, port)),
      context_(std::make_shared<const ClientContext>(ca_file))
{
}

Door Door::from_own_address() const
{
    auto door = *this;
    if (!endpoint_.address.starts_with("127.")) return door;
    const auto octets = fresh_octets(3);
    const auto part = [&](std::size_t place) {
        return std::to_string(1 + static_cast<unsigned char>(octets[place]) % 254);
    };
    door.source_ = "127." + part(0) + "." + part(1) + "." + part(2);
    return door;
}

TlsClient Door::open(Deadline deadline) const
{
    return connect_tls(*context_, open_tcp(deadline), host_, deadline);
}

Descriptor Door::open_tcp(Deadline deadline) const
{
    return connect_tcp(endpoint_, deadline, source_);
}

Stream* Connection::stream()
{
    if (!stream_) {
        auto opened = door_.open(in(connect_time));
        stream_ = std::move(opened.stream);
        error_ = std::move(opened.error);
        untrusted_ = opened.untrusted;
        rest_.clear();
    }
    return stream_.get();
}

void Connection::drop()
{
    stream_.reset();
}

AnswerResult Connection::ask(const Request& request, Millis time)
{
    const bool was_open = stream_ != nullptr;
    const auto octets = serialise(request);
    auto result = ask_octets(octets, time);
    // A kept connection may have been closed as idle just before, or have ended with a target that
    // was restarted.
    if (was_open && !result.error.empty() && (result.closed || result.reset))
        result = ask_octets(octets, time);
    return result;
}

AnswerResult Connection::ask_octets(std::string_view octets, Millis time)
{
    const auto deadline = within_patience(in(time));
    AnswerResult result;
    auto* open = stream();
    if (open == nullptr) {
        result.error = "no connection: " + error_;
        return result;
    }
    // A target may answer before it has read all, so a failed write is no verdict.
    const bool written = open->write(octets, deadline);
    result = read_answer(*open, rest_, deadline);
    if (!written && result.error.empty()) stream_.reset();
    if (!result.error.empty()) {
        stream_.reset();
    } else if (field_of(result.answer.fields, "connection").value_or("") == "close") {
        stream_.reset();
    }
    return result;
}

AnswerResult Connection::next(Millis time)
{
    AnswerResult result;
    if (!stream_) {
        result.closed = true;
        result.error = "the connection was closed";
        return result;
    }
    result = read_answer(*stream_, rest_, within_patience(in(time)));
    if (!result.error.empty()) stream_.reset();
    return result;
}

}  // namespace entente::conformance
