#include "federation/channels/departures.hpp"

#include <algorithm>
#include <utility>

#include "federation/channels/channel_changes.hpp"

namespace entente::federation {

namespace {

constexpr std::size_t members_a_page = 200;

// A UUIDv7 of that time that is the same each time.
Uuid txn_of(const UserId& user, const ChannelId& channel, std::string_view act, Millis since)
{
    const auto hash =
        protocol::sha256({"entente-departure-v1\n", user.str(), "\n", channel.str(), "\n", act});
    Uuid txn;
    for (std::size_t i = 0; i < 6; ++i)
        txn.octets[i] = static_cast<std::uint8_t>(since >> (8 * (5 - i)));
    for (std::size_t i = 6; i < 16; ++i) txn.octets[i] = hash[i];
    txn.octets[6] = static_cast<std::uint8_t>(0x70U | (txn.octets[6] & 0x0FU));
    txn.octets[8] = static_cast<std::uint8_t>(0x80U | (txn.octets[8] & 0x3FU));
    return txn;
}

Actor acting_for(const UserId& user, const Uuid& txn)
{
    Actor actor{user, std::nullopt, txn};
    actor.person.role = trust::policy::ServerRole::none;
    actor.person.is_deleted = true;
    return actor;
}

// Nothing that another try would mend.
bool is_final(Code code)
{
    return code == Code::not_found || code == Code::not_member || code == Code::conflict ||
           code == Code::forbidden;
}

}  // namespace

asio::awaitable<Result<void>> Departures::step()
{
    // Those whose pause lasts mustn't hide who comes behind them.
    auto look = [most = departures_at_once + delays_.size()](storage::Connection& db) {
        return storage::departing_accounts(db, most);
    };
    auto accounts = co_await parts_.commits.read(std::move(look));
    if (!accounts) co_return fail(accounts);
    std::size_t tried = 0;
    for (auto& account : *accounts) {
        const auto delayed = delays_.find(account.id);
        if (delayed != delays_.end() && parts_.clock.now_ms() < delayed->second.next) continue;
        if (++tried > departures_at_once) break;
        auto done = co_await depart(std::move(account));
        if (!done) co_return done;
    }
    co_return Result<void>{};
}

asio::awaitable<Result<void>> Departures::depart(storage::Departing account)
{
    auto left = co_await leave_all(account);
    if (!left) {
        put_off(account, left.error());
        co_return Result<void>{};
    }
    auto job = [id = account.id](storage::WriteTransaction& transaction) {
        return storage::note_departed(transaction.db(), id);
    };
    auto noted = co_await parts_.commits.write(std::move(job));
    if (noted) delays_.erase(account.id);
    co_return noted;
}

void Departures::put_off(const storage::Departing& account, const Error& problem)
{
    auto& delay = delays_[account.id];
    if (delay.pause == 0)
        protocol::log_warning(
            parts_.log, "channel_log", "a deleted account could not leave its channels yet",
            {{"user", account.localpart + "@" + parts_.self.str()}, {"detail", problem.detail}});
    delay.pause = delay.pause == 0 ? first_departure_pause_ms
                                   : std::min(2 * delay.pause, longest_departure_pause_ms);
    delay.next = parts_.clock.now_ms() + delay.pause;
}

asio::awaitable<Result<void>> Departures::leave_all(storage::Departing account)
{
    const auto user = UserId::trusted(account.localpart + "@" + parts_.self.str());
    auto channels = co_await parts_.channels.list(user);
    if (!channels) co_return fail(channels);
    Result<void> outcome;
    for (auto& channel : *channels) {
        auto left = co_await leave(account, user, std::move(channel));
        if (!left) outcome = left;
    }
    co_return outcome;
}

asio::awaitable<Result<void>> Departures::leave(storage::Departing account, UserId user,
                                                ChannelSummary channel)
{
    bool has_successor = true;
    if (channel.role == protocol::Role::owner && channel.member_count > 1) {
        auto named = co_await name_owner(user, account.since, channel.channel);
        if (!named) co_return fail(named);
        has_successor = *named;
    }
    auto actor = acting_for(user, txn_of(user, channel.channel, "leave", account.since));
    auto left = co_await parts_.channels.leave(std::move(actor), channel.channel);
    if (left) co_return Result<void>{};
    if (!is_final(left.error().code)) co_return fail(left);
    // Told once, also where others of its channels have it tried again.
    const bool is_new = delays_[account.id].staying.insert(channel.channel.str()).second;
    if (!is_new) co_return Result<void>{};
    protocol::log_warning(
        parts_.log, "channel_log", "a deleted account stays a member of a channel",
        {{"user", user.str()},
         {"channel", channel.channel.str()},
         {"why", has_successor ? left.error().hint : "its only owner, and nobody moderates it"}});
    co_return Result<void>{};
}

// The last owner has to name another before leaving: the first moderator. A mere member was never
// entrusted with anything, so where there is none nobody is. False then.
asio::awaitable<Result<bool>> Departures::name_owner(UserId user, Millis since, ChannelId channel)
{
    std::string after, moderator;
    for (;;) {
        auto page = co_await parts_.channels.members(user, channel, after, members_a_page);
        if (!page) co_return fail(page);
        for (const auto& member : *page) {
            if (member.invited || member.user == user.str()) continue;
            if (member.role == protocol::Role::owner) co_return true;
            if (member.role == protocol::Role::moderator && moderator.empty())
                moderator = member.user;
        }
        if (page->size() < members_a_page) break;
        after = page->back().user;
    }
    if (moderator.empty()) co_return false;
    auto actor = acting_for(user, txn_of(user, channel, "owner", since));
    auto change = changes::set_role(UserId::trusted(moderator), "owner");
    auto named = co_await parts_.channels.change(std::move(actor), channel, std::move(change));
    if (!named && !is_final(named.error().code)) co_return fail(named);
    co_return named.has_value();
}

}  // namespace entente::federation
