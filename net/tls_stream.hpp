// TLS over a non-blocking socket: OpenSSL reads and writes it itself, so that an idle
// connection keeps no buffer of ours and none of its own.
#pragma once

#include <memory>
#include <string>

#include "net/connection.hpp"
#include "net/socket_core.hpp"
#include "net/tls_context.hpp"

namespace entente::net {

class TlsConnection : public Connection {
 public:
    // Nothing has arrived and the peer has not closed: fit for another request.
    [[nodiscard]] virtual bool is_quiet() = 0;
};

using TlsConnectionPtr = std::unique_ptr<TlsConnection>;

// Handshakes within the deadline that the core has. `unavailable` or `timeout`.
asio::awaitable<Result<TlsConnectionPtr>> accept_tls(std::shared_ptr<SocketCore> core,
                                                     SslContext context);
// As a client of `host`, whose certificate it has to be.
asio::awaitable<Result<TlsConnectionPtr>> connect_tls(std::shared_ptr<SocketCore> core,
                                                      SslContext context, std::string host);

}  // namespace entente::net
