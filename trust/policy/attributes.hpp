// What a condition can ask about: who acts (subject), on what (resource), and around it
// (context), each with its type. Says nothing of where the values come from: an enforcement
// point fills them into a Request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace entente::trust::policy {

// In the order of the table in attributes.cpp. The three scopes are the request's place in the
// chain; they have no name that a condition could use.
enum class Attribute : std::uint8_t {
    subject_kind,
    subject_id,
    subject_server,
    subject_local,
    subject_tier,
    subject_role,
    subject_account_age,
    subject_device_verified,
    subject_group,
    subject_channel_role,
    subject_invited,
    subject_banned,
    resource_kind,
    resource_id,
    resource_server,
    resource_owner,
    resource_own,
    resource_role,
    resource_new_role,
    resource_channel_role,
    resource_new_channel_role,
    resource_invited,
    resource_banned,
    resource_public,
    resource_encryption,
    resource_history,
    context_time,
    context_hour,
    context_network,
    context_event_type,
    context_size,
    context_rate,
    context_acquainted,
    context_superadmins,
    scope_category,
    scope_drawer,
    scope_channel,
};
inline constexpr std::size_t attribute_count = 37;

// A set of attributes, one bit each.
using Attributes = std::uint64_t;
[[nodiscard]] constexpr Attributes bit(Attribute attribute)
{
    return Attributes{1} << static_cast<unsigned>(attribute);
}

// `word`: one of a closed list; `flag`: false or true; `number`: an integer; `text`: octets
// that are compared as they are; `texts`: several of them.
enum class Type : std::uint8_t { word, flag, number, text, texts };
[[nodiscard]] std::string_view to_text(Type type);

struct AttributeRow {
    std::string_view name;  // "subject.tier"
    Type type = Type::text;
    std::span<const std::string_view> words;  // of a word; of a flag "false", "true"
    bool is_ordered = false;                  // words that rise: lt, ge, … may be used
    std::string_view meaning;                 // for the reference
};
[[nodiscard]] const AttributeRow& row_of(Attribute attribute);
[[nodiscard]] std::optional<Attribute> attribute_from(std::string_view name);
// What was probably meant; empty where nothing is near.
[[nodiscard]] std::string_view nearest_attribute(std::string_view unknown);

// Words as enforcement points say them, in the order of their lists.
enum class SubjectKind : std::uint8_t { user, server, module };
// `none`: nobody of this server.
enum class ServerRole : std::uint8_t { none, user, admin, superadmin };
// `home`: the bare name of the channel's home, above owners as in section 8.
enum class ChannelRole : std::uint8_t { none, member, moderator, owner, home };
enum class ResourceKind : std::uint8_t {
    server,
    account,
    channel,
    event,
    file,
    invitation,
    key,
    report,
    setting,
    policy
};
enum class History : std::uint8_t { since_join, all };

}  // namespace entente::trust::policy
