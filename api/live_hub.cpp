#include "api/live_hub.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "api/people_wire.hpp"
#include "api/wire.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"

namespace entente::api {
namespace {

// Beyond it each follower reads at its own pace.
constexpr std::size_t max_pushed_octets = max_queue_octets / 2;

// Whether who may read the channel can change within: then each follower asks the store,
// which knows. A type may be written with escapes, so any escape counts as well.
bool may_change_members(const federation::ClientEntry& entry)
{
    return entry.event.find("member.") != std::string::npos ||
           entry.event.find('\\') != std::string::npos;
}

LiveBatch batch_of(const protocol::ChannelId& channel, const federation::ClientEntries& entries)
{
    LiveBatch batch{entries.front().seq, entries.back().seq, false, nullptr};
    auto queued = std::make_shared<QueuedEntries>();
    queued->channel = channel;
    queued->first = batch.first;
    queued->last = batch.last;
    for (const auto& entry : entries) {
        if (may_change_members(entry) || queued->json.size() > max_pushed_octets) {
            batch.from_store = true;
            return batch;
        }
        append_item(queued->json, entry_json(channel, entry));
    }
    batch.entries = std::move(queued);
    return batch;
}

bool may_erase(const federation::ClientEntries& entries)
{
    return std::any_of(entries.begin(), entries.end(), [](const federation::ClientEntry& entry) {
        return entry.event.find("message.delete") != std::string::npos ||
               entry.event.find('\\') != std::string::npos;
    });
}

template <class Index, class Key>
void erase_from(Index& index, const Key& key, Follower* follower)
{
    const auto found = index.find(key);
    if (found == index.end()) return;
    found->second.erase(follower);
    if (found->second.empty()) index.erase(found);
}

// A copy: what a follower does may take it out of the index.
template <class Index, class Key>
std::vector<Follower*> those_of(const Index& index, const Key& key)
{
    const auto found = index.find(key);
    if (found == index.end()) return {};
    return {found->second.begin(), found->second.end()};
}

}  // namespace

std::shared_ptr<Follower> LiveHub::connect(Caller caller, asio::any_io_executor io)
{
    Follower::Index index{[this](Follower& follower, const protocol::ChannelId& channel) {
                              return add(follower, channel);
                          },
                          [this](Follower& follower, const protocol::ChannelId& channel) {
                              erase_from(by_channel_, channel, &follower);
                              const auto count = followed_by_.find(follower.caller().user);
                              if (--count->second == 0) followed_by_.erase(count);
                          }};
    std::shared_ptr<Follower> follower{
        new Follower{std::move(caller), channels_, people_, std::move(io), std::move(index), room_},
        [this](Follower* gone) {
            disconnect(gone);
            delete gone;
        }};
    by_user_[follower->caller().user].insert(follower.get());
    by_session_[follower->caller().session].insert(follower.get());
    ++followers_;
    return follower;
}

bool LiveHub::add(Follower& follower, const protocol::ChannelId& channel)
{
    auto& count = followed_by_[follower.caller().user];
    if (count >= max_followed_by_user) return false;
    ++count;
    by_channel_[channel].insert(&follower);
    return true;
}

void LiveHub::disconnect(Follower* follower)
{
    erase_from(by_user_, follower->caller().user, follower);
    erase_from(by_session_, follower->caller().session, follower);
    --followers_;
}

void LiveHub::end_session(const protocol::Uuid& session)
{
    for (auto* follower : those_of(by_session_, session)) follower->end();
}

void LiveHub::entries_committed(const protocol::ChannelId& channel,
                                const std::shared_ptr<const federation::ClientEntries>& entries)
{
    const auto followers = those_of(by_channel_, channel);
    if (followers.empty() || !entries || entries->empty()) return;
    const auto batch = batch_of(channel, *entries);
    const bool takes_back = may_erase(*entries);
    for (auto* follower : followers) {
        if (takes_back) follower->take_back(channel);
        follower->entries(channel, batch);
    }
}

void LiveHub::delivery_changed(const protocol::ChannelId& channel, const protocol::UserId& author,
                               const federation::Posted& posted)
{
    const auto followers = those_of(by_user_, author);
    if (followers.empty()) return;
    const auto state = moved_json(channel, posted);
    for (auto* follower : followers) follower->moved(posted.event_id, state);
}

void LiveHub::delivered_to(const protocol::ChannelId& channel, const protocol::ServerName& server,
                           std::int64_t seq)
{
    for (auto* follower : those_of(by_channel_, channel)) follower->delivered(channel, server, seq);
}

void LiveHub::membership_changed(const protocol::UserId& user)
{
    for (auto* follower : those_of(by_user_, user)) follower->membership_changed();
}

void LiveHub::channel_frozen(const protocol::ChannelId& channel, bool frozen)
{
    const auto followers = those_of(by_channel_, channel);
    if (followers.empty()) return;
    const auto state = frozen_json(channel, frozen);
    for (auto* follower : followers) follower->state(state);
}

std::vector<Follower*> LiveHub::those_on(const protocol::UserId& user,
                                         const protocol::Uuid& device) const
{
    auto followers = those_of(by_user_, user);
    std::erase_if(followers,
                  [&](Follower* follower) { return follower->caller().device != device; });
    return followers;
}

void LiveHub::keys_low(const federation::LowKeys& low)
{
    for (auto* follower : those_on(low.user, low.device))
        follower->answer(low_keys_frame({{low.kind, low.left, false}}));
}

void LiveHub::mail_came(const protocol::UserId& user, const protocol::Uuid& device)
{
    for (auto* follower : those_on(user, device)) follower->mail_came();
}

void LiveHub::user_changed(const protocol::UserId& user,
                           const std::vector<protocol::UserId>& audience)
{
    const auto frame = R"({"changed":{"user":)" + protocol::json_string(user.str()) + "}}";
    for (const auto& who : audience)
        for (auto* follower : those_of(by_user_, who)) follower->answer(frame);
}

// What one does oneself is no news to one's devices, but for how far one has read.
void LiveHub::signalled(const protocol::LiveSignal& signal)
{
    const auto followers = those_of(by_channel_, signal.channel);
    if (followers.empty()) return;
    const auto key = signal.key();
    const auto json = protocol::write_signal(signal);
    for (auto* follower : followers) {
        const bool is_own = follower->caller().user == signal.user;
        if (!is_own || signal.type == protocol::SignalType::read) follower->signal(key, json);
    }
}

void LiveHub::channel_stalled(const protocol::ChannelId& channel,
                              const std::optional<federation::Stalled>& stalled)
{
    const auto followers = those_of(by_channel_, channel);
    if (followers.empty()) return;
    const auto state = stalled_json(channel, stalled);
    for (auto* follower : followers) follower->state(state);
}

}  // namespace entente::api
