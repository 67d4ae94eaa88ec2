// The values that a channel's state may hold (section 8), for the fold and for the
// reading of a whole state alike. For the .cpp files of this folder only.
#pragma once

#include <string_view>

#include "protocol/channel_state.hpp"

namespace entente::protocol {

inline constexpr int max_retention_days = 36'500;

[[nodiscard]] bool is_kind(std::string_view text);        // "group", "dm"
[[nodiscard]] bool is_history(std::string_view text);     // "since-join", "all"
[[nodiscard]] bool is_retention(std::string_view text);   // "keep", "relay", "days:N"
[[nodiscard]] bool is_encryption(std::string_view text);  // 1–32 of a-z 0-9 -

[[nodiscard]] constexpr std::string_view server_part(std::string_view user)
{
    return user.substr(user.find('@') + 1);
}

// How many octets a string takes as JSON, quotes included.
[[nodiscard]] std::size_t json_length(std::string_view text);
// What a user takes in a list of the state, a comma not included.
[[nodiscard]] std::size_t list_item_length(std::string_view user);
[[nodiscard]] std::size_t list_item_length(std::string_view user, Role role);

}  // namespace entente::protocol
