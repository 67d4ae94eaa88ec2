#include "tests/bench/load_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

namespace entente::bench {

namespace {

constexpr std::size_t read_step = 17'000;  // above a TLS record
constexpr std::size_t read_ahead = 128 * 1024;
constexpr int blocked_seconds = 20;

std::string tls_error(const char* what)
{
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    return std::string(what) + ": " + text.data() + " (" + std::strerror(errno) + ")";
}

int connect_tcp(std::uint16_t port, const std::string& source)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw e2e::Broken(std::string("socket: ") + std::strerror(errno));
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, source.c_str(), &address.sin_addr);
    bool fine = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fine = fine && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (!fine) {
        const std::string why = std::strerror(errno);
        ::close(fd);
        throw e2e::Broken("connect from " + source + ": " + why);
    }
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const timeval time{blocked_seconds, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    return fd;
}

std::size_t octet_at(const std::string& text, std::size_t at)
{
    return static_cast<unsigned char>(text[at]);
}

}  // namespace

TlsClient::TlsClient(std::string host, std::uint16_t port, const std::string& ca_file)
    : host_(std::move(host)), port_(port), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free)
{
    auto* const context = context_.get();
    if (SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1)
        throw e2e::Broken(tls_error(ca_file.c_str()));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    // Many records of one read(): the client's own cost is the servers' time.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, read_ahead);
}

SSL* TlsClient::connect(const std::string& source) const
{
    const int fd = connect_tcp(port_, source);
    SSL* const ssl = SSL_new(context_.get());
    SSL_set_tlsext_host_name(ssl, host_.c_str());
    SSL_set1_host(ssl, host_.c_str());
    SSL_set_fd(ssl, fd);
    ERR_clear_error();
    if (SSL_connect(ssl) == 1) return ssl;
    const auto why = tls_error("TLS handshake");
    CloseTls{}(ssl);
    throw e2e::Broken(why);
}

void CloseTls::operator()(SSL* ssl) const
{
    const int fd = SSL_get_fd(ssl);
    SSL_free(ssl);
    ::close(fd);
}

LoadSocket::LoadSocket(const TlsClient& tls, const std::string& source, const std::string& ticket)
    : ssl_(tls.connect(source)), fd_(SSL_get_fd(ssl_.get()))
{
    const e2e::Fields fields{{"Upgrade", "websocket"},
                             {"Connection", "Upgrade"},
                             {"Sec-WebSocket-Version", "13"},
                             {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    const auto request =
        e2e::write_request("GET", "/api/v1/ws?ticket=" + ticket, tls.host(), fields, "");
    if (SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) <= 0)
        throw e2e::Broken(tls_error("write"));
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
        char octet = 0;
        if (head.size() > read_step || SSL_read(ssl_.get(), &octet, 1) != 1)
            throw e2e::Broken("no answer to a WebSocket's opening: " + head);
        head += octet;
    }
    if (!head.starts_with("HTTP/1.1 101")) throw e2e::Broken("no WebSocket: " + head);
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

void LoadSocket::send(std::string_view frame)
{
    if (unsent_.empty()) {
        ERR_clear_error();
        while (!frame.empty()) {
            const int written = SSL_write(ssl_.get(), frame.data(), static_cast<int>(frame.size()));
            if (written <= 0) {
                if (SSL_get_error(ssl_.get(), written) == SSL_ERROR_WANT_WRITE) break;
                throw e2e::Broken(tls_error("write"));
            }
            frame.remove_prefix(static_cast<std::size_t>(written));
        }
    }
    unsent_.append(frame);
}

void LoadSocket::flush()
{
    auto rest = std::move(unsent_);
    unsent_.clear();
    send(rest);
}

bool LoadSocket::read_some()
{
    if (in_.size() < end_ + read_step) in_.resize((end_ + read_step) * 2);
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), in_.data() + end_, static_cast<int>(in_.size() - end_));
    if (got > 0) {
        end_ += static_cast<std::size_t>(got);
        return true;
    }
    const int why = SSL_get_error(ssl_.get(), got);
    if (why == SSL_ERROR_WANT_READ) return false;
    throw e2e::Broken(why == SSL_ERROR_ZERO_RETURN ? "a server has closed a WebSocket"
                                                   : tls_error("read"));
}

bool LoadSocket::next_frame(Frame& frame)
{
    const auto there = end_ - begin_;
    if (there < 2) return false;
    std::size_t size = octet_at(in_, begin_ + 1) & 0x7FU;
    const std::size_t longer = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (there < 2 + longer) return false;
    if (longer > 0) size = 0;
    for (std::size_t i = 0; i < longer; ++i) size = size << 8U | octet_at(in_, begin_ + 2 + i);
    if (there - 2 - longer < size) return false;
    const auto first = octet_at(in_, begin_);
    frame.opcode = static_cast<int>(first & 0x0FU);
    if ((first & 0x80U) == 0 || frame.opcode == 0) throw e2e::Broken("a fragmented frame");
    frame.text = std::string_view(in_).substr(begin_ + 2 + longer, size);
    begin_ += 2 + longer + size;
    return true;
}

void LoadSocket::answer_control(const Frame& frame)
{
    if (frame.opcode == 8) throw e2e::Broken("a server has closed a WebSocket");
    if (frame.opcode != 9) return;
    FrameText pong;
    pong.append(frame.text);
    std::string octets(pong.finish());
    octets[0] = '\x8A';
    send(octets);
}

void LoadSocket::give_back()
{
    if (begin_ == end_) in_ = {};
}

void LoadSocket::compact()
{
    if (begin_ == 0) return;
    if (begin_ < end_) std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
}

}  // namespace entente::bench
