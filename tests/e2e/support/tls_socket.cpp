#include "tests/e2e/support/tls_socket.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace entente::e2e {

namespace {

constexpr std::size_t max_message = 32U << 20U;

std::string lower_case(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string openssl_error(const char* what)
{
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    return std::string(what) + ": " + text.data();
}

void limit(int fd, int option, Milliseconds time)
{
    const auto milliseconds = std::max<long>(time.count(), 1);
    const timeval value{milliseconds / 1000, (milliseconds % 1000) * 1000};
    ::setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
}

int connect_tcp(std::uint16_t port, const std::string& source)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, source.c_str(), &address.sin_addr);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd);
        throw Broken("bind to " + source);
    }
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const std::string why = std::strerror(errno);
        ::close(fd);
        throw Broken("connect to port " + std::to_string(port) + ": " + why);
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

Fields parse_fields(std::string_view head)
{
    Fields fields;
    while (!head.empty()) {
        const auto end = head.find("\r\n");
        const auto line = head.substr(0, end);
        const auto colon = line.find(':');
        if (colon != std::string_view::npos) {
            auto value = line.substr(colon + 1);
            while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
            fields.emplace_back(lower_case(std::string(line.substr(0, colon))), value);
        }
        if (end == std::string_view::npos) break;
        head.remove_prefix(end + 2);
    }
    return fields;
}

}  // namespace

struct TlsSocket::State {
    State(int socket, SSL* tls) : fd(socket), ssl(tls) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State()
    {
        SSL_free(ssl);
        ::close(fd);
    }
    int fd;
    SSL* ssl;
};

TlsSocket::TlsSocket(int fd, SSL* ssl) : state_(std::make_shared<State>(fd, ssl)) {}

TlsSocket TlsSocket::connect(std::uint16_t port, const std::string& host,
                             const std::string& ca_file, const std::string& source)
{
    std::signal(SIGPIPE, SIG_IGN);
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
    if (SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) != 1)
        throw Broken(openssl_error(ca_file.c_str()));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    const int fd = connect_tcp(port, source);
    TlsSocket socket(fd, SSL_new(context.get()));
    auto* const ssl = socket.state_->ssl;
    limit(fd, SO_RCVTIMEO, Milliseconds(15'000));
    limit(fd, SO_SNDTIMEO, Milliseconds(15'000));
    SSL_set_tlsext_host_name(ssl, host.c_str());
    SSL_set1_host(ssl, host.c_str());
    SSL_set_fd(ssl, fd);
    ERR_clear_error();
    if (SSL_connect(ssl) != 1) throw Broken(openssl_error("TLS handshake"));
    return socket;
}

TlsSocket TlsSocket::accept(int fd, SSL_CTX* context)
{
    TlsSocket socket(fd, SSL_new(context));
    limit(fd, SO_RCVTIMEO, Milliseconds(5'000));
    limit(fd, SO_SNDTIMEO, Milliseconds(5'000));
    SSL_set_fd(socket.state_->ssl, fd);
    ERR_clear_error();
    if (SSL_accept(socket.state_->ssl) != 1) throw Broken(openssl_error("TLS handshake"));
    return socket;
}

void TlsSocket::write(std::string_view octets)
{
    ERR_clear_error();
    while (!octets.empty()) {
        const int size = static_cast<int>(std::min<std::size_t>(octets.size(), 1U << 20U));
        const int written = SSL_write(state_->ssl, octets.data(), size);
        if (written <= 0) throw Broken(openssl_error("write"));
        octets.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::optional<std::string> TlsSocket::read(Milliseconds time)
{
    if (SSL_pending(state_->ssl) == 0) {
        pollfd waits{state_->fd, POLLIN, 0};
        if (::poll(&waits, 1, static_cast<int>(std::max<long>(time.count(), 0))) == 0)
            return std::nullopt;
    }
    // What has arrived may be TLS's own business, with nothing for us behind it.
    limit(state_->fd, SO_RCVTIMEO, time);
    std::string octets(16 * 1024, '\0');
    ERR_clear_error();
    const int got = SSL_read(state_->ssl, octets.data(), static_cast<int>(octets.size()));
    if (got > 0) {
        octets.resize(static_cast<std::size_t>(got));
        return octets;
    }
    const int why = SSL_get_error(state_->ssl, got);
    if (why == SSL_ERROR_WANT_READ) return std::nullopt;
    // A killed process ends its connections without TLS's farewell.
    return std::string();
}

std::string TlsSocket::certificate_digest() const
{
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        SSL_get1_peer_certificate(state_->ssl), &X509_free);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (!certificate || X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1)
        throw Broken("no certificate");
    return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string HttpMessage::field(std::string_view name) const
{
    for (const auto& [key, value] : fields)
        if (key == name) return value;
    return {};
}

int HttpMessage::status() const
{
    return start_line.size() < 12 ? 0 : std::stoi(start_line.substr(9, 3));
}

std::optional<HttpMessage> read_message(TlsSocket& socket, std::string& buffer, Milliseconds time)
{
    const auto deadline = std::chrono::steady_clock::now() + time;
    const auto more = [&] {
        const auto left = deadline - std::chrono::steady_clock::now();
        auto octets = socket.read(std::chrono::duration_cast<Milliseconds>(left));
        if (!octets) throw Broken("no HTTP message in time");
        buffer += *octets;
        if (buffer.size() > max_message) throw Broken("an HTTP message is over all bounds");
        return !octets->empty();
    };
    std::size_t head_end = 0;
    while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos) {
        if (more()) continue;
        if (buffer.empty()) return std::nullopt;
        throw Broken("the connection ended within an HTTP head");
    }
    HttpMessage message;
    const auto line_end = buffer.find("\r\n");
    message.start_line = buffer.substr(0, line_end);
    if (line_end < head_end)
        message.fields =
            parse_fields(std::string_view(buffer).substr(line_end + 2, head_end - line_end - 2));
    buffer.erase(0, head_end + 4);
    const auto length = message.field("content-length");
    const std::size_t size = length.empty() ? 0 : std::stoul(length);
    while (buffer.size() < size)
        if (!more()) throw Broken("the connection ended within an HTTP body");
    message.body = buffer.substr(0, size);
    buffer.erase(0, size);
    return message;
}

std::string write_request(std::string_view method, std::string_view target, std::string_view host,
                          const Fields& fields, std::string_view body)
{
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host);
    text.append("\r\n");
    for (const auto& [name, value] : fields)
        text.append(name).append(": ").append(value).append("\r\n");
    if (!body.empty() || method == "POST")
        text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    text.append("\r\n").append(body);
    return text;
}

}  // namespace entente::e2e
