#include "trust/policy/attributes.hpp"

#include <array>
#include <vector>

#include "protocol/nearest_name.hpp"

namespace entente::trust::policy {
namespace {

using Words = std::string_view;

constexpr std::array<Words, 2> flag_words{"false", "true"};
constexpr std::array<Words, 3> subject_words{"user", "server", "module"};
// As trust::Tier.
constexpr std::array<Words, 5> tier_words{"blocked", "quarantined", "guest", "known", "trusted"};
constexpr std::array<Words, 4> role_words{"none", "user", "admin", "superadmin"};
constexpr std::array<Words, 5> channel_role_words{"none", "member", "moderator", "owner", "home"};
constexpr std::array<Words, 10> resource_words{"server",  "account",    "channel", "event",
                                               "file",    "invitation", "key",     "report",
                                               "setting", "policy"};
constexpr std::array<Words, 2> history_words{"since-join", "all"};

constexpr AttributeRow word(std::string_view name, std::span<const std::string_view> words,
                            bool is_ordered, std::string_view meaning)
{
    return {name, Type::word, words, is_ordered, meaning};
}
constexpr AttributeRow flag(std::string_view name, std::string_view meaning)
{
    return {name, Type::flag, flag_words, false, meaning};
}
constexpr AttributeRow number(std::string_view name, std::string_view meaning)
{
    return {name, Type::number, {}, true, meaning};
}
constexpr AttributeRow text(std::string_view name, std::string_view meaning)
{
    return {name, Type::text, {}, false, meaning};
}

constexpr std::array<AttributeRow, attribute_count> attribute_rows{{
    word("subject.kind", subject_words, false, "what acts"),
    text("subject.id", "the user, server or module"),
    text("subject.server", "the server of the user, or the server itself"),
    flag("subject.local", "whether it is of this server"),
    word("subject.tier", tier_words, true, "how far its server is trusted; of other servers only"),
    word("subject.role", role_words, true, "its role at this server"),
    number("subject.account_age", "seconds since the account was made; of own users only"),
    flag("subject.device_verified", "whether the device that acts is verified"),
    {"subject.group", Type::texts, {}, false, "the groups that it is in"},
    word("subject.channel_role", channel_role_words, true, "its role in the channel"),
    flag("subject.invited", "whether it is invited into the channel"),
    flag("subject.banned", "whether it is banned from the channel"),
    word("resource.kind", resource_words, false, "what is acted on"),
    text("resource.id", "its name"),
    text("resource.server", "its home, or the server of the user who is acted on"),
    text("resource.owner", "the user whose it is"),
    flag("resource.own", "whether the subject is its author, its owner, or that user itself"),
    word("resource.role", role_words, true, "the role here of the account that is acted on"),
    word("resource.new_role", role_words, true, "the role that the account is to have"),
    word("resource.channel_role", channel_role_words, true, "the role of the user who is acted on"),
    word("resource.new_channel_role", channel_role_words, true,
         "the role that the user is to have"),
    flag("resource.invited", "whether the user who is acted on is invited"),
    flag("resource.banned", "whether the user who is acted on is banned"),
    flag("resource.public", "whether anybody may join the channel"),
    text("resource.encryption", "\"none\", or the channel's algorithm"),
    word("resource.history", history_words, false, "what a new member sees"),
    number("context.time", "milliseconds since 1970 UTC"),
    number("context.hour", "hour of the day in UTC, 0 to 23"),
    text("context.network", "the source: an IPv4 address, or an IPv6 /64"),
    text("context.event_type", "the type of the event"),
    number("context.size", "octets: of the event with its content, the file, the request"),
    number("context.rate", "how often the subject did it within the last minute"),
    flag("context.acquainted", "whether sender and recipient share a channel or an invitation"),
    number("context.superadmins", "how many superadmins there are that aren't suspended"),
    text("(category)", "the category in which it is done"),
    text("(drawer)", "the drawer in which it is done"),
    text("(channel)", "the channel in which it is done"),
}};

constexpr auto named_attributes = static_cast<std::size_t>(Attribute::scope_category);

// What stands behind the dot: "tier" is most probably subject.tier.
std::string_view last_part(std::string_view name)
{
    return name.substr(name.find('.') + 1);
}

}  // namespace

std::string_view to_text(Type type)
{
    switch (type) {
        case Type::word: return "word";
        case Type::flag: return "flag";
        case Type::number: return "number";
        case Type::text: return "text";
        case Type::texts: return "texts";
    }
    return "text";
}

const AttributeRow& row_of(Attribute attribute)
{
    return attribute_rows.at(static_cast<std::size_t>(attribute));
}

std::optional<Attribute> attribute_from(std::string_view name)
{
    for (std::size_t at = 0; at < named_attributes; ++at) {
        if (attribute_rows.at(at).name == name) return static_cast<Attribute>(at);
    }
    return std::nullopt;
}

std::string_view nearest_attribute(std::string_view unknown)
{
    std::vector<std::string_view> names;
    for (std::size_t at = 0; at < named_attributes; ++at)
        names.push_back(attribute_rows.at(at).name);
    if (auto near = protocol::nearest_name(unknown, names)) return *near;
    for (const auto name : names) {
        if (last_part(name) == last_part(unknown)) return name;
    }
    return {};
}

}  // namespace entente::trust::policy
