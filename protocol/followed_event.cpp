// The follower's lenient reading of an event [LOG-1]. The strict reading comes first:
// a good event, the rule, pays nothing for this.
#include <algorithm>
#include <charconv>

#include "protocol/event.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/loose_json.hpp"

namespace entente::protocol {
namespace {

using Members = std::vector<loose::Member>;

// The one member of this name; nothing where there is none or several.
const loose::Member* only(const Members& members, std::string_view name)
{
    const loose::Member* found = nullptr;
    for (const auto& member : members) {
        if (member.name != name) continue;
        if (found != nullptr) return nullptr;
        found = &member;
    }
    return found;
}

const std::string* only_string(const Members& members, std::string_view name)
{
    const auto* member = only(members, name);
    return member != nullptr && member->is_string ? &member->text : nullptr;
}

Result<void> read_needed(Event& event, const Members& members, NameRules rules)
{
    const auto* channel_text = only_string(members, "channel");
    if (channel_text == nullptr) return refuse(Code::malformed, "/channel: must be there once");
    auto channel = parse_channel_id(*channel_text, rules);
    if (!channel) return fail(channel);
    event.channel = std::move(*channel);

    const auto* sender_text = only_string(members, "sender");
    if (sender_text == nullptr) return refuse(Code::malformed, "/sender: must be there once");
    event.sender.text = *sender_text;
    if (const auto user = parse_user_id(*sender_text, rules)) {
        event.sender.server = server_of(*user);
        return {};
    }
    auto server = parse_server_name(*sender_text, rules);
    if (!server) return refuse(Code::malformed, "/sender: is neither a user nor a server");
    event.sender.server = std::move(*server);
    event.sender.is_server = true;
    return {};
}

void read_what_can_be_read(Event& event, const Members& members)
{
    if (const auto* type = only_string(members, "type")) event.type = *type;
    if (const auto* text = only_string(members, "device")) {
        if (const auto device = parse_uuid(*text)) event.device = *device;
    }
    if (const auto* text = only_string(members, "txn")) {
        if (const auto txn = parse_uuid(*text)) event.txn = *txn;
    }
    if (const auto* text = only_string(members, "content")) {
        if (const auto hash = hash_from_base64url(*text)) event.content_hash = *hash;
    }
    if (const auto* text = only_string(members, "target")) {
        if (const auto hash = hash_from_base64url(*text)) event.target = *hash;
    }
    const auto* at = only(members, "at");
    if (at == nullptr || at->is_string) return;
    Millis value = 0;
    const auto* end = at->text.data() + at->text.size();
    const auto read = std::from_chars(at->text.data(), end, value);
    if (read.ec == std::errc{} && read.ptr == end && value >= 0 && value <= max_json_integer) {
        event.at = value;
    }
}

}  // namespace

Result<FollowedEvent> parse_followed_event(std::string_view octets, NameRules rules)
{
    auto strict = parse_channel_event(octets, rules);
    if (strict) return FollowedEvent{std::move(*strict), {}};
    if (strict.error().code == Code::too_large) return fail(std::move(strict));

    const auto members = loose::read_object(octets);
    if (!members) return fail(std::move(strict));
    FollowedEvent followed;
    if (auto read = read_needed(followed.event, *members, rules); !read) return fail(read);
    read_what_can_be_read(followed.event, *members);
    followed.event.octets = octets;
    followed.event.id = event_id(octets);
    followed.breach = strict.error().hint.empty() ? "malformed" : strict.error().hint;
    return followed;
}

}  // namespace entente::protocol
