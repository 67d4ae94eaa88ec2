// What a tier may spend: the shipped table as data. Every figure of it is configuration.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "trust/tier.hpp"

namespace entente::trust {

// Per minute, but where it says otherwise; a bucket holds one such time's worth.
struct TierBudget {
    std::int64_t requests = 0;
    std::int64_t events = 0;  // submitted
    std::int64_t bytes = 0;   // of all bodies
    std::int64_t claims = 0;  // of one-time keys
    std::int64_t signals = 0;
    std::int64_t invitations = 0;  // of our users, an hour
    std::int64_t look_ups = 0;     // of users, aliases and pages of the directory
    std::int64_t media = 0;        // files that it fetches here
    friend bool operator==(const TierBudget&, const TierBudget&) = default;
};

struct TierTable {
    std::array<TierBudget, 5> rows{{
        {},
        {60, 60, 4LL << 20, 10, 0, 10, 10, 10},
        {600, 600, 20LL << 20, 60, 600, 60, 60, 60},
        {6'000, 6'000, 200LL << 20, 600, 6'000, 6'000, 600, 600},
        {600'000, 600'000, 4LL << 30, 6'000, 600'000, 600'000, 6'000, 6'000},
    }};
    [[nodiscard]] const TierBudget& of(Tier tier) const
    {
        return rows.at(static_cast<std::size_t>(tier));
    }
    [[nodiscard]] TierBudget& of(Tier tier) { return rows.at(static_cast<std::size_t>(tier)); }
};

}  // namespace entente::trust
