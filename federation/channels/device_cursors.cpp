#include "federation/channels/device_cursors.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "storage/retention_store.hpp"

namespace entente::federation {

void DeviceCursors::note(const UserId& user, const Uuid& device, const ChannelId& channel,
                         std::int64_t seq)
{
    const Key key{user, device, channel};
    const auto found = gathered_.find(key);
    if (found != gathered_.end()) {
        found->second = std::max(found->second, seq);
        return;
    }
    if (gathered_.size() >= max_gathered) return;
    auto& of_user = of_user_[user];
    if (of_user >= max_gathered_of_user) return;
    ++of_user;
    gathered_.emplace(key, seq);
}

asio::awaitable<Result<void>> DeviceCursors::flush()
{
    while (!gathered_.empty()) {
        auto flushed = co_await flush_some();
        if (!flushed) co_return fail(flushed);
    }
    co_return Result<void>{};
}

asio::awaitable<Result<void>> DeviceCursors::flush_some()
{
    auto some = std::make_shared<std::vector<std::pair<Key, std::int64_t>>>();
    while (!gathered_.empty() && some->size() < max_per_job) {
        const auto first = gathered_.begin();
        some->emplace_back(first->first, first->second);
        const auto of_user = of_user_.find(std::get<UserId>(first->first));
        if (--of_user->second == 0) of_user_.erase(of_user);
        gathered_.erase(first);
    }
    // Most channels are no relays: the writer isn't asked about those.
    auto pick = [some](storage::Connection& db) { return relays_of(db, *some); };
    auto rows = co_await commits_.read(std::move(pick));
    if (!rows) co_return fail(rows);
    if (rows->empty()) co_return Result<void>{};
    auto job = [rows = std::move(*rows)](storage::WriteTransaction& transaction) {
        return write(transaction.db(), rows);
    };
    auto written = co_await commits_.write(std::move(job));
    co_return written;
}

Result<std::vector<DeviceCursors::Row>> DeviceCursors::relays_of(
    storage::Connection& db, const std::vector<std::pair<Key, std::int64_t>>& some)
{
    std::vector<Row> rows;
    for (const auto& [key, seq] : some) {
        const auto& [user, device, channel] = key;
        auto relay = storage::find_relay(db, channel);
        if (!relay) return fail(relay);
        if (*relay) rows.push_back({**relay, user, device, seq});
    }
    return rows;
}

Result<void> DeviceCursors::write(storage::Connection& db, const std::vector<Row>& rows)
{
    for (const auto& row : rows) {
        auto noted = storage::note_device(db, row.channel, row.user, row.device, row.seq);
        if (noted) noted = storage::hurry_retention(db, row.channel);
        if (!noted) return noted;
    }
    return {};
}

}  // namespace entente::federation
