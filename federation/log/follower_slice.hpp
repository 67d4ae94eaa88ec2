// What a follower shows of a log to another server. Signs nothing: the home's checkpoint, which it
// holds, is what proves the page.
#pragma once

#include "protocol/transaction.hpp"
#include "storage/log_reader.hpp"

namespace entente::federation {

// The answer that a page makes which ends at a stored checkpoint: from who can't sign one.
[[nodiscard]] protocol::LogAnswer follower_slice(const storage::ChannelRow& channel,
                                                 storage::LogPage page);

}  // namespace entente::federation
