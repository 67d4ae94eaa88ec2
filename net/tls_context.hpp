// OpenSSL's contexts as the units of net share them. The only header that names OpenSSL.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <openssl/ssl.h>

#include "net/tls.hpp"

namespace entente::net {

using SslContext = std::shared_ptr<SSL_CTX>;

class OpenSslServerContext final : public TlsServerContext {
 public:
    OpenSslServerContext(std::string certificate_file, std::string key_file);
    Result<void> reload() override;
    protocol::Millis not_after() const override;
    bool is_for(const std::string& host) const override;
    // What a new connection is to use.
    [[nodiscard]] SslContext current() const;

 private:
    const std::string certificate_file_;
    const std::string key_file_;
    mutable std::mutex mutex_;
    SslContext context_;
    protocol::Millis not_after_ = 0;
};

// Trusts the system's authorities and those of `ca_file`, where one is given; checks the
// peer's certificate, which the stream binds to a host name.
[[nodiscard]] Result<SslContext> make_client_context(const std::string& ca_file);

// What OpenSSL's queue says, emptied.
[[nodiscard]] std::string openssl_errors();

}  // namespace entente::net
