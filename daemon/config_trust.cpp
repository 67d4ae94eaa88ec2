#include "daemon/config_trust.hpp"

namespace entente::daemon {

namespace {

constexpr std::int64_t most_a_minute = 1'000'000'000;
constexpr std::int64_t most_bytes_a_minute = 1'000'000'000'000;
constexpr std::int64_t most_days = 3'650;
constexpr std::int64_t most_hours = 24 * most_days;

template <trust::Tier tier, std::int64_t trust::TierBudget::* figure>
std::int64_t& budget_figure(Config& config)
{
    return config.trust.table.of(tier).*figure;
}

template <std::int64_t trust::ConductFigures::* figure>
std::int64_t& conduct_figure(Config& config)
{
    return config.trust.conduct.*figure;
}

// The defaults as the reference writes them, in the order of the keys.
struct BudgetDefaults {
    std::string_view requests, events, bytes, claims, signals, invitations, look_ups, media;
};

template <trust::Tier tier>
void add_budget(std::vector<KeyRule<Config>>& rules, std::string_view section,
                const BudgetDefaults& defaults)
{
    using Budget = trust::TierBudget;
    const auto add = [&](std::string_view key, std::string_view fallback,
                         std::int64_t& (*at)(Config&), std::int64_t high = most_a_minute) {
        rules.push_back({section, key, fallback, KeyKind::integer, integer(at, 0, high)});
    };
    add("requests", defaults.requests, budget_figure<tier, &Budget::requests>);
    add("events", defaults.events, budget_figure<tier, &Budget::events>);
    add("bytes", defaults.bytes, budget_figure<tier, &Budget::bytes>, most_bytes_a_minute);
    add("claims", defaults.claims, budget_figure<tier, &Budget::claims>);
    add("signals", defaults.signals, budget_figure<tier, &Budget::signals>);
    add("invitations", defaults.invitations, budget_figure<tier, &Budget::invitations>);
    add("look_ups", defaults.look_ups, budget_figure<tier, &Budget::look_ups>);
    add("media", defaults.media, budget_figure<tier, &Budget::media>);
}

void add_budgets(std::vector<KeyRule<Config>>& rules)
{
    using trust::Tier;
    add_budget<Tier::quarantined>(rules, "trust.budgets.quarantined",
                                  {"60", "60", "4194304", "10", "0", "10", "10", "10"});
    add_budget<Tier::guest>(rules, "trust.budgets.guest",
                            {"600", "600", "20971520", "60", "600", "60", "60", "60"});
    add_budget<Tier::known>(rules, "trust.budgets.known",
                            {"6000", "6000", "209715200", "600", "6000", "6000", "600", "600"});
    add_budget<Tier::trusted>(
        rules, "trust.budgets.trusted",
        {"600000", "600000", "4294967296", "6000", "600000", "600000", "6000", "6000"});
}

void add_conduct(std::vector<KeyRule<Config>>& rules)
{
    using Figures = trust::ConductFigures;
    const auto add = [&](std::string_view section, std::string_view key, std::string_view fallback,
                         std::int64_t& (*at)(Config&), std::int64_t low, std::int64_t high) {
        rules.push_back({section, key, fallback, KeyKind::integer, integer(at, low, high)});
    };
    add("trust.earning", "days", "7", conduct_figure<&Figures::known_days>, 0, most_days);
    add("trust.earning", "events", "100", conduct_figure<&Figures::known_events>, 1, most_a_minute);
    add("trust.earning", "days_after_report", "30", conduct_figure<&Figures::report_bars_days>, 0,
        most_days);
    add("trust.falls", "first_hours", "24", conduct_figure<&Figures::first_fall_hours>, 1,
        most_hours);
    add("trust.falls", "longest_hours", "6144", conduct_figure<&Figures::longest_fall_hours>, 1,
        most_hours);
    add("trust.falls", "faults_a_day", "10", conduct_figure<&Figures::daily_faults>, 0,
        most_a_minute);
    // One person's word alone must never fell a server.
    add("trust.falls", "reporters", "3", conduct_figure<&Figures::fall_reporters>, 2, 1'000);
    add("trust.falls", "report_days", "7", conduct_figure<&Figures::report_window_days>, 1,
        most_days);
}

}  // namespace

void add_trust_figures(std::vector<KeyRule<Config>>& rules)
{
    add_budgets(rules);
    add_conduct(rules);
}

}  // namespace entente::daemon
