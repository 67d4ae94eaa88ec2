// How far a remote server is trusted, and what a tier may spend: the shipped table as
// data. Who earns or loses a tier by conduct is not decided here yet; an administrator's
// entry and a key conflict are.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "protocol/names.hpp"

namespace entente::trust {

enum class Tier : std::uint8_t { blocked, quarantined, guest, known, trusted };
[[nodiscard]] std::string_view to_text(Tier tier);
[[nodiscard]] std::optional<Tier> tier_from(std::string_view text);

// Unknown servers start as guest, quarantined, blocked; `closed` blocks even those named.
enum class Mode : std::uint8_t { open, reviewed, allowlist, closed };
[[nodiscard]] std::string_view to_text(Mode mode);
[[nodiscard]] std::optional<Mode> mode_from(std::string_view text);

// Per minute; a bucket holds one minute's worth.
struct TierBudget {
    std::int64_t requests = 0;
    std::int64_t events = 0;  // submitted
    std::int64_t bytes = 0;   // of all bodies
    std::int64_t claims = 0;  // of one-time keys
    std::int64_t signals = 0;
    friend bool operator==(const TierBudget&, const TierBudget&) = default;
};

struct TierTable {
    std::array<TierBudget, 5> rows{{
        {0, 0, 0, 0, 0},
        {60, 60, 4LL << 20, 10, 0},
        {600, 600, 20LL << 20, 60, 600},
        {6'000, 6'000, 200LL << 20, 600, 6'000},
        {600'000, 600'000, 4LL << 30, 6'000, 600'000},
    }};
    [[nodiscard]] const TierBudget& of(Tier tier) const
    {
        return rows.at(static_cast<std::size_t>(tier));
    }
};

struct TierConfig {
    Mode mode = Mode::open;
    std::unordered_map<protocol::ServerName, Tier> servers;  // put there by the administrator
    TierTable table;
};

class Tiers {
 public:
    explicit Tiers(TierConfig config) : config_(std::move(config)) {}
    [[nodiscard]] Tier tier_of(const protocol::ServerName& server) const;
    // A server in key conflict is quarantined at best.
    [[nodiscard]] Tier tier_of(const protocol::ServerName& server, bool key_conflict) const;
    [[nodiscard]] const TierTable& table() const { return config_.table; }

 private:
    TierConfig config_;
};

}  // namespace entente::trust
