// The withdrawal of an invitation [INBOX-16]: told by the channel's home where a kick or a ban
// clears one of a user whose server reads no log of the channel.
#pragma once

#include <optional>
#include <string>

#include "federation/direct/direct.hpp"
#include "federation/identity.hpp"
#include "protocol/channel_state.hpp"
#include "protocol/event.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

// Whom the content of a member.invite, a kick or a ban names; nothing where it can't be read.
[[nodiscard]] std::optional<std::string> user_in(std::string_view content);

// Whose invitation `event` would clear if it is applied to `state`; nothing where it clears
// none.
[[nodiscard]] std::optional<std::string> clears_invitation(const protocol::ChannelState& state,
                                                           const protocol::Event& event,
                                                           std::string_view content);

// The direct event by which the home tells it.
[[nodiscard]] storage::DirectRow withdrawal(const Identity& identity,
                                            const protocol::ChannelId& channel,
                                            const std::string& invitee, Millis now,
                                            protocol::Random& random);

// The handler of `invite.withdraw`; `withdrawn` runs after the commit. An invitation that
// isn't there, or is another home's, stays as it is.
[[nodiscard]] DirectHandler withdrawal_handler(
    const Identity& identity, std::function<void(const protocol::UserId&)> withdrawn);

}  // namespace entente::federation
