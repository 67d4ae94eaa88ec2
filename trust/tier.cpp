#include "trust/tier.hpp"

namespace entente::trust {

std::string_view to_text(Tier tier)
{
    switch (tier) {
        case Tier::blocked: return "blocked";
        case Tier::quarantined: return "quarantined";
        case Tier::guest: return "guest";
        case Tier::known: return "known";
        case Tier::trusted: return "trusted";
    }
    return "blocked";
}

std::optional<Tier> tier_from(std::string_view text)
{
    for (auto tier : {Tier::blocked, Tier::quarantined, Tier::guest, Tier::known, Tier::trusted}) {
        if (to_text(tier) == text) return tier;
    }
    return std::nullopt;
}

std::string_view to_text(Mode mode)
{
    switch (mode) {
        case Mode::open: return "open";
        case Mode::reviewed: return "reviewed";
        case Mode::allowlist: return "allowlist";
        case Mode::closed: return "closed";
    }
    return "closed";
}

std::optional<Mode> mode_from(std::string_view text)
{
    for (auto mode : {Mode::open, Mode::reviewed, Mode::allowlist, Mode::closed}) {
        if (to_text(mode) == text) return mode;
    }
    return std::nullopt;
}

}  // namespace entente::trust
