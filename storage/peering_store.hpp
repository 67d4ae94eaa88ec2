// Peerings: who of two administrators wants that their servers trust each other. Functions over a
// connection, as in outgoing_store.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// Proposals by others that are open; whoever comes later is refused.
inline constexpr std::int64_t max_open_proposals = 1'000;

struct PeeringRow {
    protocol::ServerName server;
    bool ours = false;
    bool theirs = false;
    protocol::Millis at = 0;  // of their last word
    [[nodiscard]] bool is_mutual() const { return ours && theirs; }
    friend bool operator==(const PeeringRow&, const PeeringRow&) = default;
};

[[nodiscard]] Result<std::optional<PeeringRow>> find_peering(Connection& db,
                                                             const protocol::ServerName& server);
[[nodiscard]] Result<void> put_peering(Connection& db, const PeeringRow& row);
[[nodiscard]] Result<std::vector<PeeringRow>> peerings(Connection& db);
// Those that only the other side wants.
[[nodiscard]] Result<std::int64_t> count_open_proposals(Connection& db);

}  // namespace entente::storage
