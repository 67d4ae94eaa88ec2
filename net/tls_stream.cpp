#include "net/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace entente::net {

namespace {

struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;

class OpenSslConnection final : public TlsConnection {
 public:
    // Requires: the socket is open; OpenSSL uses its descriptor and doesn't close it.
    OpenSslConnection(std::shared_ptr<SocketCore> core, SslPtr ssl)
        : core_(std::move(core)), ssl_(std::move(ssl))
    {
        SSL_set_fd(ssl_.get(), core_->socket().native_handle());
    }
    ~OpenSslConnection() override { core_->close(); }

    asio::awaitable<Result<void>> handshake()
    {
        while (true) {
            ERR_clear_error();
            const int outcome = SSL_do_handshake(ssl_.get());
            if (outcome == 1) co_return Result<void>();
            auto ready = co_await wait_after(outcome, "handshake");
            if (!ready) co_return fail(ready);
        }
    }

    asio::awaitable<Result<std::size_t>> read_some(char* data, std::size_t size) override
    {
        while (true) {
            if (!core_->socket().is_open()) co_return fail(Code::unavailable, "closed");
            ERR_clear_error();
            std::size_t count = 0;
            const int outcome = SSL_read_ex(ssl_.get(), data, size, &count);
            if (outcome == 1) {
                if (core_->is_turn_over()) co_await core_->give_way();
                co_return count;
            }
            if (SSL_get_error(ssl_.get(), outcome) == SSL_ERROR_ZERO_RETURN) {
                co_return std::size_t{0};
            }
            auto ready = co_await wait_after(outcome, "read");
            if (!ready) co_return fail(ready);
        }
    }

    asio::awaitable<Result<void>> write(std::string_view octets) override
    {
        while (!octets.empty()) {
            if (!core_->socket().is_open()) co_return fail(Code::unavailable, "closed");
            ERR_clear_error();
            std::size_t count = 0;
            const int outcome = SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &count);
            if (outcome == 1) {
                octets.remove_prefix(count);
                if (!octets.empty() && core_->is_turn_over()) co_await core_->give_way();
                continue;
            }
            auto ready = co_await wait_after(outcome, "write");
            if (!ready) co_return fail(ready);
        }
        co_return Result<void>();
    }

    Result<std::size_t> write_at_once(std::string_view octets) override
    {
        std::size_t written = 0;
        while (written < octets.size()) {
            if (!core_->socket().is_open()) return fail(Code::unavailable, "closed");
            ERR_clear_error();
            std::size_t count = 0;
            const int outcome =
                SSL_write_ex(ssl_.get(), octets.data() + written, octets.size() - written, &count);
            if (outcome != 1) {
                const int why = SSL_get_error(ssl_.get(), outcome);
                if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) break;
                return fail(Code::unavailable, describe("write"));
            }
            written += count;
        }
        return written;
    }

    void deadline_after(std::chrono::milliseconds timeout) override
    {
        core_->deadline_after(timeout);
    }
    void no_deadline() override { core_->no_deadline(); }

    asio::awaitable<void> shutdown() override
    {
        if (core_->socket().is_open() && !broken_ && SSL_is_init_finished(ssl_.get()) == 1) {
            ERR_clear_error();
            SSL_shutdown(ssl_.get());  // our notice; we don't wait for the peer's
        }
        return core_->linger_and_close();
    }

    void abort() override { core_->close(); }
    asio::ip::tcp::endpoint remote() const override { return core_->remote(); }
    asio::any_io_executor executor() override { return core_->socket().get_executor(); }

    bool is_quiet() override
    {
        if (!core_->socket().is_open() || broken_) return false;
        ERR_clear_error();
        char octet = 0;
        std::size_t count = 0;
        const int outcome = SSL_peek_ex(ssl_.get(), &octet, 1, &count);
        return outcome != 1 && SSL_get_error(ssl_.get(), outcome) == SSL_ERROR_WANT_READ;
    }

 private:
    // What an operation that could not finish needs; an error where it can't go on.
    asio::awaitable<Result<void>> wait_after(int outcome, const char* what)
    {
        switch (SSL_get_error(ssl_.get(), outcome)) {
            case SSL_ERROR_WANT_READ: return core_->wait(SocketCore::Socket::wait_read);
            case SSL_ERROR_WANT_WRITE: return core_->wait(SocketCore::Socket::wait_write);
            default: return failed(describe(what));
        }
    }

    static asio::awaitable<Result<void>> failed(std::string detail)
    {
        co_return fail(Code::unavailable, std::move(detail));
    }

    std::string describe(const char* what)
    {
        broken_ = true;  // SSL_shutdown must not follow a fatal error
        std::string text = std::string("TLS ") + what + ": ";
        const auto verified = SSL_get_verify_result(ssl_.get());
        if (verified != X509_V_OK && SSL_is_init_finished(ssl_.get()) == 0) {
            ERR_clear_error();
            return text + "certificate: " + X509_verify_cert_error_string(verified);
        }
        return text + openssl_errors();
    }

    std::shared_ptr<SocketCore> core_;
    SslPtr ssl_;
    bool broken_ = false;
};

asio::awaitable<Result<TlsConnectionPtr>> handshaken(std::unique_ptr<OpenSslConnection> connection)
{
    auto done = co_await connection->handshake();
    if (!done) co_return fail(done);
    co_return TlsConnectionPtr(std::move(connection));
}

asio::awaitable<Result<TlsConnectionPtr>> no_connection(std::string detail)
{
    co_return fail(Code::unavailable, std::move(detail));
}

}  // namespace

asio::awaitable<Result<TlsConnectionPtr>> accept_tls(std::shared_ptr<SocketCore> core,
                                                     SslContext context)
{
    SslPtr ssl(SSL_new(context.get()));
    if (!ssl) return no_connection("TLS: no memory");
    SSL_set_accept_state(ssl.get());
    return handshaken(std::make_unique<OpenSslConnection>(std::move(core), std::move(ssl)));
}

asio::awaitable<Result<TlsConnectionPtr>> connect_tls(std::shared_ptr<SocketCore> core,
                                                      SslContext context, std::string host)
{
    SslPtr ssl(SSL_new(context.get()));
    if (!ssl) return no_connection("TLS: no memory");
    SSL_set_connect_state(ssl.get());
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (SSL_set1_host(ssl.get(), host.c_str()) != 1 ||
        SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1) {
        return no_connection("TLS: not a host name: " + host);
    }
    return handshaken(std::make_unique<OpenSslConnection>(std::move(core), std::move(ssl)));
}

}  // namespace entente::net
