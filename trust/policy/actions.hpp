// What can be asked about ("may S do A to R?"): actions, the enforcement points at which they
// are decided, the effects that each point can carry out, and the attributes that it knows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trust/policy/attributes.hpp"

namespace entente::trust::policy {

enum class EffectKind : std::uint8_t { allow, deny, limit, hold, tag, notify, log };
[[nodiscard]] std::string_view to_text(EffectKind kind);
[[nodiscard]] std::optional<EffectKind> effect_from(std::string_view name);

// A set of effects, one bit each.
using Effects = std::uint8_t;
[[nodiscard]] constexpr Effects bit(EffectKind kind)
{
    return static_cast<Effects>(1U << static_cast<unsigned>(kind));
}

// Where a decision is carried out.
enum class Point : std::uint8_t {
    request,         // a proven request of another server, before its body is looked into
    slice,           // entries of a log that is homed elsewhere
    query,           // what is told or handed out to who asks
    direct,          // messages to devices
    invitation,      // invitations of our users into channels elsewhere
    signal,          // typing, presence, read marks
    media,           // files of other servers that are fetched
    channel,         // an event for a channel homed here, or of an own user
    join,            // the same, for who comes in
    registration,    // new accounts
    service,         // what own users do beside channels
    administration,  // accounts, settings, trust, policies
};
inline constexpr std::size_t point_count = 12;

struct PointRow {
    std::string_view name;
    Effects allows = 0;
    // What follows from the order of a log can't be refused here [LOG-1]: such a point always
    // permits, whether a rule allows it or not.
    bool can_refuse = true;
    std::string_view approver;  // whom it can be held for: "user", "moderator"
    std::string_view meaning;
};
[[nodiscard]] const PointRow& row_of(Point point);

enum class Action : std::uint8_t {
    request_make,
    slice_take,
    directory_search,
    directory_look_up,
    key_claim,
    device_send,
    invitation_receive,
    signal_typing,
    signal_read,
    signal_presence,
    media_ask,
    media_show,
    media_prefetch,
    channel_create,
    channel_update,
    channel_successors,
    channel_move,
    member_invite,
    member_join,
    member_leave,
    member_kick,
    member_ban,
    member_unban,
    member_role,
    message_create,
    message_edit,
    message_delete,
    message_react,
    key_share,
    event_other,
    alias_set,
    alias_drop,
    account_register,
    report_make,
    media_upload,
    code_create,
    report_list,
    report_close,
    account_suspend,
    account_ban,
    account_delete,
    account_role,
    peer_read,
    peer_change,
    user_read,
    settings_read,
    settings_change,
    audit_read,
    policy_read,
    policy_change,
};
inline constexpr std::size_t action_count = 50;

struct ActionRow {
    std::string_view name;  // "message.create"
    Point point = Point::administration;
    Attributes knows = 0;  // what its point fills in, where there is such a thing
    std::string_view meaning;
};
[[nodiscard]] const ActionRow& row_of(Action action);
[[nodiscard]] std::optional<Action> action_from(std::string_view name);
[[nodiscard]] std::string_view nearest_action(std::string_view unknown);
// The action of an event of a channel's log; event_other for unknown types [LOG-7].
[[nodiscard]] Action action_of_event(std::string_view type);

// Whether anything asks about it in this version of the program: a rule about what isn't asked has
// no effect yet, and who writes one is told.
[[nodiscard]] bool is_asked(Action action);

// A name, "message.*" or "*".
[[nodiscard]] bool matches(std::string_view pattern, Action action);

}  // namespace entente::trust::policy
