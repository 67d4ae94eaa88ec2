#include "tests/overload/mute_peer.hpp"

#include <memory>

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace entente::overload {

MutePeer::MutePeer(const e2e::World& world, const std::string& name)
    : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    const int on = 1;
    ::setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(world.port(name));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listening_, 16) != 0)
        throw e2e::Broken("the mute peer's port is taken");
    thread_ =
        std::thread([this, certificate = world.certificate(name), key = world.key(name)]() mutable {
            serve(std::move(certificate), std::move(key));
        });
}

MutePeer::~MutePeer()
{
    stopping_ = true;
    ::shutdown(listening_, SHUT_RDWR);
    thread_.join();
    ::close(listening_);
}

void MutePeer::serve(std::string certificate, std::string key)
{
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM);
    while (!stopping_) {
        const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        try {
            held_.push_back(e2e::TlsSocket::accept(fd, context.get()));
            ++connections_;
        } catch (const e2e::Broken&) {
            continue;  // the other side's affair
        }
    }
}

}  // namespace entente::overload
