#include "federation/discovery/document_fetch.hpp"

#include <string>
#include <utility>
#include <variant>

#include "net/monotonic_clock.hpp"

namespace entente::federation {

namespace {

// The server's own answer, then the delegate's.
constexpr int max_fetches = 2;

asio::awaitable<Result<std::string>> fetch_text(net::Fetcher& http, protocol::Origin origin,
                                                std::chrono::milliseconds time)
{
    net::Fetch fetch;
    fetch.host = origin.host;
    fetch.port = origin.port;
    fetch.target = "/.well-known/entente";
    fetch.fields.emplace_back("accept", "application/json");
    fetch.time = time;
    fetch.max_body = protocol::max_document_octets;
    auto response = co_await http.fetch(std::move(fetch));
    if (!response) co_return fail(response);
    if (response->status != 200) {
        co_return fail(Code::unavailable, "discovery: " + origin.host + " answers " +
                                              std::to_string(response->status));
    }
    co_return std::move(response->body);
}

}  // namespace

asio::awaitable<Result<protocol::ServerDocument>> fetch_document(net::Fetcher& http,
                                                                 protocol::ServerName server,
                                                                 protocol::NameRules names,
                                                                 std::chrono::milliseconds time)
{
    auto end = net::MonotonicClock::now() + time;
    protocol::Origin origin;
    origin.host = server.str();
    for (int fetches = 0; fetches < max_fetches; ++fetches) {
        auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - net::MonotonicClock::now());
        if (left.count() <= 0) co_return fail(Code::timeout, "discovery: " + server.str());
        auto text = co_await fetch_text(http, origin, left);
        if (!text) co_return fail(text);
        auto parsed = protocol::parse_well_known(*text, server, names);
        if (!parsed) co_return fail(parsed);
        if (auto* document = std::get_if<protocol::ServerDocument>(&*parsed)) {
            document->text = std::move(*text);
            co_return std::move(*document);
        }
        auto& delegation = std::get<protocol::Delegation>(*parsed);
        auto delegate = protocol::parse_https_origin(delegation.origin);
        if (!delegate) co_return fail(delegate);
        origin = std::move(*delegate);
    }
    co_return fail(Code::malformed, "discovery: " + server.str() + " delegates twice");
}

}  // namespace entente::federation
