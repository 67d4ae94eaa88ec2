// How far each remote server is trusted: the one place that says which tier a server is in. Changes
// while the server runs; on the I/O thread. What is kept over a restart is
// storage/standing_store's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "trust/standing.hpp"
#include "trust/tier.hpp"
#include "trust/tier_table.hpp"

namespace entente::trust {

struct TierConfig {
    Mode mode = Mode::open;
    std::unordered_map<protocol::ServerName, Tier> servers;  // the configuration's entries
    TierTable table;
    ConductFigures conduct;
};

// Who put a server into a tier. An administrator's entry wins over all else, and one that was
// made while the server runs over the configuration's.
// A peering is what two administrators have agreed on.
enum class Source : std::uint8_t { administrator, peering, list };
inline constexpr std::size_t source_count = 3;

// Why a server is in its tier: the rule that fired.
enum class Reason : std::uint8_t {
    closed,         // the mode lets nobody in
    key_conflict,   // quarantined at best
    administrator,  // an entry made while the server runs
    configuration,  // an entry of the configuration
    peering,
    list,
    fallen,
    earned,
    first_contact,  // where the mode has strangers begin
};
[[nodiscard]] std::string_view to_text(Reason reason);

struct Verdicted {
    Tier tier = Tier::blocked;
    Reason reason = Reason::first_contact;
    // The name above the server's whose entry it was; empty where it was its own.
    protocol::ServerName above{};
    friend bool operator==(const Verdicted&, const Verdicted&) = default;
};

// An entry that blocks or quarantines, of the administrator, the configuration or a list, holds for
// the names below as well, or whoever has a domain would have as many servers as he likes. The
// narrowest wins; one that raises holds for its own name alone.

// Entries of one source; more are refused.
inline constexpr std::size_t max_entries = 200'000;
// Servers whose standing is held; whoever comes beyond that is as at first contact.
inline constexpr std::size_t max_standings = 200'000;

class Tiers {
 public:
    using Entries = std::unordered_map<protocol::ServerName, Tier>;

    explicit Tiers(TierConfig config) : config_(std::move(config)) {}

    [[nodiscard]] Tier tier_of(const protocol::ServerName& server, protocol::Millis now) const;
    // A conflict isn't a time.
    Tier tier_of(const protocol::ServerName& server, bool key_conflict) const = delete;
    // A server in key conflict is quarantined at best.
    [[nodiscard]] Tier tier_of(const protocol::ServerName& server, bool key_conflict,
                               protocol::Millis now) const;
    [[nodiscard]] Verdicted explain(const protocol::ServerName& server, bool key_conflict,
                                    protocol::Millis now) const;

    // `too_large` where the source has as many as it may.
    [[nodiscard]] Result<void> put(Source source, const protocol::ServerName& server, Tier tier);
    void drop(Source source, const protocol::ServerName& server);
    [[nodiscard]] std::optional<Tier> entry(Source source,
                                            const protocol::ServerName& server) const;
    [[nodiscard]] const Entries& entries_of(Source source) const;
    [[nodiscard]] std::optional<Tier> configured(const protocol::ServerName& server) const;
    [[nodiscard]] const Entries& configuration() const { return config_.servers; }

    // The administrator has proposed a peering to it, or takes that back: whoever is blocked by the
    // mode alone is quarantined meanwhile, so that the proposal and its answer can pass.
    void note_proposed(const protocol::ServerName& server, bool is_proposed);

    [[nodiscard]] ServerStanding standing_of(const protocol::ServerName& server) const;
    // In the place of what is held; what says nothing of a tier takes no room.
    void hold(const protocol::ServerName& server, const ServerStanding& standing);

    [[nodiscard]] Mode mode() const { return config_.mode; }
    [[nodiscard]] const TierTable& table() const { return config_.table; }
    [[nodiscard]] const ConductFigures& conduct() const { return config_.conduct; }
    [[nodiscard]] std::size_t standings() const { return standings_.size(); }

 private:
    [[nodiscard]] Entries& entries(Source source);
    [[nodiscard]] std::optional<Verdicted> decided(const protocol::ServerName& server) const;

    TierConfig config_;
    std::array<Entries, source_count> entries_;
    std::unordered_map<protocol::ServerName, ServerStanding> standings_;
    std::unordered_set<protocol::ServerName> proposed_;
};

}  // namespace entente::trust
