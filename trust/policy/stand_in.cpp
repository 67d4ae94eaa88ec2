#include "trust/policy/stand_in.hpp"

#include <algorithm>
#include <bitset>
#include <optional>
#include <utility>

#include "protocol/raw_json.hpp"
#include "protocol/raw_members.hpp"

namespace entente::trust::policy {
namespace {

namespace raw = protocol::raw;
using Named = std::bitset<action_count>;

// False of what names nothing: an action that is called otherwise by now.
bool add_matching(Named& named, std::string_view pattern)
{
    bool is_any = false;
    for (std::size_t at = 0; at < action_count; ++at) {
        if (!matches(pattern, static_cast<Action>(at))) continue;
        named.set(at);
        is_any = true;
    }
    return is_any;
}

std::string_view member_of(std::string_view object, std::string_view name)
{
    for (raw::Items items{object}; items.next();)
        if (items.is_named(name)) return items.value();
    return {};
}

// Nothing where a part of it can't be made out.
std::optional<Named> named_in(std::string_view text)
{
    const auto policy = protocol::checked_object(text);
    if (!policy) return std::nullopt;
    const auto rules = member_of(*policy, "rules");
    if (!raw::is_array(rules)) return std::nullopt;
    Named named;
    for (raw::Items each{rules}; each.next();) {
        if (!raw::is_object(each.value())) return std::nullopt;
        const auto actions = member_of(each.value(), "actions");
        if (!raw::is_array(actions)) return std::nullopt;
        for (raw::Items action{actions}; action.next();) {
            if (!raw::is_string(action.value()) ||
                !add_matching(named, raw::unescaped(action.value())))
                return std::nullopt;
        }
    }
    return named;
}

bool is_to_put_it_right(Action action)
{
    return matches("policy.*", action) || matches("settings.*", action) ||
           action == Action::audit_read;
}

Condition no_administrator()
{
    Condition condition;
    condition.attribute = Attribute::subject_role;
    condition.test = Test::ge;
    condition.words = (std::uint64_t{1} << static_cast<unsigned>(ServerRole::admin)) |
                      (std::uint64_t{1} << static_cast<unsigned>(ServerRole::superadmin));
    Condition negation;
    negation.test = Test::negation;
    negation.children.push_back(std::move(condition));
    return negation;
}

}  // namespace

std::vector<Rule> stand_in(std::string_view id, std::string_view text)
{
    const auto named = named_in(text).value_or(Named{}.set());
    Effect deny;
    deny.kind = EffectKind::deny;
    Rule all, unless_administrator;
    for (auto* rule : {&all, &unless_administrator}) {
        rule->id = id;
        rule->note = "This stored policy can't be held: what it names is denied meanwhile.";
        rule->effects = {deny};
    }
    unless_administrator.when = no_administrator();
    for (std::size_t at = 0; at < action_count; ++at) {
        const auto action = static_cast<Action>(at);
        if (!named.test(at) || !row_of(row_of(action).point).can_refuse) continue;
        (is_to_put_it_right(action) ? unless_administrator : all).actions.push_back(action);
    }
    std::vector<Rule> rules;
    for (auto* rule : {&all, &unless_administrator})
        if (!rule->actions.empty()) rules.push_back(std::move(*rule));
    return rules;
}

}  // namespace entente::trust::policy
