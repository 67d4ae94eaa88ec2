#include "federation/people/user_cache.hpp"

#include <iterator>

namespace entente::federation {

namespace {

constexpr std::size_t overhead_octets = 256;  // of a user, and of each device

std::size_t octets_of(const protocol::ShownUser& user)
{
    auto octets = overhead_octets + user.name.size() + user.avatar.size();
    for (const auto& device : user.devices)
        octets += overhead_octets + device.key.size() + device.keys.size();
    return octets;
}

}  // namespace

void UserCache::drop(Order::iterator kept)
{
    octets_ -= kept->octets;
    index_.erase(kept->user.user);
    order_.erase(kept);
}

std::optional<protocol::ShownUser> UserCache::find(const protocol::UserId& user,
                                                   protocol::Millis now)
{
    const auto found = index_.find(user);
    if (found == index_.end()) return std::nullopt;
    if (found->second->until <= now) {
        drop(found->second);
        return std::nullopt;
    }
    order_.splice(order_.begin(), order_, found->second);
    return found->second->user;
}

void UserCache::keep(const protocol::ShownUser& user, std::uint64_t asked, protocol::Millis now)
{
    // Whose change it was isn't remembered: a few answers too many are asked for again.
    if (asked != changes_) return;
    if (const auto found = index_.find(user.user); found != index_.end()) drop(found->second);
    Kept kept{user, now + limits_.life_ms, octets_of(user)};
    if (kept.octets > limits_.octets) return;
    octets_ += kept.octets;
    order_.push_front(std::move(kept));
    index_.emplace(user.user, order_.begin());
    while (order_.size() > limits_.users || octets_ > limits_.octets) drop(std::prev(order_.end()));
}

void UserCache::forget(const protocol::UserId& user)
{
    ++changes_;
    if (const auto found = index_.find(user); found != index_.end()) drop(found->second);
}

}  // namespace entente::federation
