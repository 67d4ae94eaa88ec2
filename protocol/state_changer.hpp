// Applies one entry's effect to a channel's state, all or nothing, at a cost that
// doesn't grow with the members: measures first, then changes state and index together.
// Knows the limit on a state's size, not who may do what. For the .cpp files of this
// folder only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/channel_state.hpp"

namespace entente::protocol {

// What a user is to a channel; at most one of the three holds.
struct Standing {
    std::optional<Role> role;
    bool invited = false;
    bool banned = false;
    friend bool operator==(const Standing&, const Standing&) = default;
};

[[nodiscard]] Standing standing_of(const ChannelState& state, const std::string& user);

// New values of what a state says besides its users.
struct MetaPatch {
    std::optional<std::string> kind, name, topic, avatar, history, retention, encryption, home;
    std::optional<bool> is_public;
    std::optional<std::vector<std::string>> successors;
};

struct Effect {
    MetaPatch meta;
    std::string user;  // whose standing changes; empty: nobody's
    Standing standing;
};

class StateChanger {
 public:
    // `channel_full` where the state would grow beyond its limit [section 8].
    [[nodiscard]] static Result<StateChange> apply(ChannelState& state, const Effect& effect);
};

}  // namespace entente::protocol
