// The JSON rules of EVT-3, checked over the octets in one pass before any library
// sees them: UTF-8 without BOM, no lone surrogates, no duplicate names (after
// unescaping), integers within ±(2^53−1), no fraction, exponent or −0, at most 32
// containers deep, nothing behind the value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/result.hpp"

namespace entente::protocol {

inline constexpr int max_json_depth = 32;
inline constexpr std::int64_t max_json_integer = 9007199254740991;

// Bounded in time: linear in the octets but for sorting each object's names.
// A breach is `malformed`, its hint a JSON pointer and a reason.
[[nodiscard]] Result<void> check_json(std::string_view text);

// The same, for who shows a person where it is: the octet at which the scan stopped (of a name
// that stands twice, where its object ends), the pointer, "(top)" outside of any container, and
// a reason that lives for ever.
struct JsonFault {
    std::size_t offset = 0;
    std::string pointer;
    std::string_view reason;
};
[[nodiscard]] std::optional<JsonFault> find_json_fault(std::string_view text);

// The text as a JSON string literal with its quotes; valid UTF-8 is required.
void append_json_string(std::string& out, std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace entente::protocol
