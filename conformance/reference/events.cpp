#include "conformance/reference/events.hpp"

#include <algorithm>

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/names.hpp"
#include "conformance/reference/refused.hpp"
#include "conformance/wire/events.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::size_t max_event = 2'048;
constexpr std::size_t max_pair = 65'536;
constexpr std::size_t min_salt = 16;
constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 3'600'000;

[[noreturn]] void bad_event(const char* why)
{
    throw Refused{"malformed", std::string("an event: ") + why};
}

void check_event_size(std::size_t octets, const Flags& flags)
{
    if (octets > max_event && !flags.has<"event-size-unbounded">() &&
        !flags.has<"slice-any-event">())
        throw Refused{"too-large", "an event of more than 2,048 octets"};
    if (octets > max_event / 2 && flags.has<"event-size-too-narrow">())
        throw Refused{"too-large", "an event that is too large"};
}

// Members of another type are as none, where a mutant doesn't look.
std::string text_if_any(const nlohmann::json& members, const char* name, bool is_required)
{
    if (is_required) return text_of(members, name);
    const auto found = members.find(name);
    return found != members.end() && found->is_string() ? found->get<std::string>() : "";
}

void check_version(const nlohmann::json& members, const Flags& flags)
{
    if (flags.has<"event-v-ignored">()) return;
    if (number_of(members, "v") != 1) bad_event("v isn't 1");
}

void check_optional(const nlohmann::json& members, const Flags& flags)
{
    if (flags.has<"event-optional-ignored">()) return;
    if (members.contains("device") && !is_uuid(text_of(members, "device")))
        bad_event("a device that is none");
    if (members.contains("target") && !is_hash(text_of(members, "target")))
        bad_event("a target that is no hash");
}

void check_place(const nlohmann::json& members, EventPlace place, ReadEvent& event,
                 const Flags& flags)
{
    const bool in_log = place == EventPlace::log;
    const bool open =
        in_log ? flags.has<"event-to-ignored">() : flags.has<"direct-place-ignored">();
    const char* wanted = in_log ? "channel" : "to";
    const char* other = in_log ? "to" : "channel";
    if (members.contains(other) && !open) bad_event("it stands in the wrong place");
    auto& value = in_log ? event.channel : event.to;
    value =
        text_if_any(members, wanted, !open && !(in_log && flags.has<"event-channel-ignored">()));
    if (in_log && !is_channel_id(value, flags) && !flags.has<"event-channel-ignored">() && !open)
        bad_event("a channel that is none");
    if (!in_log && !is_user(value, flags) && !is_server_name(value, flags) && !open)
        bad_event("a receiver that is none");
}

void check_message_form(const ReadEvent& event, const Flags& flags)
{
    if (event.type != "message.create" && event.type != "message.edit") return;
    if (flags.has<"message-form-ignored">()) return;
    const auto& body = event.body;
    const bool has_text = body.contains("text");
    const bool has_ciphertext = body.contains("ciphertext");
    if (has_text == has_ciphertext) bad_event("not one of text and ciphertext");
    if (has_text) static_cast<void>(text_of(body, "text"));
    if (has_ciphertext) {
        static_cast<void>(text_of(body, "ciphertext"));
        static_cast<void>(text_of(body, "algorithm"));
    }
}

}  // namespace

