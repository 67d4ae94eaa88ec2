// Membership as a fold of the log (section 8): every server computes the same state
// from the same entries. Pure; used by home (which refuses) and follower (which
// marks) alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/event.hpp"

namespace entente::protocol {

enum class Role : std::uint8_t { member, moderator, owner };
[[nodiscard]] std::string_view to_text(Role role);
[[nodiscard]] std::optional<Role> role_from(std::string_view text);

inline constexpr std::size_t max_state_octets = 4'194'304;

struct ChannelState;

// What the fold would otherwise count anew for every entry, kept beside the state: the
// length of its JSON, its owners, its members by server. Says nothing that the state
// doesn't, so two of them always compare equal. Built by the first apply_event (or by
// parse_state) and kept by each following one; who changes a state's lists by hand
// afterwards calls forget().
class StateIndex {
 public:
    void forget() { built_ = false; }
    // Whether it was built, and still counts as many users as the state has.
    [[nodiscard]] bool fits(const ChannelState& state) const;
    void build(const ChannelState& state);

    [[nodiscard]] std::size_t octets() const { return octets_; }  // of state_json
    [[nodiscard]] std::size_t owners() const { return owners_; }
    [[nodiscard]] const std::map<std::string, std::size_t, std::less<>>& servers() const
    {
        return servers_;
    }
    friend bool operator==(const StateIndex&, const StateIndex&) { return true; }

 private:
    friend class StateChanger;
    bool built_ = false;
    std::size_t octets_ = 0;
    std::size_t owners_ = 0;
    std::size_t members_ = 0, invited_ = 0, banned_ = 0;       // as many as were counted
    std::map<std::string, std::size_t, std::less<>> servers_;  // members of each
};

struct ChannelState {
    std::string kind;  // "group" or "dm"; empty before channel.create
    std::string name, topic, avatar;
    bool is_public = false;
    std::string history = "since-join";  // or "all"
    std::string retention = "keep";      // "days:N", "relay"
    std::string encryption = "none";
    std::vector<std::string> successors;
    std::string home;
    std::map<std::string, Role> members;
    std::set<std::string> invited;
    std::set<std::string> banned;
    StateIndex index;
    friend bool operator==(const ChannelState&, const ChannelState&) = default;

    [[nodiscard]] bool is_member(std::string_view user) const;
    [[nodiscard]] bool has_member_of(const ServerName& server) const;
    // [QRY-1] For whom the channel exists: servers with a member, invited ones, and anyone where
    // it is public.
    [[nodiscard]] bool may_be_known_to(const ServerName& server) const;
    [[nodiscard]] std::set<std::string> servers() const;  // of members, the home's included
};

// RFC 8785 form, lists sorted by octets but `successors`.
[[nodiscard]] std::string state_json(const ChannelState& state);
[[nodiscard]] Result<ChannelState> parse_state(std::string_view json, NameRules rules);
[[nodiscard]] Hash state_hash(std::string_view state_json);

// What the fold needs to know of an event that another one refers to.
struct TargetFacts {
    std::string type;
    std::string sender;
};

// What applying an event changes; a store persists just that.
struct StateChange {
    bool meta = false;               // any member of the state but the three lists
    std::vector<std::string> users;  // whose membership, invitation or ban changed
    bool first_of_server = false;    // a join that brought the sender's server in
    bool last_of_server = false;     // a leave, kick or ban that took `left_server` out
    std::string left_server;
};

// Whether `event` may be applied, and its effect. Leaves `state` untouched unless it
// succeeds. `forbidden`, `not_member`, `malformed` (content of a wrong type or value),
// `not_found` (a target that is not there), `channel_full`, `conflict` (a repeated
// join or leave: MEM-1 makes it a duplicate). Unknown types succeed without effect
// for a member [LOG-7]. `content` has passed check_content; of message.create, .edit and
// .react it is empty where it was erased, and of any message.* where it expired.
// O(log n) in the members, but for the first call on a state. `seq` and `epoch` are the
// entry's; `target` the facts of event.target where the channel holds it. That a channel.move
// changes `state.home` ends the epoch; whether its consent's signature holds has been seen to
// before [SUC-2].
//
// `permit` is asked last, of an event that the table lets pass: what it refuses has no effect.
using Permit = std::function<Result<void>()>;
[[nodiscard]] Result<StateChange> apply_event(ChannelState& state, const Event& event,
                                              std::string_view content, std::int64_t seq,
                                              std::int64_t epoch,
                                              const std::optional<TargetFacts>& target,
                                              NameRules rules, const Permit& permit = {});

}  // namespace entente::protocol
