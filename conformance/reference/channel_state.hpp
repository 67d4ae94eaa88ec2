#pragma once

// What a log comes to: members and their roles, who is invited and banned, the channel's settings.
// Every server that follows the log computes the same [MEM-1, MEM-2].

#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/reference/events.hpp"
#include "conformance/reference/flags.hpp"

namespace entente::conformance::reference {

struct ChannelState {
    std::string kind = "group";
    std::string name;
    std::string topic;
    std::string avatar;
    bool is_public = false;
    std::string history = "since-join";
    std::string retention = "keep";
    std::string encryption = "none";
    std::vector<std::string> successors;
    std::string home;
    std::map<std::string, std::string> members;
    std::set<std::string> invited;
    std::set<std::string> banned;

    // In RFC 8785 form.
    [[nodiscard]] std::string written() const;
    [[nodiscard]] static ChannelState read(const std::string& written);

    [[nodiscard]] bool has_member_of(const std::string& server) const;
    [[nodiscard]] bool may_be_known_to(const std::string& server) const;
    // 0: no member, 1: member, 2: moderator, 3: owner; the home's bare name stands above all.
    [[nodiscard]] int rank_of(const std::string& user) const;
};

// What a log says of the event that another one refers to.
struct TargetFacts {
    bool is_there = false;
    bool is_deleted = false;
    bool is_message = false;
    std::string sender;
};

// Throws Refused where the table of membership.md doesn't allow it. `is_first`: it would be
// entry 1.
void check_allowed(const ChannelState& state, const ReadEvent& event, const TargetFacts& target,
                   bool is_first, const Flags& flags);

// What an event that is allowed makes of the state.
void fold(ChannelState& state, const ReadEvent& event);

}  // namespace entente::conformance::reference