ReadEvent read_event(const std::string& octets, EventPlace place, const Flags& flags)
{
    check_event_size(octets.size(), flags);
    ReadEvent event;
    event.octets = octets;
    event.id = event_id(octets);
    const auto members = read_json(octets, flags);
    if (!members.is_object()) bad_event("no object");
    if (flags.has<"unknown-members-refused">())
        for (const auto& [name, value] : members.items())
            if (name.starts_with("x-")) bad_event("a member that nobody knows");
    check_version(members, flags);
    event.type = text_if_any(members, "type", !flags.has<"event-type-ignored">());
    if (event.type.empty() && !flags.has<"event-type-ignored">()) bad_event("no type");
    check_place(members, place, event, flags);
    event.sender = text_if_any(members, "sender", !flags.has<"event-sender-form-ignored">());
    if (!is_user(event.sender, flags) && !is_server_name(event.sender, flags) &&
        !flags.has<"event-sender-form-ignored">())
        bad_event("a sender that is none");
    event.txn = text_if_any(members, "txn", !flags.has<"event-txn-ignored">());
    if (!is_uuid(event.txn) && !flags.has<"event-txn-ignored">()) bad_event("a txn that is none");
    if (!flags.has<"event-at-ignored">() && (event.at = number_of(members, "at")) < 0)
        bad_event("a negative at");
    event.content_hash = text_if_any(members, "content", !flags.has<"content-hash-ignored">());
    if (!is_hash(event.content_hash) && !flags.has<"content-hash-ignored">())
        bad_event("a content that is no hash");
    check_optional(members, flags);
    event.target = text_if_any(members, "target", false);
    return event;
}

void read_content(ReadEvent& event, const std::string& content, const Flags& flags)
{
    event.content = content;
    const auto size = event.octets.size() + content.size();
    if (size > max_pair && !flags.has<"content-size-unbounded">())
        throw Refused{"too-large", "an event and a content of more than 65,536 octets"};
    if (size > max_pair / 2 && flags.has<"content-size-too-narrow">())
        throw Refused{"too-large", "a content that is too large"};
    if (content_hash(content) != event.content_hash && !flags.has<"content-hash-ignored">() &&
        !flags.has<"slice-any-content">())
        bad_event("a content of another hash");
    if (flags.has<"content-any-text">()) {
        event.body = nlohmann::json::parse(content, nullptr, false);
        if (!event.body.is_object()) event.body = {{"text", content}};
        return;
    }
    event.body = read_json(content, flags);
    if (!event.body.is_object()) bad_event("a content that is no object");
    if (!flags.has<"salt-ignored">()) {
        const auto salt = from_base64url(text_of(event.body, "salt"));
        if (!salt || salt->size() < min_salt) bad_event("a content without salt");
    }
    check_message_form(event, flags);
}

ReadEvent read_item(const nlohmann::json& item, EventPlace place, const Flags& flags)
{
    auto event = read_event(text_of(item, "event"), place, flags);
    read_content(event, text_of(item, "content"), flags);
    return event;
}

ReadEvent read_author(const std::string& octets, const Flags& flags)
{
    check_event_size(octets.size(), flags);
    ReadEvent event;
    event.octets = octets;
    event.id = event_id(octets);
    const auto members = read_json(octets, flags, JsonPlace::entry);
    if (!members.is_object() && !flags.has<"slice-any-event">()) bad_event("no object");
    if (!members.is_object()) return event;
    event.channel = text_of(members, "channel");
    event.sender = text_if_any(members, "sender", !flags.has<"slice-any-event">());
    if (!is_user(event.sender, flags) && !is_server_name(event.sender, flags) &&
        !flags.has<"slice-any-event">())
        bad_event("a sender that is none");
    event.type = text_if_any(members, "type", false);
    event.txn = text_if_any(members, "txn", false);
    event.content_hash = text_if_any(members, "content", false);
    return event;
}

void check_ahead(const ReadEvent& event, std::int64_t now, const Flags& flags)
{
    const auto ahead = event.at - now;
    if (ahead > 30'000 && flags.has<"event-ahead-too-narrow">()) throw Deferred{1};
    if (ahead <= minute_ms || flags.has<"event-ahead-ignored">()) return;
    if (ahead > minute_ms + hour_ms) bad_event("an at too far ahead");
    throw Deferred{std::clamp<std::int64_t>((ahead - minute_ms) / 1000 + 1, 1, 60)};
}

std::string id_of_item(const nlohmann::json& item)
{
    if (!item.is_object()) return {};
    const auto event = item.find("event");
    return event != item.end() && event->is_string() ? event_id(event->get<std::string>()) : "";
}

}  // namespace entente::conformance::reference
