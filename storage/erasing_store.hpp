// What a deletion has to find [MEM-4]: the edits of a message, and deletions of which some
// edits are still to be erased. Functions over a connection, as in outgoing_store.hpp;
// channels are rows, entries their seq.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/octets.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// What stands for the seq of a message that lies before where the log begins here: below zero,
// and made where there is none yet.
[[nodiscard]] Result<std::int64_t> unheld_target(Connection& db, std::int64_t channel,
                                                 const protocol::Hash& event);
[[nodiscard]] Result<std::optional<std::int64_t>> find_unheld_target(Connection& db,
                                                                     std::int64_t channel,
                                                                     const protocol::Hash& event);

[[nodiscard]] Result<void> note_edit(Connection& db, std::int64_t channel, std::int64_t target,
                                     std::int64_t seq);
// In rising order.
[[nodiscard]] Result<std::vector<std::int64_t>> edits_of(Connection& db, std::int64_t channel,
                                                         std::int64_t target, std::size_t limit);
// Those up to `last` are erased.
[[nodiscard]] Result<void> forget_edits(Connection& db, std::int64_t channel, std::int64_t target,
                                        std::int64_t last);

struct OwedErasure {
    std::int64_t channel = 0;
    std::int64_t target = 0;
    std::int64_t deleted_by = 0;
};
[[nodiscard]] Result<void> owe_erasure(Connection& db, const OwedErasure& owed);
[[nodiscard]] Result<std::vector<OwedErasure>> owed_erasures(Connection& db, std::size_t limit);
[[nodiscard]] Result<void> settle_erasure(Connection& db, const OwedErasure& owed);

}  // namespace entente::storage
