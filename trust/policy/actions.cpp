#include "trust/policy/actions.hpp"

#include <array>
#include <initializer_list>
#include <vector>

#include "protocol/nearest_name.hpp"

namespace entente::trust::policy {
namespace {

using A = Attribute;
using E = EffectKind;

template <class Set, class Item>
constexpr Set set_of(std::initializer_list<Item> items)
{
    Set set = 0;
    for (const auto item : items) set = static_cast<Set>(set | bit(item));
    return set;
}

constexpr auto may_decide = set_of<Effects>({E::allow, E::deny});
constexpr auto may_tell = set_of<Effects>({E::tag, E::notify, E::log});
constexpr auto may_limit = bit(E::limit);
constexpr auto may_hold = bit(E::hold);

// In the order of Point.
constexpr std::array<PointRow, point_count> point_rows{{
    {"request", may_decide | may_limit | may_tell, true, "", "a proven request of another server"},
    {"slice", may_limit | may_tell, false, "", "entries of a log that is homed elsewhere"},
    {"query", may_decide | may_limit | may_tell, true, "",
     "what is told or handed out to who asks"},
    {"direct", may_decide | may_limit | may_tell, true, "", "messages to devices"},
    {"invitation", may_decide | may_limit | may_hold | may_tell, true, "user",
     "invitations into channels elsewhere"},
    {"signal", may_decide | may_limit | bit(E::log), true, "", "typing, presence, read marks"},
    {"media", may_decide | may_limit | may_tell, true, "",
     "files of other servers that are fetched"},
    {"channel", may_decide | may_limit | may_tell, true, "", "an event of a channel"},
    {"join", may_decide | may_limit | may_hold | may_tell, true, "moderator", "a join"},
    {"registration", may_decide | may_limit | may_tell, true, "", "a new account"},
    {"service", may_decide | may_limit | may_tell, true, "", "what own users do beside channels"},
    {"administration", may_decide | may_tell, true, "", "accounts, settings, trust, policies"},
}};

constexpr auto knows_who = set_of<Attributes>(
    {A::subject_kind, A::subject_id, A::subject_server, A::subject_local, A::subject_tier,
     A::subject_role, A::subject_account_age, A::subject_device_verified, A::subject_group,
     A::resource_kind, A::resource_id, A::resource_server, A::context_time, A::context_hour,
     A::context_network});
constexpr auto knows_weight = set_of<Attributes>({A::context_size, A::context_rate});
// Inside of a channel; only there the narrower scopes exist.
constexpr auto knows_channel =
    knows_who | set_of<Attributes>({A::subject_channel_role, A::subject_invited, A::subject_banned,
                                    A::resource_owner, A::resource_public, A::resource_encryption,
                                    A::resource_history, A::context_event_type, A::context_rate,
                                    A::scope_category, A::scope_drawer, A::scope_channel});
constexpr auto knows_event = knows_channel | knows_weight;
constexpr auto knows_own = bit(A::resource_own);
constexpr auto knows_member =
    knows_event | knows_own |
    set_of<Attributes>({A::resource_channel_role, A::resource_invited, A::resource_banned});
constexpr auto knows_met = knows_who | knows_weight | bit(A::context_acquainted);
constexpr auto knows_account =
    knows_who | knows_own | set_of<Attributes>({A::resource_role, A::context_superadmins});

// In the order of Action.
constexpr std::array<ActionRow, action_count> action_rows{{
    {"request.make", Point::request, knows_who | knows_weight, "any signed request"},
    {"slice.take", Point::slice, knows_event, "a slice; its size in octets"},
    {"directory.search", Point::query, knows_who, "a page of public channels"},
    {"directory.look_up", Point::query, knows_who, "a channel by its alias, a user by the name"},
    {"key.claim", Point::query, knows_met, "a one-time key, in place of the fallback key"},
    {"device.send", Point::direct, knows_met, "a message to a device"},
    {"invitation.receive", Point::invitation, knows_met, "an invitation of an own user"},
    {"signal.typing", Point::signal, knows_channel, "that somebody types"},
    {"signal.read", Point::signal, knows_channel, "how far somebody has read"},
    {"signal.presence", Point::signal, knows_channel, "whether somebody is there"},
    {"media.ask", Point::media, knows_who | bit(A::context_rate),
     "a file that a user asks for; its server acts"},
    {"media.show", Point::media, knows_who | bit(A::context_rate), "a file that a user would see"},
    {"media.prefetch", Point::media, knows_who | knows_weight, "a file that nobody has looked at"},
    {"channel.create", Point::channel, knows_event, "a new channel"},
    {"channel.update", Point::channel, knows_event, "name, topic, avatar, rules of a channel"},
    {"channel.successors", Point::channel, knows_event, "who may take over as home"},
    {"channel.move", Point::channel, knows_event, "another home"},
    {"member.invite", Point::channel, knows_member, "an invitation into the channel"},
    {"member.join", Point::join, knows_event, "coming in"},
    {"member.leave", Point::channel, knows_event, "going away"},
    {"member.kick", Point::channel, knows_member, "taking out a member or an invitation"},
    {"member.ban", Point::channel, knows_member, "keeping somebody out"},
    {"member.unban", Point::channel, knows_member, "no longer keeping somebody out"},
    {"member.role", Point::channel, knows_member | bit(A::resource_new_channel_role),
     "another role of a member"},
    {"message.create", Point::channel, knows_event, "a message"},
    {"message.edit", Point::channel, knows_event | knows_own, "other words for a message"},
    {"message.delete", Point::channel, knows_event | knows_own,
     "erasing a message, edit or reaction"},
    {"message.react", Point::channel, knows_event, "a reaction"},
    {"key.share", Point::channel, knows_event, "keys of an encrypted channel for its members"},
    {"event.other", Point::channel, knows_event, "an event of an unknown type"},
    {"alias.set", Point::channel, knows_channel, "a name for a channel homed here"},
    {"alias.drop", Point::channel, knows_channel, "taking such a name away"},
    {"account.register", Point::registration, knows_who | bit(A::context_rate), "a new account"},
    {"report.make", Point::service, knows_who | knows_weight, "telling moderators of somebody"},
    {"media.upload", Point::service, knows_who | knows_weight, "a file of an own user"},
    {"code.create", Point::administration, knows_who, "a registration code"},
    {"report.list", Point::administration, knows_who, "reading reports"},
    {"report.close", Point::administration, knows_who, "being done with a report"},
    {"account.suspend", Point::administration, knows_account, "a pause for an account"},
    {"account.ban", Point::administration, knows_account, "the end of an account's use"},
    {"account.delete", Point::administration, knows_account, "the end of an account"},
    {"account.role", Point::administration, knows_account | bit(A::resource_new_role),
     "another role at this server"},
    {"peer.read", Point::administration, knows_who, "seeing tiers, falls, lists and peerings"},
    {"peer.change", Point::administration, knows_who, "tiers, lists, peerings"},
    {"user.read", Point::administration, knows_who, "seeing accounts and their state"},
    {"settings.read", Point::administration, knows_who, "seeing settings of the server"},
    {"settings.change", Point::administration, knows_who, "settings of the server"},
    {"audit.read", Point::administration, knows_who, "reading what administrators did"},
    {"policy.read", Point::administration, knows_who, "reading policies"},
    {"policy.change", Point::administration, knows_who, "a new version of a policy"},
}};

constexpr std::array<std::string_view, 7> effect_names{"allow", "deny",   "limit", "hold",
                                                       "tag",   "notify", "log"};

}  // namespace

std::string_view to_text(EffectKind kind)
{
    return effect_names.at(static_cast<std::size_t>(kind));
}

std::optional<EffectKind> effect_from(std::string_view name)
{
    for (std::size_t at = 0; at < effect_names.size(); ++at) {
        if (effect_names.at(at) == name) return static_cast<EffectKind>(at);
    }
    return std::nullopt;
}

const PointRow& row_of(Point point)
{
    return point_rows.at(static_cast<std::size_t>(point));
}

const ActionRow& row_of(Action action)
{
    return action_rows.at(static_cast<std::size_t>(action));
}

std::optional<Action> action_from(std::string_view name)
{
    for (std::size_t at = 0; at < action_rows.size(); ++at) {
        if (action_rows.at(at).name == name) return static_cast<Action>(at);
    }
    return std::nullopt;
}

std::string_view nearest_action(std::string_view unknown)
{
    std::vector<std::string_view> names;
    for (const auto& row : action_rows) names.push_back(row.name);
    return protocol::nearest_name(unknown, names).value_or(std::string_view{});
}

Action action_of_event(std::string_view type)
{
    const auto action = action_from(type);
    if (!action) return Action::event_other;
    const bool is_event = *action >= Action::channel_create && *action <= Action::key_share;
    return is_event ? *action : Action::event_other;
}

bool is_asked(Action action)
{
    switch (action) {
        case Action::media_prefetch: return false;
        default: return true;
    }
}

bool matches(std::string_view pattern, Action action)
{
    const auto name = row_of(action).name;
    if (pattern == "*") return true;
    if (!pattern.ends_with(".*")) return pattern == name;
    return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace entente::trust::policy
