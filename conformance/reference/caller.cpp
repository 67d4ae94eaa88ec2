#include "conformance/reference/caller.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "conformance/reference/address_guard.hpp"
#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

namespace {

// Of a mutant: a certificate of any host, as long as the authority is right.
int take_any_name(int is_right, X509_STORE_CTX* context)
{
    const bool is_name = X509_STORE_CTX_get_error(context) == X509_V_ERR_HOSTNAME_MISMATCH;
    if (is_name) X509_STORE_CTX_set_error(context, X509_V_OK);
    return is_right == 1 || is_name ? 1 : 0;
}

}  // namespace

Caller::Caller(const Settings& settings, const Flags& flags)
    : settings_(settings), flags_(flags), context_(settings.file("peers.pem"))
{
    if (flags.has<"certificate-chain-unchecked">())
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    if (flags.has<"certificate-name-unchecked">())
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, take_any_name);
}

std::unique_ptr<Stream> Caller::connect(const std::string& host, std::uint16_t port,
                                        Deadline deadline) const
{
    auto socket = connect_tcp(find_host(host, port, settings_, flags_), deadline);
    auto client = connect_tls(context_, std::move(socket), host, deadline);
    if (!client.stream) throw Refused{"unavailable", host + ": " + client.error};
    return std::move(client.stream);
}

Answer Caller::ask(const std::string& host, std::uint16_t port, Request request, Deadline deadline,
                   const ReadLimits& limits) const
{
    const auto stream = connect(host, port, deadline);
    request.fields.insert(request.fields.begin(), {"Host", authority_of(host, port)});
    std::string rest;
    const bool written = stream->write(serialise(request), deadline);
    auto result = read_answer(*stream, rest, deadline, limits);
    if (!result.error.empty() || !written) throw Refused{"unavailable", host + ": " + result.error};
    return std::move(result.answer);
}

std::string authority_of(const std::string& host, std::uint16_t port)
{
    return port == 443 ? host : host + ":" + std::to_string(port);
}

}  // namespace entente::conformance::reference
