// A blocking TLS connection over OpenSSL, and the HTTP/1.1 that tests speak on it. Written
// apart from net/, so that an error there can't hide behind the same error here. Throws
// Broken where the other side, the network or the time says no.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/ssl.h>

namespace entente::e2e {

using Milliseconds = std::chrono::milliseconds;
using Fields = std::vector<std::pair<std::string, std::string>>;

struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class TlsSocket {
 public:
    // To 127.0.0.1 from `source`, an IPv4 address; the certificate has to be `host`'s and
    // lead to `ca_file`.
    static TlsSocket connect(std::uint16_t port, const std::string& host,
                             const std::string& ca_file, const std::string& source = "127.0.0.1");
    static TlsSocket accept(int fd, SSL_CTX* context);
    TlsSocket(TlsSocket&&) noexcept = default;
    TlsSocket& operator=(TlsSocket&&) noexcept = default;

    void write(std::string_view octets);
    // Nothing when the time is over, "" at the end of the stream.
    std::optional<std::string> read(Milliseconds time);
    // SHA-256 of the certificate that the other side showed, as octets.
    [[nodiscard]] std::string certificate_digest() const;

 private:
    TlsSocket(int fd, SSL* ssl);
    struct State;
    std::shared_ptr<State> state_;
};

struct HttpMessage {
    std::string start_line;
    Fields fields;  // names in lower case
    std::string body;
    [[nodiscard]] std::string field(std::string_view name) const;  // "" where it is absent
    [[nodiscard]] int status() const;                              // of an answer
};

// Reads one message, octets of the next one being left in `buffer`. Nothing where the
// stream ended before its first octet.
std::optional<HttpMessage> read_message(TlsSocket& socket, std::string& buffer, Milliseconds time);

[[nodiscard]] std::string write_request(std::string_view method, std::string_view target,
                                        std::string_view host, const Fields& fields,
                                        std::string_view body);

}  // namespace entente::e2e
