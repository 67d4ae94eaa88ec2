#include "protocol/state_changer.hpp"

#include <cstddef>

#include "protocol/state_values.hpp"

namespace entente::protocol {
namespace {

// Octets that the state's JSON gains or loses: signed, since one entry may do both.
using Delta = std::ptrdiff_t;

Delta length(std::size_t octets)
{
    return static_cast<Delta>(octets);
}

Delta text_delta(const std::string& before, const std::optional<std::string>& after)
{
    return after ? length(json_length(*after)) - length(json_length(before)) : 0;
}

Delta list_length(const std::vector<std::string>& list)
{
    Delta sum = list.empty() ? 0 : length(list.size()) - 1;
    for (const auto& text : list) sum += length(json_length(text));
    return sum;
}

Delta meta_delta(const ChannelState& state, const MetaPatch& patch)
{
    Delta delta =
        text_delta(state.kind, patch.kind) + text_delta(state.name, patch.name) +
        text_delta(state.topic, patch.topic) + text_delta(state.avatar, patch.avatar) +
        text_delta(state.history, patch.history) + text_delta(state.retention, patch.retention) +
        text_delta(state.encryption, patch.encryption) + text_delta(state.home, patch.home);
    if (patch.is_public && *patch.is_public != state.is_public) {
        delta += *patch.is_public ? -1 : 1;  // "true" is shorter
    }
    if (patch.successors) delta += list_length(*patch.successors) - list_length(state.successors);
    return delta;
}

// A user's items in the three lists, without the commas between them.
Delta member_octets(const std::string& user, const Standing& standing)
{
    Delta sum = 0;
    if (standing.role) sum += length(list_item_length(user, *standing.role));
    if (standing.invited) sum += length(list_item_length(user));
    if (standing.banned) sum += length(list_item_length(user));
    return sum;
}

// Of a list that holds `count` users before one is put in or taken out.
Delta comma_delta(std::size_t count, bool before, bool after)
{
    if (before == after) return 0;
    if (after) return count == 0 ? 0 : 1;
    return count == 1 ? 0 : -1;
}

Delta user_delta(const ChannelState& state, const std::string& user, const Standing& before,
                 const Standing& after)
{
    return member_octets(user, after) - member_octets(user, before) +
           comma_delta(state.members.size(), before.role.has_value(), after.role.has_value()) +
           comma_delta(state.invited.size(), before.invited, after.invited) +
           comma_delta(state.banned.size(), before.banned, after.banned);
}

template <class T>
bool replace(T& value, const std::optional<T>& after)
{
    if (!after || *after == value) return false;
    value = *after;
    return true;
}

bool replace_meta(ChannelState& state, const MetaPatch& patch)
{
    bool changed = replace(state.kind, patch.kind);
    changed |= replace(state.name, patch.name);
    changed |= replace(state.topic, patch.topic);
    changed |= replace(state.avatar, patch.avatar);
    changed |= replace(state.history, patch.history);
    changed |= replace(state.retention, patch.retention);
    changed |= replace(state.encryption, patch.encryption);
    changed |= replace(state.home, patch.home);
    changed |= replace(state.is_public, patch.is_public);
    changed |= replace(state.successors, patch.successors);
    return changed;
}

void put(std::set<std::string>& set, const std::string& user, bool in)
{
    if (in) {
        set.insert(user);
    } else {
        set.erase(user);
    }
}

}  // namespace

Standing standing_of(const ChannelState& state, const std::string& user)
{
    Standing standing;
    if (const auto found = state.members.find(user); found != state.members.end()) {
        standing.role = found->second;
    }
    standing.invited = state.invited.contains(user);
    standing.banned = state.banned.contains(user);
    return standing;
}

Result<StateChange> StateChanger::apply(ChannelState& state, const Effect& effect)
{
    auto& index = state.index;
    if (!index.fits(state)) index.build(state);

    const auto& user = effect.user;
    const auto before = user.empty() ? Standing{} : standing_of(state, user);
    const auto& after = user.empty() ? before : effect.standing;
    const auto delta = meta_delta(state, effect.meta) + user_delta(state, user, before, after);
    const auto octets = static_cast<std::size_t>(length(index.octets_) + delta);
    if (delta > 0 && octets > max_state_octets) {
        return refuse(Code::channel_full, "the channel's state would be over 4 MiB");
    }

    StateChange change;
    change.meta = replace_meta(state, effect.meta);
    index.octets_ = octets;
    if (before == after) return change;

    change.users.push_back(user);
    if (after.role) {
        state.members[user] = *after.role;
    } else {
        state.members.erase(user);
    }
    put(state.invited, user, after.invited);
    put(state.banned, user, after.banned);
    index.members_ = state.members.size();
    index.invited_ = state.invited.size();
    index.banned_ = state.banned.size();
    if (before.role == Role::owner) --index.owners_;
    if (after.role == Role::owner) ++index.owners_;

    const std::string server(server_part(user));
    if (after.role && !before.role) {
        change.first_of_server = ++index.servers_[server] == 1;
    } else if (before.role && !after.role) {
        if (--index.servers_[server] == 0) {
            index.servers_.erase(server);
            change.last_of_server = true;
            change.left_server = server;
        }
    }
    return change;
}

}  // namespace entente::protocol
