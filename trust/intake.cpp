#include "trust/intake.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string_view>
#include <unordered_set>

namespace entente::trust {

namespace {

void read_new(PinnedServer& pins, const std::vector<std::string>& texts, Millis now)
{
    std::unordered_set<std::string_view> held;
    for (const auto& statement : pins.statements) held.insert(statement.statement.text);
    std::vector<HeldStatement> fresh;
    std::size_t read = 0;
    for (const auto& text : texts) {
        if (!held.insert(text).second) continue;
        if (++read > max_statements_at_once) break;
        // A type that we don't know may come any time [VER-1].
        auto statement = protocol::parse_statement(text, {.allow_test_names = true});
        if (!statement || statement->signer.server != pins.server) continue;
        if (statement->at() > now + max_statement_ahead_ms) continue;
        fresh.push_back({std::move(*statement), now, Standing::waiting});
    }
    std::ranges::move(fresh, std::back_inserter(pins.statements));
}

using Is = std::function<bool(const Bearing&)>;
enum class First : std::uint8_t { the_oldest, the_idle_then_the_newest };

// Marks what goes of those that `is`, where they are more than `most`.
void drop_beyond(std::vector<bool>& dropped, const std::vector<Bearing>& bearings, std::size_t most,
                 First first, const Is& is)
{
    std::vector<std::size_t> those, others;
    for (std::size_t i = 0; i < bearings.size(); ++i) {
        if (!is(bearings[i])) continue;
        const bool is_later = first == First::the_idle_then_the_newest && !bearings[i].is_idle;
        (is_later ? others : those).push_back(i);
    }
    those.insert(those.end(), others.rbegin(), others.rend());
    if (those.size() <= most) return;
    const auto excess = those.size() - most;
    for (std::size_t i = 0; i < excess; ++i) dropped[those[i]] = true;
}

// True where a proven one had to go.
bool keep_to_bounds(PinnedServer& pins, const std::vector<Bearing>& bearings)
{
    const auto is_proven = [](const Bearing& bearing, bool by_recovery) {
        return bearing.standing != Standing::waiting && bearing.by_recovery == by_recovery;
    };
    std::vector<bool> dropped(bearings.size(), false);
    drop_beyond(dropped, bearings, max_statements_by_keys, First::the_idle_then_the_newest,
                [&](const Bearing& bearing) { return is_proven(bearing, false); });
    drop_beyond(dropped, bearings, max_statements_by_recovery, First::the_idle_then_the_newest,
                [&](const Bearing& bearing) { return is_proven(bearing, true); });
    const bool proven_dropped = std::find(dropped.begin(), dropped.end(), true) != dropped.end();
    drop_beyond(dropped, bearings, max_waiting_statements, First::the_oldest,
                [](const Bearing& bearing) {
                    return bearing.standing == Standing::waiting && !bearing.is_forged;
                });

    std::vector<HeldStatement> kept;
    for (std::size_t i = 0; i < bearings.size(); ++i) {
        if (dropped[i] || bearings[i].is_forged) continue;
        kept.push_back(std::move(pins.statements[i]));
        kept.back().standing = bearings[i].standing;
    }
    pins.statements = std::move(kept);
    return proven_dropped;
}

}  // namespace

Resolution take_statements(PinnedServer& pins, const std::vector<std::string>& texts, Millis now)
{
    read_new(pins, texts, now);
    auto resolution = resolve(pins);
    // What follows without those that had no room; they go once, so this ends.
    while (keep_to_bounds(pins, resolution.bearings)) resolution = resolve(pins);
    return resolution;
}

}  // namespace entente::trust
