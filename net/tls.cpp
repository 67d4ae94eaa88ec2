#include "net/tls.hpp"

#include <cstring>
#include <ctime>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "net/tls_context.hpp"

namespace entente::net {

namespace {

// TLS 1.2 with forward secrecy and AEAD only; 1.3 has nothing else.
constexpr const char* cipher_list = "ECDHE+AESGCM:ECDHE+CHACHA20";

SslContext free_with_context(SSL_CTX* context)
{
    return SslContext(context, [](SSL_CTX* owned) { SSL_CTX_free(owned); });
}

SslContext make_context(const SSL_METHOD* method)
{
    auto context = free_with_context(SSL_CTX_new(method));
    if (!context) return context;
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context.get(), cipher_list);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE);
    // RELEASE_BUFFERS: an idle connection gives its record buffers back.
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    return context;
}

// Who offers protocols gets http/1.1 if it is among them, and else no word about it.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void*)
{
    static constexpr unsigned char http[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    const int outcome =
        SSL_select_next_proto(&chosen, out_size, http, sizeof(http) - 1, offered, offered_size);
    if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

protocol::Millis millis_of(const ASN1_TIME* time)
{
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    return static_cast<protocol::Millis>(timegm(&parts)) * 1000;
}

}  // namespace

std::string openssl_errors()
{
    std::string text;
    while (const auto code = ERR_get_error()) {
        char line[256];
        ERR_error_string_n(code, line, sizeof(line));
        if (!text.empty()) text += "; ";
        text += line;
    }
    return text.empty() ? "unknown" : text;
}

OpenSslServerContext::OpenSslServerContext(std::string certificate_file, std::string key_file)
    : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file))
{
}

Result<void> OpenSslServerContext::reload()
{
    ERR_clear_error();
    auto context = make_context(TLS_server_method());
    if (!context) return fail(Code::internal, "TLS context: " + openssl_errors());
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file_.c_str()) != 1) {
        return refuse(Code::malformed,
                      "certificate file " + certificate_file_ + ": " + openssl_errors());
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), key_file_.c_str(), SSL_FILETYPE_PEM) != 1) {
        // Also said where the key is sound and belongs to another certificate.
        return refuse(Code::malformed, "key file " + key_file_ + " (for certificate " +
                                           certificate_file_ + "): " + openssl_errors());
    }
    if (SSL_CTX_check_private_key(context.get()) != 1) {
        return refuse(Code::malformed, "key file " + key_file_ +
                                           " does not belong to certificate " + certificate_file_ +
                                           ": " + openssl_errors());
    }
    SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
    SSL_CTX_set_num_tickets(context.get(), 1);
    const auto expiry = millis_of(X509_get0_notAfter(SSL_CTX_get0_certificate(context.get())));

    const std::lock_guard lock(mutex_);
    context_ = std::move(context);
    not_after_ = expiry;
    return {};
}

protocol::Millis OpenSslServerContext::not_after() const
{
    const std::lock_guard lock(mutex_);
    return not_after_;
}

bool OpenSslServerContext::is_for(const std::string& host) const
{
    const auto context = current();
    auto* const certificate = SSL_CTX_get0_certificate(context.get());
    return X509_check_host(certificate, host.data(), host.size(), 0, nullptr) == 1 ||
           X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
}

SslContext OpenSslServerContext::current() const
{
    const std::lock_guard lock(mutex_);
    return context_;
}

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::load(
    const std::string& certificate_file, const std::string& key_file)
{
    auto context = std::make_shared<OpenSslServerContext>(certificate_file, key_file);
    if (auto loaded = context->reload(); !loaded) return fail(loaded);
    return std::shared_ptr<TlsServerContext>(std::move(context));
}

Result<SslContext> make_client_context(const std::string& ca_file)
{
    ERR_clear_error();
    auto context = make_context(TLS_client_method());
    if (!context) return fail(Code::internal, "TLS context: " + openssl_errors());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_default_verify_paths(context.get());
    ERR_clear_error();  // a system without a store is no error: nothing is trusted then
    if (!ca_file.empty() && SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) != 1) {
        return refuse(Code::malformed, "authorities file " + ca_file + ": " + openssl_errors());
    }
    return context;
}

}  // namespace entente::net
