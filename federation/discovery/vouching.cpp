#include "federation/discovery/vouching.hpp"

#include <utility>
#include <vector>

#include "storage/vouched_store.hpp"

namespace entente::federation {

asio::awaitable<Result<std::size_t>> Vouching::look()
{
    auto list = [after = after_](storage::Connection& db) {
        return storage::vouched_kids(db, after, max_vouched_per_round);
    };
    auto kids = co_await commits_.read(std::move(list));
    if (!kids) co_return fail(kids);
    after_ = kids->size() < max_vouched_per_round ? std::string() : kids->back();
    ++round_;
    std::vector<std::string> shown;
    for (const auto& kid : *kids) {
        auto ref = protocol::parse_key_ref(kid, names_);
        if (!ref || is_disputed(*ref)) continue;
        // The name of a key is its hash: what the server shows under it is the very key.
        auto key = co_await discovery_.log_key(*ref);
        if (key) shown.push_back(kid);
        if (!key && key.error().code == Code::unknown_key) dispute(*ref);
    }
    const auto count = shown.size();
    if (count == 0) co_return count;
    auto drop = [shown = std::move(shown)](storage::WriteTransaction& transaction) -> Result<void> {
        for (const auto& kid : shown) {
            auto dropped = storage::drop_vouched(transaction.db(), kid);
            if (!dropped) return dropped;
        }
        return {};
    };
    auto dropped = co_await commits_.write(std::move(drop));
    if (!dropped) co_return fail(dropped);
    co_return count;
}

bool Vouching::is_disputed(const protocol::KeyRef& key) const
{
    const auto server = disputed_.find(key.server);
    if (server == disputed_.end()) return false;
    const auto found = server->second.find(key.str());
    return found != server->second.end() && found->second > round_;
}

void Vouching::dispute(const protocol::KeyRef& key)
{
    if (discovery_.ring().find(key.server) == nullptr) return;
    auto& keys = disputed_[key.server];
    const bool is_new = !keys.contains(key.str());
    if (is_new && keys.size() >= max_disputed_kept) return;
    keys[key.str()] = round_ + disputed_rounds;
    if (!is_new || keys.size() > max_disputed_told) return;
    protocol::log_warning(log_, "channel_log",
                          "a server doesn't show a key for which a channel's home vouches: it "
                          "shows others another identity, or the home has forged its entries; "
                          "they are marked as unverified",
                          {{"server", key.server.str()}, {"key", key.str()}});
}

}  // namespace entente::federation
