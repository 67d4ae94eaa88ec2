// Asks policies about an event of a channel, or about what another server wants: tells them what is
// known of who acts, of the channel and of who is acted on. What the table of section 8 demands is
// the fold's; a policy can ask for more.
#pragma once

#include <optional>
#include <string_view>

#include "federation/channels.hpp"
#include "protocol/channel_state.hpp"
#include "protocol/event.hpp"
#include "trust/policy/enforcer.hpp"
#include "trust/tier.hpp"

namespace entente::federation {

struct EventQuestion {
    const protocol::Event& event;
    std::string_view content;
    const ChannelId& channel;
    const ServerName& home;
    // Nothing where the channel isn't held here.
    const protocol::ChannelState* state = nullptr;
    // Of the event that is meant, where it is of this kind and was found.
    const protocol::TargetFacts* target = nullptr;
    // The sender: an own user, or somebody of a server of this tier.
    const Person* person = nullptr;
    trust::Tier tier = trust::Tier::guest;
    bool is_invited = false;  // beside what the state says
    trust::policy::Unallowed unallowed = trust::policy::Unallowed::is_denied;
};

// As Enforcer::decide. For any thread.
[[nodiscard]] Result<trust::policy::Ruling> ask_policies(trust::policy::Enforcer& policies,
                                                         const EventQuestion& question);

// What is known of an own user himself; the texts are views.
void describe(trust::policy::Request& request, std::string_view user, const Person& person,
              Millis now);

// A server of that tier, or a user of one.
void describe_stranger(trust::policy::Request& request, trust::policy::SubjectKind kind,
                       std::string_view id, trust::Tier tier);
void name_channel(trust::policy::Request& request, const ChannelId& channel,
                  const ServerName& home);
// The channel, and `user` in it; invited also by what another says.
void describe_state(trust::policy::Request& request, const protocol::ChannelState& state,
                    const std::string& user, bool is_invited);
// Any one of them; nothing where there is none.
[[nodiscard]] const std::string* owner_of(const protocol::ChannelState& state);

// What another server asks for.
struct ServerQuestion {
    trust::policy::Action action;
    const ServerName& server;
    trust::Tier tier = trust::Tier::guest;
    const ServerName& self;
    trust::policy::ResourceKind kind = trust::policy::ResourceKind::server;
    std::string_view resource = {};
    std::string_view network = {};
    std::optional<std::size_t> octets = {};
    std::optional<bool> is_acquainted = {};
    std::string_view user = {};     // of that server, who asks by it; empty: itself
    std::string_view channel = {};  // where it is about one; else empty
};
// `forbidden`, `rate_limited`; without any policies nothing is refused.
[[nodiscard]] Result<void> ask_policies(trust::policy::Enforcer* policies,
                                        const ServerQuestion& question);

// What a user does in a channel besides events.
struct ChannelQuestion {
    trust::policy::Action action;
    const UserId& user;
    trust::Tier tier = trust::Tier::guest;  // of his server
    const ChannelId& channel;
    const ServerName& home;
    const protocol::ChannelState& state;
    const Person* person = nullptr;  // of an own user
};
[[nodiscard]] Result<void> ask_policies(trust::policy::Enforcer* policies,
                                        const ChannelQuestion& question);

}  // namespace entente::federation
