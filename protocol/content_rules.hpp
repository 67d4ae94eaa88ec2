// Which entries may be without their content, and why (section 8, MEM-4): deletion and
// retention. Pure.
#pragma once

#include <string_view>

namespace entente::protocol {

// [MEM-4] Of a message.create, an edit or a reaction.
[[nodiscard]] bool can_be_deleted(std::string_view type);
// Of any message.*; whether it does depends on the channel's retention.
[[nodiscard]] bool can_expire(std::string_view type);

}  // namespace entente::protocol
