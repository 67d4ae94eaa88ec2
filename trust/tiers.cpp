#include "trust/tiers.hpp"

#include <algorithm>

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

Tier Tiers::tier_of(const protocol::ServerName& server) const
{
    if (config_.mode == Mode::closed) return Tier::blocked;
    auto entry = config_.servers.find(server);
    if (entry != config_.servers.end()) return entry->second;
    switch (config_.mode) {
        case Mode::open: return Tier::guest;
        case Mode::reviewed: return Tier::quarantined;
        case Mode::allowlist: return Tier::blocked;
        case Mode::closed: return Tier::blocked;
    }
    return Tier::blocked;
}

Tier Tiers::tier_of(const protocol::ServerName& server, bool key_conflict) const
{
    auto tier = tier_of(server);
    return key_conflict ? std::min(tier, Tier::quarantined) : tier;
}

}  // namespace entente::trust
