// How a request is decided. Nothing here allocates but explaining and `certainty`, which are for
// people.
#include <algorithm>
#include <bit>
#include <utility>

#include "trust/policy/compiled.hpp"
#include "trust/policy/condition_text.hpp"
#include "trust/policy/invariants.hpp"

namespace entente::trust::policy {
namespace {

RuleName broken_by(std::string_view invariant)
{
    return {"(invariants)", 0, invariant, Decider::by_invariant};
}

Verdict refused_by(std::string_view invariant)
{
    Verdict verdict;
    verdict.rule = broken_by(invariant);
    return verdict;
}

constexpr auto no_rule = ~std::uint32_t{0};

std::string effects_text(const std::vector<Effect>& effects)
{
    std::string text;
    for (const auto& effect : effects) {
        if (!text.empty()) text += ", ";
        text += to_text(effect.kind);
        if (!effect.text.empty()) text += " " + effect.text;
        if (effect.kind != EffectKind::limit) continue;
        text += " " + std::to_string(effect.count) + " in " + std::to_string(effect.seconds) +
                " s of " + std::string(to_text(effect.counted));
    }
    return text;
}

}  // namespace

Predicates::Subject Compiled::looked_up(const Request& request) const
{
    Predicates::Subject subject{request, {}};
    const auto& index = by_action_[static_cast<std::size_t>(request.action())];
    for (auto left = index.texts & request.present(); left != 0; left &= left - 1) {
        const auto at = static_cast<std::size_t>(std::countr_zero(left));
        subject.texts[at] = predicates_.id_of(request.text(static_cast<Attribute>(at)));
    }
    return subject;
}

template <class Take>
void Compiled::for_each_match(const Predicates::Subject& subject, std::uint32_t& steps,
                              Take take) const
{
    const auto& request = subject.request;
    const auto& index = by_action_[static_cast<std::size_t>(request.action())];
    const auto try_rule = [&](std::uint32_t rule) {
        if (predicates_.holds_for(rules_[rule].first_step, subject, steps)) take(rule);
    };
    for (const auto rule : index.always) try_rule(rule);
    for (const auto& group : index.words) {
        if (!request.has(group.attribute)) continue;
        const auto& rules = group.rules[static_cast<std::size_t>(request.value(group.attribute))];
        for (const auto rule : rules) try_rule(rule);
    }
    for (const auto& group : index.texts_equal) {
        if (!request.has(group.attribute)) continue;
        const auto id = subject.texts[static_cast<std::size_t>(group.attribute)];
        if (id == unknown_text) continue;
        auto at = std::lower_bound(group.rules.begin(), group.rules.end(), std::pair{id, 0U});
        for (; at != group.rules.end() && at->first == id; ++at) try_rule(at->second);
    }
}

Verdict Compiled::decide(const Request& request) const
{
    const auto broken = broken_invariant(request);
    return broken.empty() ? decide_by_rules(request) : refused_by(broken);
}

Verdict Compiled::decide_by_rules(const Request& request) const
{
    Verdict verdict;
    auto allows = no_rule, denies = no_rule, is_held = no_rule;
    const auto subject = looked_up(request);
    for_each_match(subject, verdict.steps, [&](std::uint32_t at) {
        const auto& rule = rules_[at];
        if (rule.allows) allows = std::min(allows, at);
        if (rule.denies) denies = std::min(denies, at);
        if (rule.is_held) is_held = std::min(is_held, at);
        for (auto effect = rule.effects_begin; effect < rule.effects_end; ++effect)
            verdict.effects.set(effect_list_[effect]);
    });
    const bool can_refuse = row_of(row_of(request.action()).point).can_refuse;
    if (denies != no_rule || (allows == no_rule && can_refuse)) {
        verdict.rule = denies != no_rule ? name_of(denies) : nothing_allows;
        verdict.effects &= told_;
        return verdict;
    }
    verdict.outcome = is_held != no_rule ? Outcome::held : Outcome::permitted;
    verdict.rule = is_held != no_rule  ? name_of(is_held)
                   : allows != no_rule ? name_of(allows)
                                       : cannot_refuse;
    return verdict;
}

std::vector<Compiled::Match> Compiled::explain(const Request& request) const
{
    std::vector<std::uint32_t> rules;
    std::uint32_t steps = 0;
    const auto subject = looked_up(request);
    for_each_match(subject, steps, [&](std::uint32_t rule) { rules.push_back(rule); });
    std::sort(rules.begin(), rules.end());
    std::vector<Match> matches;
    for (const auto at : rules) {
        const auto& rule = origins_[at].rule;
        matches.push_back({name_of(at), rule.note, effects_text(rule.effects), rule.scope});
    }
    return matches;
}

Compiled::Certainty Compiled::certainty(const Request& request, Attributes known) const
{
    Certainty certainty{false, nothing_allows};
    if (const auto broken = broken_invariant(request); !broken.empty())
        return {false, broken_by(broken)};
    const auto subject = looked_up(request);
    for (std::uint32_t at = 0; at < rules_.size(); ++at) {
        const auto& actions = origins_[at].rule.actions;
        if (std::find(actions.begin(), actions.end(), request.action()) == actions.end()) continue;
        const auto possible = predicates_.possible(rules_[at].first_step, subject, known);
        if (rules_[at].denies && possible.holds) return {false, name_of(at)};
        if (rules_[at].allows && !possible.fails) certainty.is_permitted = true;
    }
    if (certainty.is_permitted) certainty.hindrance = {};
    return certainty;
}

Compiled::Foresight Compiled::foresee(const Request& request, Attributes unknown) const
{
    const auto broken = broken_invariant(request);
    const bool is_open = broken == facts_missing;
    if (!broken.empty() && !is_open) return {refused_by(broken), 0};
    // What one kind of rule says for sure, and what its others ask for.
    struct Leaning {
        bool is_sure = false;
        Attributes asked = 0;
    };
    Leaning denies, allows, is_held;
    const auto subject = looked_up(request);
    for (std::uint32_t at = 0; at < rules_.size(); ++at) {
        const auto& rule = origins_[at].rule;
        if (std::ranges::find(rule.actions, request.action()) == rule.actions.end()) continue;
        const auto possible = predicates_.possible(rules_[at].first_step, subject, ~unknown);
        if (!possible.holds) continue;
        auto reads = rule.when ? attributes_of(*rule.when) : Attributes{0};
        if (rule.scope != Scope::server) reads |= bit(attribute_of(rule.scope));
        const auto lean = [&](bool is_of_kind, Leaning& leaning) {
            if (!is_of_kind) return;
            leaning.is_sure |= !possible.fails;
            if (possible.fails) leaning.asked |= reads & unknown;
        };
        lean(rules_[at].denies, denies);
        lean(rules_[at].allows, allows);
        lean(rules_[at].is_held, is_held);
    }
    const bool can_refuse = row_of(row_of(request.action()).point).can_refuse;
    const bool is_denied = denies.is_sure || (can_refuse && !allows.is_sure && allows.asked == 0);
    Foresight foresight{decide_by_rules(request), 0};
    if (is_denied) return foresight;
    foresight.depends_on = denies.asked | (is_open ? missing_facts(request) : 0);
    if (can_refuse && !allows.is_sure) foresight.depends_on |= allows.asked;
    if (!is_held.is_sure) foresight.depends_on |= is_held.asked;
    return foresight;
}

}  // namespace entente::trust::policy
