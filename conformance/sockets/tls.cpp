#include "conformance/sockets/tls.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace entente::conformance {

namespace {

struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPointer = std::unique_ptr<SSL, SslFree>;

std::string last_error()
{
    const auto code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "the connection was closed";
    // "tlsv1 alert unknown ca", without the library's own numbers.
    if (const char* reason = ERR_reason_error_string(code)) return reason;
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

// Waits for what the last call of `ssl` wants; false at the deadline or where it has failed.
bool wait_after(SSL* ssl, int result, Deadline deadline)
{
    switch (SSL_get_error(ssl, result)) {
        case SSL_ERROR_WANT_READ: return wait_readable(SSL_get_fd(ssl), deadline);
        case SSL_ERROR_WANT_WRITE: return wait_writable(SSL_get_fd(ssl), deadline);
        default: return false;
    }
}

class TlsStream final : public Stream {
 public:
    TlsStream(SslPointer ssl, Descriptor socket) : socket_(std::move(socket)), ssl_(std::move(ssl))
    {
    }

    bool write(std::string_view octets, Deadline deadline) override
    {
        while (!octets.empty()) {
            ERR_clear_error();
            std::size_t sent = 0;
            const int result = SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &sent);
            if (result == 1) {
                octets.remove_prefix(sent);
            } else if (!wait_after(ssl_.get(), result, deadline)) {
                return false;
            }
        }
        return true;
    }

    ReadResult read(Deadline deadline) override
    {
        std::array<char, 16'384> buffer;
        for (;;) {
            ERR_clear_error();
            std::size_t got = 0;
            const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &got);
            if (result == 1) return {ReadState::octets, {buffer.data(), got}};
            const int error = SSL_get_error(ssl_.get(), result);
            if (error == SSL_ERROR_ZERO_RETURN) return {ReadState::closed, {}};
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
                return {ReadState::reset, {}};
            if (!wait_after(ssl_.get(), result, deadline)) return {ReadState::timeout, {}};
        }
    }

    void close() override { SSL_shutdown(ssl_.get()); }

    void reset() override
    {
        reset_when_closed(socket_.get());
        socket_.close();
    }

    int descriptor() const override { return socket_.get(); }

 private:
    Descriptor socket_;
    SslPointer ssl_;
};

// `names` stands in the SSL's own data while the handshake runs.
int choose_context(SSL* ssl, int* /*alert*/, void* /*argument*/)
{
    auto* names = static_cast<ServerNames*>(SSL_get_app_data(ssl));
    const char* host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const auto context = names->context_for(host == nullptr ? "" : host);
    if (!context) return SSL_TLSEXT_ERR_ALERT_FATAL;
    // The SSL holds a reference of its own.
    SSL_set_SSL_CTX(ssl, context->get());
    return SSL_TLSEXT_ERR_OK;
}

SSL_CTX* checked(SSL_CTX* context)
{
    if (context == nullptr) throw std::runtime_error("TLS can't be set up: " + last_error());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

// Without a certificate of its own: what is shown is chosen by name.
SSL_CTX* choosing_context()
{
    static SSL_CTX* const context = [] {
        auto* made = checked(SSL_CTX_new(TLS_server_method()));
        SSL_CTX_set_tlsext_servername_callback(made, choose_context);
        return made;
    }();
    return context;
}

}  // namespace

ServerContext::ServerContext(const Certificate& certificate)
    : context_(checked(SSL_CTX_new(TLS_server_method())))
{
    BIO* chain =
        BIO_new_mem_buf(certificate.chain.data(), static_cast<int>(certificate.chain.size()));
    X509* first = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
    BIO* key_bio =
        BIO_new_mem_buf(certificate.key.data(), static_cast<int>(certificate.key.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context_, first);
    SSL_CTX_use_PrivateKey(context_, key);
    X509_free(first);
    EVP_PKEY_free(key);
    BIO_free_all(chain);
    BIO_free_all(key_bio);
}

ServerContext::~ServerContext()
{
    SSL_CTX_free(context_);
}

ClientContext::ClientContext(const std::string& ca_file)
    : context_(checked(SSL_CTX_new(TLS_client_method())))
{
    const bool known = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context_) == 1
                                       : SSL_CTX_load_verify_file(context_, ca_file.c_str()) == 1;
    if (!known) {
        SSL_CTX_free(context_);
        throw std::runtime_error("no authorities can be read from " + ca_file + ": " +
                                 last_error());
    }
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
}

ClientContext::~ClientContext()
{
    SSL_CTX_free(context_);
}

TlsClient connect_tls(const ClientContext& context, Descriptor socket, const std::string& host,
                      Deadline deadline)
{
    if (!socket.is_open()) return {nullptr, "nobody answers", false};
    SslPointer ssl(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), socket.get());
    SSL_set_tlsext_host_name(ssl.get(), host.c_str());
    SSL_set1_host(ssl.get(), host.c_str());
    for (;;) {
        ERR_clear_error();
        const int result = SSL_connect(ssl.get());
        if (result == 1) break;
        if (wait_after(ssl.get(), result, deadline)) continue;
        const auto verdict = SSL_get_verify_result(ssl.get());
        if (verdict != X509_V_OK)
            return {nullptr,
                    std::string("its certificate isn't accepted: ") +
                        X509_verify_cert_error_string(verdict),
                    true};
        return {nullptr,
                Clock::now() >= deadline ? "the TLS handshake takes too long"
                                         : "the TLS handshake fails: " + last_error(),
                false};
    }
    return {std::make_unique<TlsStream>(std::move(ssl), std::move(socket)), {}, false};
}

TlsServer accept_tls(ServerNames& names, Descriptor socket, Deadline deadline)
{
    SslPointer ssl(SSL_new(choosing_context()));
    SSL_set_fd(ssl.get(), socket.get());
    SSL_set_app_data(ssl.get(), &names);
    TlsServer accepted;
    for (;;) {
        ERR_clear_error();
        const int result = SSL_accept(ssl.get());
        if (result == 1) break;
        if (wait_after(ssl.get(), result, deadline)) continue;
        accepted.error = Clock::now() >= deadline ? "it fell silent" : last_error();
        break;
    }
    const char* host = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
    accepted.host = host == nullptr ? "" : host;
    if (accepted.error.empty())
        accepted.stream = std::make_unique<TlsStream>(std::move(ssl), std::move(socket));
    return accepted;
}

}  // namespace entente::conformance
