// Tells a client's retry from another wish that comes under the same txn. A retry is written
// anew each time, with another salt and another time, perhaps with its members in another
// order: so neither event ids nor octets tell. Looks nothing up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/event.hpp"

namespace entente::federation {

// Whether two contents of own events say the same but for their salts.
[[nodiscard]] bool say_the_same(std::string_view first, std::string_view again);

// The same type, target and content. Of a `first` whose content has been erased nobody can say
// that it was another.
[[nodiscard]] bool is_same_wish(const protocol::Event& first,
                                const std::optional<std::string>& first_content,
                                const protocol::Event& again, std::string_view content);

}  // namespace entente::federation
