#include "trust/tiers.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace entente::trust {

namespace {

Tier first_tier(Mode mode)
{
    switch (mode) {
        case Mode::open: return Tier::guest;
        case Mode::reviewed: return Tier::quarantined;
        case Mode::allowlist: return Tier::blocked;
        case Mode::closed: return Tier::blocked;
    }
    return Tier::blocked;
}

// What an entry for `name` says of `server`, which is it or lies below.
std::optional<Verdicted> said_of(const Tiers::Entries& entries, const protocol::ServerName& name,
                                 const protocol::ServerName& server, Reason reason)
{
    const auto found = entries.find(name);
    if (found == entries.end()) return std::nullopt;
    if (name == server) return Verdicted{found->second, reason};
    if (found->second > Tier::quarantined) return std::nullopt;
    return Verdicted{found->second, reason, name};
}

// `look` is asked about the name and those above it, the narrowest first: as many as it has labels.
template <class Look>
std::optional<Verdicted> narrowest(const protocol::ServerName& server, const Look& look)
{
    auto name = server;
    for (;;) {
        if (auto found = look(name)) return found;
        const auto dot = name.str().find('.');
        if (dot == std::string::npos) return std::nullopt;
        name = protocol::ServerName::trusted(name.str().substr(dot + 1));
    }
}

}  // namespace

std::string_view to_text(Reason reason)
{
    switch (reason) {
        case Reason::closed: return "closed";
        case Reason::key_conflict: return "key-conflict";
        case Reason::administrator: return "administrator";
        case Reason::configuration: return "configuration";
        case Reason::peering: return "peering";
        case Reason::list: return "list";
        case Reason::fallen: return "fallen";
        case Reason::earned: return "earned";
        case Reason::first_contact: return "first-contact";
    }
    return "first-contact";
}

Verdicted Tiers::explain(const protocol::ServerName& server, bool key_conflict,
                         protocol::Millis now) const
{
    if (config_.mode == Mode::closed) return {Tier::blocked, Reason::closed};
    const auto verdict = [&]() -> Verdicted {
        if (auto entry = decided(server)) return std::move(*entry);
        const auto first = first_tier(config_.mode);
        if (first == Tier::blocked && proposed_.contains(server))
            return {Tier::quarantined, Reason::peering};
        const auto standing = standing_of(server);
        const auto tier = tier_by_conduct(standing, first, config_.conduct, now);
        if (is_fallen(standing, now) && tier < first) return {tier, Reason::fallen};
        return {tier, tier == first ? Reason::first_contact : Reason::earned};
    }();
    if (key_conflict && verdict.tier > Tier::quarantined)
        return {Tier::quarantined, Reason::key_conflict};
    return verdict;
}

// Both of the administrator's are one word: of two for one name, what he said while it runs.
std::optional<Verdicted> Tiers::decided(const protocol::ServerName& server) const
{
    const auto by_administrator = [&](const protocol::ServerName& name) {
        auto said = said_of(entries_of(Source::administrator), name, server, Reason::administrator);
        return said ? said : said_of(config_.servers, name, server, Reason::configuration);
    };
    if (auto own = narrowest(server, by_administrator)) return own;
    if (const auto peering = entry(Source::peering, server))
        return Verdicted{*peering, Reason::peering};
    return narrowest(server, [&](const protocol::ServerName& name) {
        return said_of(entries_of(Source::list), name, server, Reason::list);
    });
}

Tier Tiers::tier_of(const protocol::ServerName& server, protocol::Millis now) const
{
    return explain(server, false, now).tier;
}

Tier Tiers::tier_of(const protocol::ServerName& server, bool key_conflict,
                    protocol::Millis now) const
{
    return explain(server, key_conflict, now).tier;
}

Tiers::Entries& Tiers::entries(Source source)
{
    return entries_.at(static_cast<std::size_t>(source));
}

const Tiers::Entries& Tiers::entries_of(Source source) const
{
    return entries_.at(static_cast<std::size_t>(source));
}

Result<void> Tiers::put(Source source, const protocol::ServerName& server, Tier tier)
{
    auto& held = entries(source);
    if (const auto found = held.find(server); found != held.end()) {
        found->second = tier;
        return {};
    }
    if (held.size() >= max_entries)
        return refuse(Code::too_large, "there are as many entries as there may be");
    held.emplace(server, tier);
    return {};
}

void Tiers::drop(Source source, const protocol::ServerName& server)
{
    entries(source).erase(server);
}

std::optional<Tier> Tiers::entry(Source source, const protocol::ServerName& server) const
{
    const auto& held = entries_of(source);
    const auto found = held.find(server);
    return found == held.end() ? std::nullopt : std::optional{found->second};
}

std::optional<Tier> Tiers::configured(const protocol::ServerName& server) const
{
    const auto found = config_.servers.find(server);
    return found == config_.servers.end() ? std::nullopt : std::optional{found->second};
}

void Tiers::note_proposed(const protocol::ServerName& server, bool is_proposed)
{
    if (is_proposed) {
        proposed_.insert(server);
    } else {
        proposed_.erase(server);
    }
}

ServerStanding Tiers::standing_of(const protocol::ServerName& server) const
{
    const auto found = standings_.find(server);
    return found == standings_.end() ? ServerStanding{} : found->second;
}

void Tiers::hold(const protocol::ServerName& server, const ServerStanding& standing)
{
    if (!says_something(standing, config_.conduct)) {
        standings_.erase(server);
        return;
    }
    const auto found = standings_.find(server);
    if (found != standings_.end()) {
        found->second = standing;
    } else if (standings_.size() < max_standings) {
        standings_.emplace(server, standing);
    }
}

}  // namespace entente::trust
