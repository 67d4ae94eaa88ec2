// The state of a channel as it was at an earlier entry, folded anew from the log's first one
// [MEM-3, MEM-12].
#pragma once

#include "protocol/channel_state.hpp"
#include "storage/log_reader.hpp"

namespace entente::federation {

// [MEM-12] Pages of the log, each of at most 1,000 entries and 1 MiB, that are folded anew for
// who asks for his join again, on the writer's thread, where everyone waits; and for the query of
// a snapshot, on a reader.
inline constexpr int max_pages_in_turn = 1;
inline constexpr int max_pages_for_query = 10;

struct PastState {
    protocol::ChannelState state;
    std::int64_t seq = 0;  // the entry that was folded last

    void fold(const storage::StoredEntry& stored, std::int64_t epoch, protocol::NameRules rules);
};

// Of what is stored the first `seq` entries, or as many of them as `pages` hold.
// Requires: the log is here from its start.
[[nodiscard]] Result<PastState> fold_stored(storage::Connection& db,
                                            const storage::ChannelRow& channel, std::int64_t seq,
                                            int pages, protocol::NameRules rules);

}  // namespace entente::federation
