// Reads the text of a policy. Unknown members are refused, not ignored: a rule with a misspelt
// `when` would otherwise hold for everybody.
#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/nearest_name.hpp"
#include "protocol/raw_json.hpp"
#include "trust/policy/condition_text.hpp"
#include "trust/policy/language.hpp"
#include "trust/policy/place.hpp"

namespace entente::trust::policy {
namespace {

namespace raw = protocol::raw;

constexpr std::array<std::string_view, 4> scope_names{"server", "category", "drawer", "channel"};
constexpr std::array<std::string_view, 3> counted_names{"subject", "server", "all"};
constexpr std::array<std::string_view, 2> approvers{"user", "moderator"};
constexpr std::array<std::string_view, 1> told{"administrators"};

// The members of an object by their names, in the order of `names`; empty where one is absent.
template <std::size_t count>
Result<std::array<std::string_view, count>> read_members(
    const Place& place, const std::array<std::string_view, count>& names)
{
    std::array<std::string_view, count> values;
    if (!raw::is_object(place.value)) return place.fault("must be an object");
    for (raw::Items members{place.value}; members.next();) {
        const auto name = members.name();
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) {
            const auto near = protocol::nearest_name(name, names);
            return place.within(members.value(), name)
                .fault("there is no such member" +
                       (near ? "; did you mean " + std::string(*near) + "?" : std::string{}));
        }
        values.at(static_cast<std::size_t>(found - names.begin())) = members.value();
    }
    return values;
}

Result<std::string> read_text(const Place& place, std::size_t most)
{
    if (!raw::is_string(place.value)) return place.fault("must be a text");
    auto text = raw::unescaped(place.value);
    if (text.empty()) return place.fault("must not be empty");
    if (text.size() > most)
        return place.fault("is longer than " + std::to_string(most) + " octets", Code::too_large);
    return text;
}

Result<std::int64_t> read_count(const Place& outer, std::string_view value, std::string name,
                                std::int64_t most)
{
    if (value.empty()) return outer.fault("needs a member " + name);
    const auto place = outer.within(value, std::move(name));
    const auto number = raw::integer(value);
    if (!number || *number < 1 || *number > most)
        return place.fault("must be an integer from 1 to " + std::to_string(most));
    return *number;
}

template <std::size_t count>
Result<std::size_t> read_choice(const Place& place,
                                const std::array<std::string_view, count>& choices)
{
    if (raw::is_string(place.value)) {
        const auto found = std::find(choices.begin(), choices.end(), raw::unescaped(place.value));
        if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
    }
    std::string list;
    for (const auto choice : choices) list += (list.empty() ? "" : ", ") + std::string(choice);
    return place.fault("must be one of " + list);
}

Result<EffectKind> read_kind(const Place& place, std::string_view name)
{
    if (const auto kind = effect_from(name)) return *kind;
    return place.fault("there is no effect " + quoted(name) +
                       "; write one of allow, deny, limit, hold, tag, notify, log");
}

Result<void> read_limit(const Place& place, Effect& effect)
{
    const auto members = read_members<3>(place, {"count", "seconds", "of"});
    if (!members) return fail(members);
    auto count = read_count(place, (*members)[0], "count", max_limit_count);
    if (!count) return fail(count);
    auto seconds = read_count(place, (*members)[1], "seconds", max_limit_seconds);
    if (!seconds) return fail(seconds);
    effect.count = *count;
    effect.seconds = *seconds;
    if ((*members)[2].empty()) return {};
    auto counted = read_choice(place.within((*members)[2], "of"), counted_names);
    if (!counted) return fail(counted);
    effect.counted = static_cast<Counted>(*counted);
    return {};
}

// "allow", "deny", "log", or an object with one member: {"tag": "…"}.
Result<Effect> read_effect(const Place& place)
{
    Effect effect;
    if (raw::is_string(place.value)) {
        auto kind = read_kind(place, raw::unescaped(place.value));
        if (!kind) return fail(kind);
        effect.kind = *kind;
        if (effect.kind == EffectKind::limit || effect.kind == EffectKind::hold ||
            effect.kind == EffectKind::tag || effect.kind == EffectKind::notify)
            return place.fault("needs a value, as {\"" + std::string(to_text(*kind)) + "\": …}");
        return effect;
    }
    raw::Items members{place.value};
    if (!raw::is_object(place.value) || !members.next())
        return place.fault("must be an effect: its name, or an object with one member");
    const auto at = place.within(members.value(), members.name());
    if (members.next()) return place.fault("must have one member; each effect stands alone");
    auto kind = read_kind(at, at.name);
    if (!kind) return fail(kind);
    effect.kind = *kind;
    const auto choose = [&](const auto& choices) -> Result<Effect> {
        auto chosen = read_choice(at, choices);
        if (!chosen) return fail(chosen);
        effect.text = choices.at(*chosen);
        return effect;
    };
    switch (effect.kind) {
        case EffectKind::limit: {
            auto limit = read_limit(at, effect);
            return limit ? Result<Effect>{effect} : fail(limit);
        }
        case EffectKind::hold: return choose(approvers);
        case EffectKind::notify: return choose(told);
        case EffectKind::tag: {
            auto text = read_text(at, max_policy_text_octets);
            if (!text) return fail(text);
            effect.text = std::move(*text);
            return effect;
        }
        case EffectKind::allow:
        case EffectKind::deny:
        case EffectKind::log: break;
    }
    return place.fault("takes no value; write \"" + std::string(to_text(*kind)) + "\"");
}

Result<void> read_effects(const Place& place, Rule& rule)
{
    if (!raw::is_array(place.value)) return place.fault("must be a list of effects");
    bool decides = false;
    for (raw::Items items{place.value}; items.next();) {
        const auto item = place.within(items.value(), std::to_string(rule.effects.size()));
        if (rule.effects.size() == max_rule_effects)
            return item.fault("is one effect more than a rule may have: 8", Code::too_large);
        auto effect = read_effect(item);
        if (!effect) return fail(effect);
        const bool is_decision =
            effect->kind == EffectKind::allow || effect->kind == EffectKind::deny;
        if (is_decision && std::exchange(decides, true))
            return item.fault("a rule allows or denies once");
        if (std::find(rule.effects.begin(), rule.effects.end(), *effect) != rule.effects.end())
            return item.fault("stands twice");
        rule.effects.push_back(std::move(*effect));
    }
    if (rule.effects.empty()) return place.fault("is empty: the rule would do nothing");
    return {};
}

Result<void> read_scope(const Place& place, Rule& rule)
{
    auto text = read_text(place, max_policy_text_octets);
    if (!text) return fail(text);
    if (*text == "server") return {};
    const auto colon = text->find(':');
    const auto level = std::string_view(*text).substr(0, colon);
    const auto scope = scope_from(level);
    if (colon == std::string::npos || !scope || *scope == Scope::server ||
        colon + 1 == text->size())
        return place.fault(
            "must be \"server\", or category:, drawer: or channel: with what it is called");
    rule.scope = *scope;
    rule.place = text->substr(colon + 1);
    return {};
}

// What a rule asks of an action, beside its name.
struct Demands {
    Attributes reads = 0;
    Effects does = 0;
    std::string_view held_for;  // of a hold
};

Demands demands_of(const Rule& rule)
{
    Demands demands;
    if (rule.when) demands.reads = attributes_of(*rule.when);
    if (rule.scope != Scope::server) demands.reads |= bit(attribute_of(rule.scope));
    for (const auto& effect : rule.effects) {
        demands.does = static_cast<Effects>(demands.does | bit(effect.kind));
        if (effect.kind == EffectKind::hold) demands.held_for = effect.text;
    }
    return demands;
}

// Why a rule can't be one for this action; empty where it can.
std::string obstacle(const Demands& demands, Action action)
{
    const auto& row = row_of(action);
    const auto& point = row_of(row.point);
    for (unsigned at = 0; at <= static_cast<unsigned>(EffectKind::log); ++at) {
        const auto kind = static_cast<EffectKind>(at);
        if ((demands.does & bit(kind)) != 0 && (point.allows & bit(kind)) == 0)
            return std::string(row.name) + " can't have the effect " + std::string(to_text(kind)) +
                   ", since the point \"" + std::string(point.name) + "\" can't carry it out";
    }
    if ((demands.does & bit(EffectKind::hold)) != 0 && demands.held_for != point.approver)
        return std::string(row.name) + " can be held for the " + std::string(point.approver) +
               " alone";
    if (const auto lacking = demands.reads & ~row.knows; lacking != 0) {
        const auto first = static_cast<Attribute>(std::countr_zero(lacking));
        return std::string(row_of(first).name) + " isn't known where " + std::string(row.name) +
               " is decided";
    }
    return {};
}

// A pattern stands for those of its actions that can be asked and told what the rule wants.
Result<void> read_pattern(const Place& place, const Demands& demands, std::set<Action>& actions)
{
    auto pattern = read_text(place, max_policy_id_octets);
    if (!pattern) return fail(pattern);
    bool any = false, fits = false;
    std::string why;
    for (std::size_t at = 0; at < action_count; ++at) {
        const auto action = static_cast<Action>(at);
        if (!matches(*pattern, action)) continue;
        any = true;
        auto reason = obstacle(demands, action);
        if (reason.empty()) {
            fits = true;
            actions.insert(action);
        } else if (why.empty()) {
            why = std::move(reason);
        }
    }
    if (!any) {
        const auto near = nearest_action(*pattern);
        return place.fault("there is no action " + quoted(*pattern) +
                           (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
    }
    if (!fits) return place.fault(why);
    return {};
}

Result<void> read_actions(const Place& place, Rule& rule)
{
    if (!raw::is_array(place.value)) return place.fault("must be a list of actions");
    const auto demands = demands_of(rule);
    std::set<Action> actions;
    std::size_t index = 0;
    for (raw::Items items{place.value}; items.next(); ++index) {
        const auto item = place.within(items.value(), std::to_string(index));
        if (index == max_rule_actions)
            return item.fault("is one action more than a rule may name: 64", Code::too_large);
        if (auto read = read_pattern(item, demands, actions); !read) return read;
    }
    if (index == 0) return place.fault("is empty: the rule would be about nothing");
    rule.actions.assign(actions.begin(), actions.end());
    return {};
}

Result<Rule> read_rule(const Place& place, NodeCount& count)
{
    const auto read = read_members<6>(place, {"id", "note", "scope", "actions", "when", "effects"});
    if (!read) return fail(read);
    const auto& [id, note, scope, actions, when, effects] = *read;
    Rule rule;
    for (const auto& [value, name] :
         {std::pair{id, "id"}, {actions, "actions"}, {effects, "effects"}}) {
        if (value.empty()) return place.fault("needs a member " + std::string(name));
    }
    const auto id_at = place.within(id, "id");
    auto text = read_text(id_at, max_policy_id_octets);
    if (!text) return fail(text);
    if (!is_policy_id(*text)) return id_at.fault("may have a-z, 0-9, dot, hyphen and underscore");
    rule.id = std::move(*text);
    if (!note.empty()) {
        auto noted = read_text(place.within(note, "note"), max_policy_note_octets);
        if (!noted) return fail(noted);
        rule.note = std::move(*noted);
    }
    if (!scope.empty()) {
        if (auto scoped = read_scope(place.within(scope, "scope"), rule); !scoped)
            return fail(scoped);
    }
    if (!when.empty()) {
        auto condition = read_condition(place.within(when, "when"), count);
        if (!condition) return fail(condition);
        rule.when = std::move(*condition);
    }
    if (auto done = read_effects(place.within(effects, "effects"), rule); !done) return fail(done);
    // Last, since what an action must know and allow follows from the rest.
    if (auto named = read_actions(place.within(actions, "actions"), rule); !named)
        return fail(named);
    return rule;
}

Result<void> read_rules(const Place& place, Policy& policy)
{
    if (!raw::is_array(place.value)) return place.fault("must be a list of rules");
    std::set<std::string, std::less<>> ids;
    NodeCount count;
    for (raw::Items items{place.value}; items.next();) {
        const auto item = place.within(items.value(), std::to_string(policy.rules.size()));
        if (policy.rules.size() == max_policy_rules)
            return item.fault("is one rule more than a policy may have: 2000", Code::too_large);
        auto rule = read_rule(item, count);
        if (!rule) return fail(rule);
        if (!ids.insert(rule->id).second)
            return item.fault("another rule of this policy is called " + rule->id);
        policy.rules.push_back(std::move(*rule));
    }
    policy.nodes = count.nodes;
    return {};
}

}  // namespace

std::string_view to_text(Scope scope)
{
    return scope_names.at(static_cast<std::size_t>(scope));
}

std::optional<Scope> scope_from(std::string_view name)
{
    const auto found = std::find(scope_names.begin(), scope_names.end(), name);
    if (found == scope_names.end()) return std::nullopt;
    return static_cast<Scope>(found - scope_names.begin());
}

std::string_view to_text(Counted counted)
{
    return counted_names.at(static_cast<std::size_t>(counted));
}

bool is_policy_id(std::string_view text)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
    return !text.empty() && text.size() <= max_policy_id_octets &&
           text.find_first_not_of(allowed) == std::string_view::npos;
}

Result<Policy> parse_policy(std::string_view text)
{
    if (text.size() > max_policy_octets)
        return refuse(Code::too_large, "(top): is longer than 1 MiB");
    if (const auto fault = protocol::find_json_fault(text)) {
        return refuse(Code::malformed, fault->pointer + " (" +
                                           line_and_column(text, fault->offset) +
                                           "): " + std::string(fault->reason));
    }
    const auto start = text.find_first_not_of(" \t\r\n");
    const Place top{text, text.substr(start), nullptr, {}};
    const auto members = read_members<2>(top, {"version", "rules"});
    if (!members) return fail(members);
    const auto& [version, rules] = *members;
    if (version.empty()) return top.fault("needs a member version");
    if (rules.empty()) return top.fault("needs a member rules");
    if (raw::integer(version) != language_version)
        return top.within(version, "version").fault("must be 1");
    Policy policy;
    if (auto read = read_rules(top.within(rules, "rules"), policy); !read) return fail(read);
    return policy;
}

}  // namespace entente::trust::policy
