// The JSON rules of EVT-3, checked over the octets in one pass before any library
// sees them: UTF-8 without BOM, no lone surrogates, no duplicate names (after
// unescaping), integers within ±(2^53−1), no fraction, exponent or −0, at most 32
// containers deep, nothing behind the value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/result.hpp"

namespace entente::protocol {

inline constexpr int max_json_depth = 32;
inline constexpr std::int64_t max_json_integer = 9007199254740991;

// Bounded in time: linear in the octets but for sorting each object's names.
// A breach is `malformed`, its hint a JSON pointer and a reason.
[[nodiscard]] Result<void> check_json(std::string_view text);

// The text as a JSON string literal with its quotes; valid UTF-8 is required.
void append_json_string(std::string& out, std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace entente::protocol
