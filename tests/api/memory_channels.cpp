#include "memory_channels.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "protocol/event.hpp"

namespace entente::api::testing {
namespace {

constexpr Millis at = 1'763'683'200'123;

std::string key_of(const Actor& actor)
{
    return actor.user.str() + " " + actor.txn.str();
}

ChannelId channel_number(int number)
{
    char text[64];
    std::snprintf(text, sizeof text, "0192f0c1-0000-7000-8000-%012d@a.test", number);
    return ChannelId::trusted(text);
}

}  // namespace

Result<MemoryChannels::Log*> MemoryChannels::open(const UserId& user, const ChannelId& channel)
{
    const auto found = logs.find(channel);
    if (found == logs.end() || !found->second.members.contains(user.str()))
        return fail(Code::not_found, "no such channel");
    return &found->second;
}

void MemoryChannels::commit(const ChannelId& channel, const std::string& sender,
                            const std::string& type, const std::vector<std::string>& contents)
{
    auto& log = logs.at(channel);
    auto fresh = std::make_shared<ClientEntries>();
    for (const auto& content : contents) {
        protocol::EventDraft draft;
        draft.type = type;
        draft.channel = channel;
        draft.sender = sender;
        draft.txn.octets[15] = static_cast<std::uint8_t>(++next_);
        draft.txn.octets[14] = static_cast<std::uint8_t>(next_ >> 8);
        draft.at = at;
        draft.content = content;
        ClientEntry entry;
        entry.seq = static_cast<std::int64_t>(log.entries.size()) + 1;
        entry.at = at;
        entry.event = protocol::write_event(draft);
        entry.event_id = protocol::event_id(entry.event);
        entry.content = content;
        events_.emplace(entry.event_id, std::pair{channel, entry.seq});
        log.entries.push_back(entry);
        fresh->push_back(std::move(entry));
    }
    for (auto* listener : listeners_) listener->entries_committed(channel, fresh);
}

Result<Posted> MemoryChannels::append(const Actor& actor, const ChannelId& channel,
                                      const std::string& type, const std::string& content)
{
    if (refusal) return tl::unexpected(*refusal);
    const auto repeated = by_txn.find(key_of(actor));
    if (repeated != by_txn.end()) return repeated->second;
    commit(channel, actor.user.str(), type, {content});
    const auto& entry = logs.at(channel).entries.back();
    const Posted posted{entry.event_id, DeliveryState::accepted, entry.seq, {}};
    by_txn.emplace(key_of(actor), posted);
    return posted;
}

asio::awaitable<Result<ChannelId>> MemoryChannels::create(Actor actor, NewChannel channel)
{
    const auto found = created_.find(key_of(actor));
    if (found != created_.end()) co_return found->second;
    const auto id = channel_number(++next_);
    created_.emplace(key_of(actor), id);
    auto& log = logs[id];
    log.about = std::move(channel);
    log.members.insert(actor.user.str());
    commit(id, actor.user.str(), "channel.create", {R"({"salt":"AAAAAAAAAAAAAAAAAAAAAA"})"});
    for (auto* listener : listeners_) listener->membership_changed(actor.user);
    co_return id;
}

asio::awaitable<Result<Posted>> MemoryChannels::invite(Actor actor, ChannelId channel,
                                                       UserId invitee)
{
    auto log = open(actor.user, channel);
    if (!log) co_return fail(log);
    if ((*log)->members.contains(invitee.str())) co_return refuse(Code::conflict, "is a member");
    (*log)->invited.insert(invitee.str());
    auto posted = append(actor, channel, "member.invite", "{}");
    for (auto* listener : listeners_) listener->membership_changed(invitee);
    co_return posted;
}

asio::awaitable<Result<Posted>> MemoryChannels::join(Actor actor, ChannelId channel)
{
    const auto found = logs.find(channel);
    if (found == logs.end() || !found->second.invited.contains(actor.user.str()))
        co_return fail(Code::not_found, "no such channel");
    auto& log = found->second;
    log.visible_after[actor.user.str()] = static_cast<std::int64_t>(log.entries.size());
    log.members.insert(actor.user.str());
    log.invited.erase(actor.user.str());
    auto posted = append(actor, channel, "member.join", "{}");
    for (auto* listener : listeners_) listener->membership_changed(actor.user);
    co_return posted;
}

asio::awaitable<Result<Posted>> MemoryChannels::leave(Actor actor, ChannelId channel)
{
    auto log = open(actor.user, channel);
    if (!log) co_return fail(log);
    (*log)->members.erase(actor.user.str());
    auto posted = append(actor, channel, "member.leave", "{}");
    for (auto* listener : listeners_) listener->membership_changed(actor.user);
    co_return posted;
}

asio::awaitable<Result<Posted>> MemoryChannels::change(Actor actor, ChannelId channel,
                                                       ChannelChange change)
{
    auto log = open(actor.user, channel);
    if (!log) co_return fail(log);
    changes.push_back(change);
    co_return append(actor, channel, change.type, change.members);
}

asio::awaitable<Result<Moving>> MemoryChannels::move(Actor actor, ChannelId channel,
                                                     ServerName home)
{
    auto log = open(actor.user, channel);
    if (!log) co_return fail(log);
    auto& moving = moves[channel];
    moving.home = std::move(home);
    co_return moving;
}

asio::awaitable<Result<Moving>> MemoryChannels::moving(UserId user, ChannelId channel)
{
    auto log = open(user, channel);
    if (!log) co_return fail(log);
    const auto found = moves.find(channel);
    if (found == moves.end()) co_return refuse(Code::not_found, "nobody has asked for a move");
    co_return found->second;
}

asio::awaitable<Result<std::optional<DirectChannel>>> MemoryChannels::find_direct(UserId user,
                                                                                  UserId peer)
{
    const auto found = direct.find({user.str(), peer.str()});
    if (found == direct.end()) co_return std::optional<DirectChannel>{};
    co_return std::optional<DirectChannel>{found->second};
}

asio::awaitable<Result<DirectChannel>> MemoryChannels::make_direct(Actor actor, UserId peer,
                                                                   NewChannel about)
{
    auto made = co_await create(actor, std::move(about));
    if (!made) co_return fail(made);
    const DirectChannel found{*made, true};
    direct[{actor.user.str(), peer.str()}] = found;
    direct[{peer.str(), actor.user.str()}] = {*made, false};
    logs.at(*made).invited.insert(peer.str());
    co_return found;
}

asio::awaitable<Result<Posted>> MemoryChannels::post(Actor actor, ChannelId channel,
                                                     std::string content)
{
    auto log = open(actor.user, channel);
    if (!log) co_return fail(log);
    co_return append(actor, channel, "message.create", content);
}

asio::awaitable<std::vector<Result<Posted>>> MemoryChannels::post_all(std::vector<Post> posts)
{
    std::vector<Result<Posted>> results;
    for (auto& one : posts) {
        posters.push_back(one.actor.person);
        auto posted = co_await post(one.actor, one.channel, one.content);
        results.push_back(std::move(posted));
    }
    co_return results;
}

asio::awaitable<Result<std::vector<ChannelSummary>>> MemoryChannels::list(UserId user)
{
    std::vector<ChannelSummary> found;
    for (const auto& [id, log] : logs) {
        if (!log.members.contains(user.str())) continue;
        auto summary = co_await get(user, id);
        found.push_back(std::move(*summary));
    }
    co_return found;
}

asio::awaitable<Result<ChannelSummary>> MemoryChannels::get(UserId user, ChannelId channel)
{
    auto log = open(user, channel);
    if (!log) co_return fail(log);
    ChannelSummary summary;
    summary.channel = channel;
    summary.home = protocol::creator_of(channel);
    summary.kind = (*log)->about.kind;
    summary.name = (*log)->about.name;
    summary.history = (*log)->about.history;
    summary.retention = (*log)->about.retention;
    summary.encryption = (*log)->about.encryption;
    summary.is_public = (*log)->about.is_public;
    summary.latest = static_cast<std::int64_t>((*log)->entries.size());
    summary.visible_after = (*log)->visible_after[user.str()];
    summary.stalled = stalled;
    summary.member_count = static_cast<std::int64_t>((*log)->members.size());
    co_return summary;
}

asio::awaitable<Result<std::vector<ChannelMember>>> MemoryChannels::members(UserId user,
                                                                            ChannelId channel,
                                                                            std::string after,
                                                                            std::size_t limit)
{
    auto log = open(user, channel);
    if (!log) co_return fail(log);
    std::vector<ChannelMember> page;
    for (const auto& member : (*log)->members)
        if (member > after && page.size() < limit)
            page.push_back({member, protocol::Role::member, false});
    co_return page;
}

asio::awaitable<Result<std::vector<Invitation>>> MemoryChannels::invitations(UserId user)
{
    std::vector<Invitation> found;
    for (const auto& [id, log] : logs) {
        if (!log.invited.contains(user.str())) continue;
        Invitation invitation;
        invitation.channel = id;
        invitation.home = protocol::creator_of(id);
        invitation.from = *log.members.begin();
        invitation.name = log.about.name;
        invitation.kind = log.about.kind;
        invitation.at = at;
        found.push_back(std::move(invitation));
    }
    co_return found;
}

asio::awaitable<Result<ClientEntries>> MemoryChannels::page_after(UserId user, ChannelId channel,
                                                                  std::int64_t after, PageSize size)
{
    auto log = open(user, channel);
    if (!log) co_return fail(log);
    after = std::max(after, (*log)->visible_after[user.str()]);
    ClientEntries page;
    std::size_t octets = 0;
    for (const auto& entry : (*log)->entries) {
        if (entry.seq <= after) continue;
        if (page.size() == size.entries || octets > size.octets) break;
        page.push_back(entry);
        octets += entry.event.size() + entry.content->size();
    }
    // What was read is settled; what happens from here on the reader must notice itself.
    if (while_reading) std::exchange(while_reading, nullptr)();
    auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
    co_return page;
}

asio::awaitable<Result<ClientEntries>> MemoryChannels::page_before(UserId user, ChannelId channel,
                                                                   std::int64_t before,
                                                                   PageSize size)
{
    auto log = open(user, channel);
    if (!log) co_return fail(log);
    const auto floor = (*log)->visible_after[user.str()];
    ClientEntries page;
    for (const auto& entry : (*log)->entries)
        if (entry.seq < before && entry.seq > floor) page.push_back(entry);
    if (page.size() > size.entries)
        page.erase(page.begin(), page.end() - static_cast<std::ptrdiff_t>(size.entries));
    co_return page;
}

asio::awaitable<Result<Delivery>> MemoryChannels::delivery(UserId user, Hash event_id)
{
    const auto found = events_.find(event_id);
    if (found == events_.end()) co_return fail(Code::not_found, "no such event");
    auto log = open(user, found->second.first);
    if (!log) co_return fail(log);
    Delivery delivery;
    delivery.channel = found->second.first;
    delivery.event_id = event_id;
    delivery.state = DeliveryState::accepted;
    delivery.seq = found->second.second;
    delivery.servers = {{"b.test", false}, {"c.test", true}};
    co_return delivery;
}

asio::awaitable<Result<std::vector<Delivery>>> MemoryChannels::overdue(UserId user)
{
    auto found = late[user.str()];
    if (while_reading_overdue) std::exchange(while_reading_overdue, nullptr)();
    auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
    co_return found;
}

}  // namespace entente::api::testing
