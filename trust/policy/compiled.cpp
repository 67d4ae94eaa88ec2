#include "trust/policy/compiled.hpp"

#include <algorithm>
#include <bit>
#include <set>
#include <utility>

#include "trust/policy/condition_text.hpp"
#include "trust/policy/index_key.hpp"

namespace entente::trust::policy {
namespace {

Result<void> check_limits(const std::vector<Source>& sources)
{
    std::set<std::string_view> ids;
    std::size_t rules = 0, nodes = 0;
    for (const auto& source : sources) {
        if (!ids.insert(source.id).second)
            return refuse(Code::conflict, "two policies are called " + source.id);
        rules += source.policy.rules.size();
        nodes += source.policy.nodes;
    }
    if (sources.size() > max_policies)
        return refuse(Code::too_large, "there may be 64 policies, the shipped ones included");
    if (rules > max_rules)
        return refuse(Code::too_large, "all policies together may have 8000 rules");
    if (nodes > max_nodes)
        return refuse(Code::too_large,
                      "all policies together may have 40000 conditions and values");
    return {};
}

template <class Groups>
auto& group_of(Groups& groups, Attribute attribute)
{
    const auto found = std::find_if(groups.begin(), groups.end(), [attribute](const auto& group) {
        return group.attribute == attribute;
    });
    if (found != groups.end()) return *found;
    groups.emplace_back();
    groups.back().attribute = attribute;
    return groups.back();
}

}  // namespace

std::string_view to_text(Outcome outcome)
{
    switch (outcome) {
        case Outcome::denied: return "denied";
        case Outcome::held: return "held";
        case Outcome::permitted: return "permitted";
    }
    return "denied";
}

std::string RuleName::text() const
{
    if (by != Decider::by_rule) return std::string(policy) + "/" + std::string(rule);
    return std::string(policy) + "@" + std::to_string(version) + "/" + std::string(rule);
}

Result<std::shared_ptr<const Compiled>> Compiled::make(std::vector<Source> sources)
{
    if (auto checked = check_limits(sources); !checked) return fail(checked);
    const std::shared_ptr<Compiled> made(new Compiled());
    // Wider scopes first, so that the first rule that decides is the widest.
    for (const auto scope : {Scope::server, Scope::category, Scope::drawer, Scope::channel}) {
        for (std::size_t at = 0; at < sources.size(); ++at) {
            for (const auto& rule : sources[at].policy.rules)
                if (rule.scope == scope) made->add_rule(at, rule);
        }
    }
    for (auto& source : sources) source.policy = {};
    made->sources_ = std::move(sources);
    if (auto numbered = made->number_effects(); !numbered) return fail(numbered);
    for (std::uint32_t rule = 0; rule < made->rules_.size(); ++rule) made->add_to_index(rule);
    for (auto& index : made->by_action_) {
        for (auto& group : index.texts_equal) std::sort(group.rules.begin(), group.rules.end());
    }
    return std::shared_ptr<const Compiled>(made);
}

void Compiled::add_rule(std::size_t source, Rule rule)
{
    CompiledRule compiled;
    compiled.first_step = predicates_.add(rule);
    for (const auto& effect : rule.effects) {
        compiled.allows |= effect.kind == EffectKind::allow;
        compiled.denies |= effect.kind == EffectKind::deny;
        compiled.is_held |= effect.kind == EffectKind::hold;
    }
    rules_.push_back(compiled);
    origins_.push_back({source, std::move(rule)});
}

// Numbers rise in the order in which effects are carried out.
Result<void> Compiled::number_effects()
{
    std::vector<std::vector<std::uint16_t>> numbers(rules_.size());
    for (const auto kind : {EffectKind::limit, EffectKind::hold, EffectKind::tag,
                            EffectKind::notify, EffectKind::log}) {
        const auto first = static_cast<std::ptrdiff_t>(effects_.size());
        for (std::uint32_t rule = 0; rule < rules_.size(); ++rule) {
            for (const auto& effect : origins_[rule].rule.effects) {
                if (effect.kind != kind) continue;
                // Two rules with one limit count apart: who is under both is under each.
                const auto known =
                    kind == EffectKind::limit
                        ? effects_.end()
                        : std::find_if(effects_.begin() + first, effects_.end(),
                                       [&](const auto& one) { return one.effect == effect; });
                const auto number = known - effects_.begin();
                if (known == effects_.end()) {
                    if (effects_.size() == max_distinct_effects)
                        return refuse(Code::too_large,
                                      "all policies together may have 256 limits and other "
                                      "effects that differ");
                    effects_.push_back({effect, name_of(rule)});
                }
                numbers[rule].push_back(static_cast<std::uint16_t>(number));
            }
        }
        if (kind == EffectKind::hold || kind == EffectKind::limit) continue;
        for (auto at = static_cast<std::size_t>(first); at < effects_.size(); ++at) told_.set(at);
    }
    for (std::uint32_t rule = 0; rule < rules_.size(); ++rule) {
        rules_[rule].effects_begin = static_cast<std::uint32_t>(effect_list_.size());
        effect_list_.insert(effect_list_.end(), numbers[rule].begin(), numbers[rule].end());
        rules_[rule].effects_end = static_cast<std::uint32_t>(effect_list_.size());
    }
    return {};
}

void Compiled::add_to_index(std::uint32_t rule)
{
    const auto& origin = origins_[rule].rule;
    const auto key = index_key(origin);
    auto reads = origin.when ? attributes_of(*origin.when) : Attributes{0};
    if (origin.scope != Scope::server) reads |= bit(attribute_of(origin.scope));
    for (const auto action : origin.actions) {
        auto& index = by_action_.at(static_cast<std::size_t>(action));
        index.asked |= reads;
        for (auto left = reads; left != 0; left &= left - 1) {
            const auto attribute = static_cast<Attribute>(std::countr_zero(left));
            if (row_of(attribute).type == Type::text) index.texts |= bit(attribute);
        }
        if (!key) {
            index.always.push_back(rule);
        } else if (key->texts.empty()) {
            auto& group = group_of(index.words, key->attribute);
            group.rules.resize(row_of(key->attribute).words.size());
            for (auto words = key->words; words != 0; words &= words - 1)
                group.rules.at(static_cast<std::size_t>(std::countr_zero(words))).push_back(rule);
        } else {
            auto& group = group_of(index.texts_equal, key->attribute);
            for (const auto& text :
                 std::set<std::string_view>(key->texts.begin(), key->texts.end()))
                group.rules.emplace_back(predicates_.id_of(text), rule);
        }
    }
}

RuleName Compiled::name_of(std::uint32_t rule) const
{
    const auto& origin = origins_[rule];
    const auto& source = sources_[origin.source];
    return {source.id, source.version, origin.rule.id};
}

}  // namespace entente::trust::policy
