#include "tests/overload/connections.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace entente::overload {

namespace {

constexpr std::size_t connections_a_source = 900;  // a server grants an address 1,000
constexpr int small_window = 4'096;
constexpr timeval blocked_time{20, 0};

}  // namespace

Connections::Connections(const e2e::Node& node)
    : port_(node.port()),
      host_(node.name()),
      context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free)
{
    std::signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                         SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

Connections::~Connections()
{
    for (auto& made : made_) {
        SSL_free(made.ssl);
        ::close(made.fd);
    }
}

int Connections::connect_tcp(Window window)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw e2e::Broken(std::string("socket: ") + std::strerror(errno));
    made_.push_back({fd, nullptr, false});
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (window == Window::small)
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small_window, sizeof small_window);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &blocked_time, sizeof blocked_time);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &blocked_time, sizeof blocked_time);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    const auto source = "127.0.20." + std::to_string(1 + made_.size() / connections_a_source);
    ::inet_pton(AF_INET, source.c_str(), &address.sin_addr);
    bool fine = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fine = fine && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (!fine) throw e2e::Broken("connect from " + source + ": " + std::strerror(errno));
    return fd;
}

void Connections::add_in_handshake()
{
    const int fd = connect_tcp(Window::usual);
    constexpr std::array<char, 6> begun{0x16, 0x03, 0x01, 0x01, 0x00, 0x01};
    // Who is over a bound has been sent away already.
    (void)::send(fd, begun.data(), begun.size(), MSG_NOSIGNAL);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void Connections::add_in_tls(std::string_view octets, Window window)
{
    const int fd = connect_tcp(window);
    auto* const ssl = SSL_new(context_.get());
    made_.back().ssl = ssl;
    SSL_set_tlsext_host_name(ssl, host_.c_str());
    SSL_set_fd(ssl, fd);
    ERR_clear_error();
    if (SSL_connect(ssl) != 1) throw e2e::Broken("a TLS handshake failed");
    if (!octets.empty() && SSL_write(ssl, octets.data(), static_cast<int>(octets.size())) <= 0)
        throw e2e::Broken("a TLS write failed");
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void Connections::drip(std::string_view octets)
{
    for (auto& made : made_) {
        if (made.ended) continue;
        ERR_clear_error();
        if (made.ssl != nullptr) {
            SSL_write(made.ssl, octets.data(), static_cast<int>(octets.size()));
        } else {
            (void)::send(made.fd, octets.data(), octets.size(), MSG_NOSIGNAL);
        }
    }
}

// The end is seen without reading what lies before it.
void Connections::look(Made& made)
{
    pollfd state{made.fd, POLLRDHUP, 0};
    if (::poll(&state, 1, 0) > 0) made.ended = true;
}

std::size_t Connections::open()
{
    std::size_t count = 0;
    for (auto& made : made_) {
        if (!made.ended) look(made);
        if (!made.ended) ++count;
    }
    return count;
}

}  // namespace entente::overload
