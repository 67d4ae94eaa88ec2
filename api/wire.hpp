// How the client API writes what the rooms below return: JSON text, octets of events
// embedded as they are. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "federation/channels.hpp"
#include "net/http_message.hpp"
#include "protocol/clock.hpp"
#include "protocol/result.hpp"

namespace entente::api {

// RFC 3339 with milliseconds, in UTC.
[[nodiscard]] std::string time_text(protocol::Millis at);
[[nodiscard]] std::string_view to_text(federation::DeliveryState state);

// One object each.
[[nodiscard]] std::string entry_json(const protocol::ChannelId& channel,
                                     const federation::ClientEntry& entry);
[[nodiscard]] std::string posted_json(const federation::Posted& posted, protocol::Millis now);
// Items of a `state` frame: an own event has moved, a channel stands still or no longer.
[[nodiscard]] std::string moved_json(const protocol::ChannelId& channel,
                                     const federation::Posted& posted);
[[nodiscard]] std::string frozen_json(const protocol::ChannelId& channel, bool frozen);
[[nodiscard]] std::string stalled_json(const protocol::ChannelId& channel,
                                       const std::optional<federation::Stalled>& stalled);
// What a post of an array came to, by its txn.
[[nodiscard]] std::string result_json(std::string_view txn,
                                      const Result<federation::Posted>& result,
                                      protocol::Millis now);
[[nodiscard]] std::string delivery_json(const federation::Delivery& delivery, protocol::Millis now);
[[nodiscard]] std::string moving_json(const federation::Moving& moving, protocol::Millis now);
[[nodiscard]] std::string summary_json(const federation::ChannelSummary& channel);
[[nodiscard]] std::string member_json(const federation::ChannelMember& member);
[[nodiscard]] std::string invitation_json(const federation::Invitation& invitation);

[[nodiscard]] net::Response json_response(int status, std::string body);

// A refusal inside of an answer or a frame, as it would be told by an answer of its own: what
// passes says when to come again.
[[nodiscard]] std::string refusal_json(const Error& error, protocol::Millis now);

// Appends `item` to a JSON array under construction.
void append_item(std::string& array, std::string_view item);

}  // namespace entente::api
