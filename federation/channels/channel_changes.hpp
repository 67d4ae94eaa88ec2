// What a user may ask of a channel, as the event that says so: its type, its content's
// members and its target. Knows the forms of section 8, not who may do what.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "federation/channels.hpp"

namespace entente::federation::changes {

[[nodiscard]] ChannelChange invite(const UserId& user);
[[nodiscard]] ChannelChange join();
[[nodiscard]] ChannelChange leave();
// An empty reason is left out.
[[nodiscard]] ChannelChange kick(const UserId& user, const std::string& reason);
[[nodiscard]] ChannelChange ban(const UserId& user, const std::string& reason);
[[nodiscard]] ChannelChange unban(const UserId& user, const std::string& reason);
[[nodiscard]] ChannelChange set_role(const UserId& user, const std::string& role);

// New values of what a channel says of itself; what is absent stays.
struct ChannelPatch {
    std::optional<std::string> name, topic, avatar, history, retention, encryption;
    std::optional<bool> is_public;
};
[[nodiscard]] ChannelChange update(const ChannelPatch& patch);
[[nodiscard]] ChannelChange set_successors(const std::vector<std::string>& servers);

// `content` is a JSON object without salt.
[[nodiscard]] ChannelChange post(std::string content);
[[nodiscard]] ChannelChange edit(const Hash& target, std::string content);
[[nodiscard]] ChannelChange erase(const Hash& target, const std::string& reason);
[[nodiscard]] ChannelChange react(const Hash& target, const std::string& key);

}  // namespace entente::federation::changes
