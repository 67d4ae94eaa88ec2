// Which entries may be without their content, and why (section 8, MEM-4): deletion and
// retention. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/slice.hpp"

namespace entente::protocol {

// [MEM-4] Of a message.create, an edit or a reaction.
[[nodiscard]] bool can_be_deleted(std::string_view type);
// Of any message.*; whether it does depends on the channel's retention.
[[nodiscard]] bool can_expire(std::string_view type);

// [MEM-4] Whether an entry without content gives no reason for it that can hold. `latest` is
// the home's newest seq, `retention` what the state says now. That `deleted_by` is a deletion
// of this entry is for who holds that entry to say.
[[nodiscard]] bool is_withheld(const Entry& entry, std::string_view type, std::int64_t seq,
                               std::int64_t latest, std::string_view retention);

}  // namespace entente::protocol
