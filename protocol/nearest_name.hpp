// Which of the names that exist was probably meant by one that doesn't. For messages to people
// who wrote it by hand.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace entente::protocol {

// The one that is fewest changes of an octet away, the first of several, and at most two;
// nothing where none is that near. Of a long name its first 64 octets are compared.
[[nodiscard]] std::optional<std::string_view> nearest_name(std::string_view unknown,
                                                           std::span<const std::string_view> known);

}  // namespace entente::protocol
