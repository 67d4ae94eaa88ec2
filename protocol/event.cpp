#include "protocol/event.hpp"

#include "protocol/dom.hpp"
#include "protocol/json_rules.hpp"

namespace entente::protocol {
namespace {

constexpr std::string_view event_prefix = "entente-event-v1\n";
constexpr std::string_view content_prefix = "entente-content-v1\n";

// [EVT-1]
Result<Sender> read_sender(std::string_view text, NameRules rules)
{
    Sender sender;
    sender.text = text;
    if (text.find('@') == std::string_view::npos) {
        auto server = parse_server_name(text, rules);
        if (!server) return fail(server);
        sender.server = std::move(*server);
        sender.is_server = true;
        return sender;
    }
    const auto user = parse_user_id(text, rules);
    if (!user) return fail(user);
    sender.server = server_of(*user);
    return sender;
}

enum class Place : std::uint8_t { log, direct };

Result<void> read_place(Event& event, dom::Object object, Place place, NameRules rules)
{
    if (place == Place::log) {
        if (dom::member(object, "to")) return dom::wrong("to", "has no place beside a channel");
        const auto text = dom::need_string(object, "channel");
        if (!text) return fail(text);
        auto channel = parse_channel_id(*text, rules);
        if (!channel) return dom::wrong("channel", "is no channel id");
        event.channel = std::move(*channel);
        return {};
    }
    if (dom::member(object, "channel")) return dom::wrong("channel", "a direct event has none");
    const auto to = dom::need_string(object, "to");
    if (!to) return fail(to);
    if (!read_sender(*to, rules)) return dom::wrong("to", "is neither a user nor a server");
    event.to = *to;
    return {};
}

Result<void> read_required(Event& event, dom::Object object, NameRules rules)
{
    const auto version = dom::need_count(object, "v");
    if (!version) return fail(version);
    if (*version != 1) return dom::wrong("v", "must be 1");

    const auto type = dom::need_string(object, "type");
    if (!type) return fail(type);
    if (type->empty()) return dom::wrong("type", "must not be empty");
    event.type = *type;

    const auto sender_text = dom::need_string(object, "sender");
    if (!sender_text) return fail(sender_text);
    auto sender = read_sender(*sender_text, rules);
    if (!sender) return dom::wrong("sender", "is neither a user nor a server");
    event.sender = std::move(*sender);

    const auto txn_text = dom::need_string(object, "txn");
    if (!txn_text) return fail(txn_text);
    const auto txn = parse_uuid(*txn_text);
    if (!txn) return dom::wrong("txn", "is no UUID");
    event.txn = *txn;

    const auto at = dom::need_count(object, "at");
    if (!at) return fail(at);
    event.at = *at;

    const auto content = dom::need_hash(object, "content");
    if (!content) return fail(content);
    event.content_hash = *content;
    return {};
}

Result<void> read_optional(Event& event, dom::Object object)
{
    const auto device_text = dom::may_string(object, "device");
    if (!device_text) return fail(device_text);
    if (*device_text) {
        const auto device = parse_uuid(**device_text);
        if (!device) return dom::wrong("device", "is no UUID");
        event.device = *device;
    }
    if (dom::member(object, "target")) {
        const auto target = dom::need_hash(object, "target");
        if (!target) return fail(target);
        event.target = *target;
    }
    return {};
}

Result<Event> parse_event(std::string_view octets, Place place, NameRules rules)
{
    if (octets.size() > max_event_octets) {
        return refuse(Code::too_large, "an event is at most 2048 octets");
    }
    if (auto checked = check_json(octets); !checked) return fail(checked);
    const auto root = dom::small_parser().parse(octets);
    if (!root) return fail(root);
    const auto object = dom::as_object(*root, "");
    if (!object) return fail(object);

    Event event;
    if (auto read = read_place(event, *object, place, rules); !read) return fail(read);
    if (auto read = read_required(event, *object, rules); !read) return fail(read);
    if (auto read = read_optional(event, *object); !read) return fail(read);
    event.octets = octets;
    event.id = event_id(octets);
    return event;
}

}  // namespace

Hash event_id(std::string_view event_octets)
{
    return sha256({event_prefix, event_octets});
}

Hash content_hash(std::string_view content_octets)
{
    return sha256({content_prefix, content_octets});
}

Result<Event> parse_channel_event(std::string_view octets, NameRules rules)
{
    return parse_event(octets, Place::log, rules);
}

Result<Event> parse_direct_event(std::string_view octets, NameRules rules)
{
    return parse_event(octets, Place::direct, rules);
}

Result<void> check_content(const Event& event, std::string_view content)
{
    if (event.octets.size() + content.size() > max_event_and_content_octets) {
        return refuse(Code::too_large, "event and content are at most 65536 octets together");
    }
    if (content_hash(content) != event.content_hash) {
        return refuse(Code::malformed, "the content does not match the event's hash");
    }
    if (auto checked = check_json(content); !checked) return fail(checked);
    const auto root = dom::small_parser().parse(content);
    if (!root) return fail(root);
    const auto object = dom::as_object(*root, "");
    if (!object) return fail(object);
    const auto salt_text = dom::need_string(*object, "salt");
    if (!salt_text) return fail(salt_text);
    const auto salt = from_base64url(*salt_text);
    if (!salt) return dom::wrong("salt", "must be base64url");
    if (salt->size() < min_salt_octets) return dom::wrong("salt", "must be at least 16 octets");
    return {};
}

std::string write_event(const EventDraft& draft)
{
    std::string out;
    out.reserve(384 + draft.sender.size() + draft.type.size());
    out += R"({"v":1,"type":)";
    append_json_string(out, draft.type);
    if (draft.channel) {
        out += R"(,"channel":)";
        append_json_string(out, draft.channel->str());
    } else {
        out += R"(,"to":)";
        append_json_string(out, draft.to);
    }
    out += R"(,"sender":)";
    append_json_string(out, draft.sender);
    if (draft.device) out += R"(,"device":")" + draft.device->str() + '"';
    out += R"(,"txn":")" + draft.txn.str() + R"(","at":)" + std::to_string(draft.at);
    out += R"(,"content":")" + to_base64url(content_hash(draft.content)) + '"';
    if (draft.target) out += R"(,"target":")" + to_base64url(*draft.target) + '"';
    out += '}';
    return out;
}

Result<Event> make_channel_event(const EventDraft& draft, const UserId& sender)
{
    Event event;
    event.octets = write_event(draft);
    if (event.octets.size() > max_event_octets)
        return refuse(Code::too_large, "an event is at most 2048 octets");
    event.id = event_id(event.octets);
    event.type = draft.type;
    event.channel = draft.channel;
    event.sender.text = sender.str();
    event.sender.server = server_of(sender);
    event.device = draft.device;
    event.txn = draft.txn;
    event.at = draft.at;
    event.content_hash = content_hash(draft.content);
    event.target = draft.target;
    return event;
}

}  // namespace entente::protocol
