// The five tiers and the four modes by name. What a tier may spend is tier_table.hpp's, what
// it may do the shipped policies', who is in which is decided by Tiers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace entente::trust {

enum class Tier : std::uint8_t { blocked, quarantined, guest, known, trusted };
[[nodiscard]] std::string_view to_text(Tier tier);
[[nodiscard]] std::optional<Tier> tier_from(std::string_view text);

// Unknown servers start as guest, quarantined, blocked; `closed` blocks even those named.
enum class Mode : std::uint8_t { open, reviewed, allowlist, closed };
[[nodiscard]] std::string_view to_text(Mode mode);
[[nodiscard]] std::optional<Mode> mode_from(std::string_view text);

}  // namespace entente::trust
