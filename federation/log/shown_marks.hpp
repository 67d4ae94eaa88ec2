// The marks that depend on more than the entry [LOG-6, MEM-4]: found when entries are shown,
// since what decides may come long after them.
#pragma once

#include "federation/channels.hpp"
#include "protocol/channel_state.hpp"
#include "storage/log_reader.hpp"

namespace entente::federation {

// Adds them to a page of `channel`, whose state is `meta`, its lists aside.
[[nodiscard]] Result<void> add_shown_marks(storage::Connection& db,
                                           const storage::ChannelRow& channel,
                                           const protocol::ChannelState& meta, Millis now,
                                           protocol::NameRules rules, ClientEntries& entries);

}  // namespace entente::federation
