// Events and their content (section 4): octets named by their hash. Parsing checks
// form; who may do what is the fold's business (channel_state.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "protocol/octets.hpp"

namespace entente::protocol {

inline constexpr std::size_t max_event_octets = 2048;
inline constexpr std::size_t max_event_and_content_octets = 65536;
inline constexpr std::size_t min_salt_octets = 16;
inline constexpr Millis max_event_ahead_ms = 60'000;    // [EVT-5] taken at once
inline constexpr Millis max_event_wait_ms = 3'600'000;  // [EVT-5] beyond that: waited for

// Who an event speaks for: a user, or a home by its bare name [EVT-1].
struct Sender {
    std::string text;   // as it stands in the event
    ServerName server;  // of the user, or itself
    bool is_server = false;
};

struct Event {
    std::string octets;  // never re-serialised [EVT-4]
    Hash id{};
    std::string type;
    std::optional<ChannelId> channel;  // of an event in a log
    std::string to;                    // of a direct event: a user or a bare server
    Sender sender;
    std::optional<Uuid> device;
    Uuid txn;
    Millis at = 0;
    Hash content_hash{};
    std::optional<Hash> target;  // [MEM-4]
};

[[nodiscard]] Hash event_id(std::string_view event_octets);
[[nodiscard]] Hash content_hash(std::string_view content_octets);

// `malformed` or `too_large`.
[[nodiscard]] Result<Event> parse_channel_event(std::string_view octets, NameRules rules);
[[nodiscard]] Result<Event> parse_direct_event(std::string_view octets, NameRules rules);
// EVT-3, EVT-6 and the sizes of both together.
[[nodiscard]] Result<void> check_content(const Event& event, std::string_view content);

// LOG-1's lenient reading, for a follower: JSON with exactly one `channel` and one
// `sender` of the right form that fits the sizes. `breach` says which form rule is
// broken, empty where none is; an event with a breach is taken, marked, and has no
// effect. Members that can't be read stay at their defaults.
struct FollowedEvent {
    Event event;
    std::string breach;
};
[[nodiscard]] Result<FollowedEvent> parse_followed_event(std::string_view octets, NameRules rules);

// Writes an event; `content` must already be written.
struct EventDraft {
    std::string type;
    std::optional<ChannelId> channel;
    std::string to;
    std::string sender;
    std::optional<Uuid> device;
    Uuid txn;
    Millis at = 0;
    std::string content;  // the content's octets; only their hash goes in
    std::optional<Hash> target;
};
[[nodiscard]] std::string write_event(const EventDraft& draft);
// The event that reading the written octets would give, for one of a channel by a user.
// `too_large`.
[[nodiscard]] Result<Event> make_channel_event(const EventDraft& draft, const UserId& sender);

}  // namespace entente::protocol
