#include "federation/discovery/well_known.hpp"

namespace entente::federation {

namespace asio = boost::asio;

namespace {

net::Response cacheable(const Identity& identity, std::string content_type, std::string body)
{
    net::Response response;
    response.content_type = std::move(content_type);
    response.body = std::move(body);
    response.fields.emplace_back("cache-control",
                                 "public, max-age=" + std::to_string(identity.max_age));
    return response;
}

asio::awaitable<net::Response> server_document(const Identity& identity)
{
    co_return cacheable(identity, "application/json",
                        protocol::write_server_document(document(identity)));
}

asio::awaitable<net::Response> jwk_set(const Identity& identity)
{
    co_return cacheable(identity, "application/http-message-signatures-directory+json",
                        protocol::write_jwk_set(document(identity)));
}

}  // namespace

void add_well_known(net::Router& router, const Identity& identity)
{
    net::Route discovery;
    discovery.method = "GET";
    discovery.pattern = "/.well-known/entente";
    discovery.handler = [&identity](const net::Request&) { return server_document(identity); };
    router.add(std::move(discovery));

    net::Route keys;
    keys.method = "GET";
    keys.pattern = "/.well-known/http-message-signatures-directory";
    keys.handler = [&identity](const net::Request&) { return jwk_set(identity); };
    router.add(std::move(keys));
}

}  // namespace entente::federation
