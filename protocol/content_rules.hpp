// Which entries may be without their content, and why (section 8, MEM-4): deletion and
// retention. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/clock.hpp"
#include "protocol/event.hpp"

namespace entente::protocol {

// [MEM-4] Of a message.create, an edit or a reaction.
[[nodiscard]] bool can_be_deleted(std::string_view type);
// Of any message.*; whether it does depends on the channel's retention.
[[nodiscard]] bool can_expire(std::string_view type);

// Whether `deletion` erases this entry: by itself, or with the message that it edits.
[[nodiscard]] bool deletes(const Event& deletion, const Event& event);

// [MEM-5] N of `days:N`; nothing for any other retention.
[[nodiscard]] std::optional<std::int64_t> retention_days(std::string_view retention);
// Whether the channel's retention lets this entry's content go [MEM-4], as far as clocks agree.
[[nodiscard]] bool may_have_expired(std::string_view retention, std::string_view type, Millis at,
                                    Millis now);

}  // namespace entente::protocol
