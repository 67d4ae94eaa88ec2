#pragma once

// TLS over the runner's sockets, and the certificate authority whose certificates its peers show.
// A case can ask for a bad certificate: of another name, expired, signed by itself or by a
// stranger.

#include <memory>
#include <string>
#include <string_view>

#include "conformance/sockets/socket.hpp"

typedef struct ssl_ctx_st SSL_CTX;

namespace entente::conformance {

enum class CertificateFault { none, wrong_name, expired, self_signed, foreign_authority };

// A key and certificate, as PEM.
struct Certificate {
    std::string chain;
    std::string key;
};

// An authority of one run, or one that `init` has made and keeps in files.
class Authority {
 public:
    [[nodiscard]] static Authority make(const std::string& common_name);
    // Throws std::runtime_error, with what is wrong: that either can't be read, that they don't
    // belong together, or that the certificate isn't an authority's.
    [[nodiscard]] static Authority load(const std::string& certificate_pem,
                                        const std::string& key_pem);

    [[nodiscard]] Certificate issue(const std::string& host,
                                    CertificateFault fault = CertificateFault::none) const;
    [[nodiscard]] const Certificate& own() const { return own_; }

 private:
    explicit Authority(Certificate own) : own_(std::move(own)) {}
    Certificate own_;
};

class ServerContext {
 public:
    explicit ServerContext(const Certificate& certificate);
    ~ServerContext();
    ServerContext(const ServerContext&) = delete;
    ServerContext& operator=(const ServerContext&) = delete;
    [[nodiscard]] SSL_CTX* get() const { return context_; }

 private:
    SSL_CTX* context_;
};

// Which context a client that names `host` (SNI; empty where it names none) is shown; null: the
// handshake fails.
class ServerNames {
 public:
    virtual ~ServerNames() = default;
    [[nodiscard]] virtual std::shared_ptr<const ServerContext> context_for(
        std::string_view host) = 0;
};

// Who is trusted: the authorities of a PEM file, or the system's where it is empty.
class ClientContext {
 public:
    // Throws std::runtime_error where the file can't be read.
    explicit ClientContext(const std::string& ca_file);
    ~ClientContext();
    ClientContext(const ClientContext&) = delete;
    ClientContext& operator=(const ClientContext&) = delete;
    [[nodiscard]] SSL_CTX* get() const { return context_; }

 private:
    SSL_CTX* context_;
};

struct TlsClient {
    std::unique_ptr<Stream> stream;
    // Why there is none.
    std::string error;
    // It is the certificate that was shown which isn't accepted.
    bool untrusted = false;
};

[[nodiscard]] TlsClient connect_tls(const ClientContext& context, Descriptor socket,
                                    const std::string& host, Deadline deadline);

struct TlsServer {
    std::unique_ptr<Stream> stream;
    // What the client named by SNI, as far as it came; empty where it named nothing.
    std::string host;
    // Why there is no stream.
    std::string error;
};

// Null where the handshake fails: `error` then says why.
[[nodiscard]] TlsServer accept_tls(ServerNames& names, Descriptor socket, Deadline deadline);

}  // namespace entente::conformance
