// The part of Discovery that ends a key conflict by the administrator's word [KEY-4].
#include "federation/discovery/discovery_turn.hpp"
#include "federation/discovery/document_fetch.hpp"

namespace entente::federation {

namespace {

// For the administrator, who asks the other one whether these are theirs.
std::string what_it_shows(const protocol::ServerDocument& document)
{
    std::string text = "its document shows the recovery key " +
                       document.recovery->thumbprint().str() + " and the signing keys";
    for (const auto& shown : document.keys) text += " " + shown.key.thumbprint().str();
    return text;
}

}  // namespace

asio::awaitable<Result<protocol::ServerDocument>> Discovery::fetch_of_pinned(ServerName server)
{
    if (ring_.find(server) == nullptr)
        co_return refuse(Code::not_found, "no key of " + server.str() + " is pinned");
    ++figures_.fetches;
    auto document = co_await fetch_document(http_, server, options_.names, options_.fetch_time);
    if (!document) ++figures_.failures;
    if (document && document->keys.empty())
        co_return fail(Code::malformed, "discovery: " + server.str() + " has no key");
    co_return document;
}

asio::awaitable<Result<bool>> Discovery::accept_keys(ServerName server,
                                                     std::optional<protocol::KeyId> recovery)
{
    auto document = co_await fetch_of_pinned(server);
    if (!document) co_return fail(document);
    const auto turn = co_await turn_to_pin(server);
    auto judgement = ring_.judge(*document, clock_.now_ms());
    const bool is_needed = judgement.server.conflict || !judgement.agrees;
    if (is_needed) {
        // Between a look and the word somebody else could answer in that server's name.
        if (recovery != document->recovery->thumbprint())
            co_return refuse(Code::conflict, what_it_shows(*document));
        judgement = ring_.accept(*document, clock_.now_ms());
        if (judgement.server.conflict)
            co_return refuse(Code::malformed, "its document contradicts itself");
    }
    auto held = co_await hold(std::move(judgement), std::move(document->text));
    if (!held) co_return fail(held);
    remember_success(server);
    co_return is_needed;
}

asio::awaitable<Result<bool>> Discovery::keep_keys(ServerName server)
{
    auto document = co_await fetch_of_pinned(server);
    if (!document) co_return fail(document);
    const auto turn = co_await turn_to_pin(server);
    auto judgement = ring_.judge(*document, clock_.now_ms());
    const bool is_needed = judgement.server.conflict || !judgement.agrees;
    if (is_needed) judgement = ring_.keep(*document, clock_.now_ms());
    auto held = co_await hold(std::move(judgement), std::move(document->text));
    if (!held) co_return fail(held);
    remember_success(server);
    co_return is_needed;
}

}  // namespace entente::federation
