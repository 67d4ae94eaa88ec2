#include "federation/log/long_waits.hpp"

#include <map>

#include "protocol/problem.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

using storage::LiveChannel;
using storage::Stall;
using storage::WriteTransaction;

}  // namespace

std::optional<Stalled> shown(const std::optional<Stall>& stall)
{
    if (!stall || !stall->told) return std::nullopt;
    const auto code = protocol::code_from_name(stall->problem).value_or(Code::malformed);
    return Stalled{stall->since, Error{code, "the log of the channel's home is refused", {}, 0}};
}

Result<void> LongWaits::refused(WriteTransaction& transaction, LiveChannel& channel,
                                const Error& problem)
{
    const auto now = parts_.clock.now_ms();
    const std::string code{protocol::code_name(problem.code)};
    auto stall = channel.stall.value_or(Stall{now, {}, false});
    const bool is_due = !stall.told && stall.since <= now - refused_notice_ms;
    if (stall.problem == code && !is_due) return {};
    stall.problem = code;
    stall.told |= is_due;
    if (is_due) tell_stall(transaction, channel, stall);
    return parts_.store.set_stall(transaction.db(), channel, std::move(stall));
}

Result<void> LongWaits::over(WriteTransaction& transaction, LiveChannel& channel)
{
    if (!channel.stall) return {};
    if (channel.stall->told) {
        transaction.after_commit([this, name = channel.name, frozen = channel.frozen] {
            if (!frozen)
                protocol::log_info(parts_.log, "channel_log",
                                   "slices of a channel that stood still are taken again",
                                   {{"channel", name.str()}});
            parts_.notices.tell(
                [&](CommitListener& listener) { listener.channel_stalled(name, std::nullopt); });
        });
    }
    return parts_.store.set_stall(transaction.db(), channel, std::nullopt);
}

void LongWaits::tell_stall(WriteTransaction& transaction, const LiveChannel& channel,
                           const Stall& stall)
{
    transaction.after_commit([this, name = channel.name, home = channel.home, stall] {
        protocol::log_error(parts_.log, "channel_log",
                            "for a day every slice of a channel has been refused and its members "
                            "here see nothing new; show this to the administrator of its home, "
                            "whose own log says more",
                            {{"channel", name.str()},
                             {"home", home.str()},
                             {"problem", stall.problem},
                             {"since_ms", stall.since}});
        const auto what = shown(stall);
        parts_.notices.tell(
            [&](CommitListener& listener) { listener.channel_stalled(name, what); });
    });
}

asio::awaitable<Result<void>> LongWaits::tell()
{
    auto stalls = [this](WriteTransaction& transaction) { return tell_stalls(transaction); };
    auto told = co_await parts_.commits.write(std::move(stalls));
    if (!told) co_return fail(told);
    auto overdue = [this](WriteTransaction& transaction) { return tell_overdue(transaction); };
    auto done = co_await parts_.commits.write(std::move(overdue));
    co_return done;
}

Result<void> LongWaits::tell_stalls(WriteTransaction& transaction)
{
    auto& db = transaction.db();
    auto names =
        storage::untold_stalls(db, parts_.clock.now_ms() - refused_notice_ms, max_stalls_per_round);
    if (!names) return fail(names);
    std::vector<LiveChannel*> channels;
    for (const auto& name : *names) {
        auto found = parts_.store.find(db, name);
        if (!found) return fail(found);
        channels.push_back(*found);
    }
    for (auto* channel : channels) {
        if (!channel->stall) continue;
        auto stall = *channel->stall;
        stall.told = true;
        tell_stall(transaction, *channel, stall);
        auto set = parts_.store.set_stall(db, *channel, std::move(stall));
        if (!set) return set;
    }
    return {};
}

Result<void> LongWaits::tell_overdue(WriteTransaction& transaction)
{
    auto rows = storage::take_untold_overdue(
        transaction.db(), parts_.clock.now_ms() - unsent_notice_ms, max_overdue_per_round);
    if (!rows) return fail(rows);
    if (rows->empty()) return {};
    transaction.after_commit([this, rows = std::move(*rows)] {
        std::map<ServerName, std::size_t> waiting;
        for (const auto& row : rows) {
            ++waiting[row.home];
            Posted posted;
            posted.event_id = row.event_id;
            posted.overdue = true;
            const auto author = UserId::trusted(row.user);
            parts_.notices.tell([&](CommitListener& listener) {
                listener.delivery_changed(row.channel, author, posted);
            });
        }
        for (const auto& [peer, count] : waiting)
            protocol::log_info(parts_.log, "links",
                               "our users' events have waited a week for a peer; their authors "
                               "are told",
                               {{"peer", peer.str()}, {"events", count}});
    });
    return {};
}

}  // namespace entente::federation
