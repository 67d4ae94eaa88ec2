// The part of Verifier that hears what slices show of servers whose keys are missing [LOG-6].
#include <algorithm>
#include <map>
#include <set>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "federation/log/verification.hpp"
#include "trust/intake.hpp"

namespace entente::federation {

using protocol::Hash;
using protocol::Read;
using protocol::Slice;

namespace {

// Whoever hands on all that is held of a server is understood.
static_assert(trust::max_waiting_statements + trust::max_statements_by_keys +
                  trust::max_statements_by_recovery <=
              protocol::max_shown_statements);

// What is shown of a server, each statement once and in the order shown. No more than a server
// keeps of another: the rest could count for nothing.
struct ShownStatements {
    std::vector<std::string> texts;
    std::set<std::string_view> known;
};

std::map<ServerName, ShownStatements> shown_statements(const std::vector<Read<Slice>>& slices)
{
    std::map<ServerName, ShownStatements> shown;
    for (const auto& slice : slices) {
        if (!slice.value) continue;
        for (const auto& key : slice.value->keys) {
            auto& statements = shown[key.server];
            for (const auto& statement : key.statements) {
                if (statements.texts.size() < protocol::max_shown_statements &&
                    statements.known.insert(statement).second)
                    statements.texts.push_back(statement);
            }
        }
    }
    return shown;
}

Hash digest_of(const ServerName& server, const std::vector<std::string>& statements)
{
    std::string all = server.str();
    for (const auto& statement : statements) all += '\n' + statement;
    return protocol::sha256(all);
}

}  // namespace

// The same list isn't charged for again: the slice that it came with is, as often as it comes.
asio::awaitable<void> Verifier::hear_shown(CheckedRoots& roots,
                                           const std::vector<Read<Slice>>& slices,
                                           std::function<bool(std::size_t)> may_hear)
{
    const auto is_open = [](const CheckedRoot& root) {
        return root.key_missing && root.is_server_pinned;
    };
    if (std::ranges::none_of(roots, is_open)) co_return;
    const auto executor = co_await asio::this_coro::executor;
    auto shown = shown_statements(slices);
    std::set<ServerName> heard;
    std::set<ServerName> unheard;
    KeyAllowance none;
    std::size_t looked_at = 0;
    for (auto& root : roots) {
        if (!is_open(root)) continue;
        const auto server = root.key->server;
        const auto found = shown.find(server);
        if (found == shown.end()) continue;
        if (heard.insert(server).second) {
            auto statements = std::move(found->second.texts);
            if (statements.empty()) continue;
            const auto digest = digest_of(server, statements);
            if (!shown_before_.contains(digest)) {
                bool is_heard = may_hear(statements.size());
                // What can't be stored doesn't count: the key is still missing then.
                if (is_heard) {
                    auto stored =
                        co_await discovery_.hear_statements(server, std::move(statements));
                    is_heard = stored.has_value();
                }
                if (shown_before_.size() >= max_shown_before) shown_before_.clear();
                if (is_heard) shown_before_.insert(digest);
                if (!is_heard) unheard.insert(server);
            }
        }
        root.is_unheard = unheard.contains(server);
        if (discovery_.ring().find_key(*root.key) == nullptr) continue;
        auto text = *root.text;
        root = co_await check_root(std::move(text), none);
        if (++looked_at % roots_a_turn == 0) co_await asio::post(executor, asio::use_awaitable);
    }
}

}  // namespace entente::federation
