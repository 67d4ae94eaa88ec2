#include "federation/vouching.hpp"

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
    std::vector<std::string> shown;
    for (const auto& kid : *kids) {
        auto ref = protocol::parse_key_ref(kid, names_);
        if (!ref) continue;
        // The name of a key is its hash: what the server shows under it is the very key.
        auto key = co_await discovery_.log_key(*ref);
        if (key) shown.push_back(kid);
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

}  // namespace entente::federation
