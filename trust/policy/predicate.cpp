#include "trust/policy/predicate.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace entente::trust::policy {
namespace {

bool compares(Test test, std::int64_t left, std::int64_t right)
{
    switch (test) {
        case Test::eq: return left == right;
        case Test::ne: return left != right;
        case Test::lt: return left < right;
        case Test::le: return left <= right;
        case Test::gt: return left > right;
        case Test::ge: return left >= right;
        default: return false;
    }
}

template <class Values, class Value>
bool is_in(const Values& values, const Step& step, Value value)
{
    const auto begin = values.begin() + step.begin;
    return std::binary_search(begin, values.begin() + step.end, value);
}

}  // namespace

std::int32_t Predicates::add(const Rule& rule)
{
    auto first = holds;
    if (rule.when) first = emit(*rule.when, holds, fails);
    if (rule.scope == Scope::server) return first;
    Condition place;
    place.test = Test::eq;
    place.attribute = attribute_of(rule.scope);
    place.texts = {rule.place};
    return emit(place, first, fails);
}

// From the last to the first, so that every step knows where it leads: always to one that was
// made before it. So no condition can go round in a circle.
std::int32_t Predicates::emit(const Condition& condition, std::int32_t if_true,
                              std::int32_t if_false)
{
    const auto& children = condition.children;
    switch (condition.test) {
        case Test::negation: return emit(children.front(), if_false, if_true);
        case Test::all: {
            auto next = if_true;
            for (auto child = children.rbegin(); child != children.rend(); ++child)
                next = emit(*child, next, if_false);
            return next;
        }
        case Test::any: {
            auto next = if_false;
            for (auto child = children.rbegin(); child != children.rend(); ++child)
                next = emit(*child, if_true, next);
            return next;
        }
        default: break;
    }
    auto step = comparison(condition);
    step.if_true = if_true;
    step.if_false = if_false;
    steps_.push_back(step);
    return static_cast<std::int32_t>(steps_.size()) - 1;
}

Step Predicates::comparison(const Condition& condition)
{
    Step step;
    step.test = condition.test;
    step.attribute = condition.attribute;
    const auto type = row_of(condition.attribute).type;
    if (condition.test == Test::present) {
        step.compare = Compare::present;
    } else if (condition.other) {
        step.other = *condition.other;
        step.compare = type == Type::text ? Compare::same_text : Compare::values;
    } else if (type == Type::word || type == Type::flag) {
        step.compare = Compare::words;
        step.number = static_cast<std::int64_t>(condition.words);
    } else if (type == Type::number) {
        step.compare = condition.test == Test::in ? Compare::numbers : Compare::number;
        step.number = condition.numbers.front();
        if (condition.test == Test::in) {
            step.begin = static_cast<std::uint32_t>(numbers_.size());
            numbers_.insert(numbers_.end(), condition.numbers.begin(), condition.numbers.end());
            step.end = static_cast<std::uint32_t>(numbers_.size());
            std::sort(numbers_.begin() + step.begin, numbers_.end());
        }
    } else if (type == Type::texts || condition.test == Test::in) {
        step.compare = type == Type::texts ? Compare::groups : Compare::texts;
        put_texts(step, condition.texts);
    } else {
        step.compare = condition.test == Test::ne ? Compare::other_text : Compare::text;
        step.number = intern(condition.texts.front());
    }
    return step;
}

void Predicates::put_texts(Step& step, const std::vector<std::string>& texts)
{
    step.begin = static_cast<std::uint32_t>(texts_.size());
    for (const auto& text : texts) texts_.push_back(intern(text));
    step.end = static_cast<std::uint32_t>(texts_.size());
    std::sort(texts_.begin() + step.begin, texts_.end());
}

TextId Predicates::intern(const std::string& text)
{
    if (const auto known = id_of(text); known != unknown_text) return known;
    kept_.push_back(std::make_unique<std::string>(text));
    const auto id = static_cast<TextId>(ids_.size());
    ids_.emplace(*kept_.back(), id);
    return id;
}

bool Predicates::is_true(const Step& step, const Subject& subject) const
{
    const auto& request = subject.request;
    if (!request.has(step.attribute)) return false;
    const auto text = subject.texts[static_cast<std::size_t>(step.attribute)];
    switch (step.compare) {
        case Compare::words:
            return ((static_cast<std::uint64_t>(step.number) >> request.value(step.attribute)) &
                    1U) != 0;
        case Compare::number:
            return compares(step.test, request.value(step.attribute), step.number);
        case Compare::numbers: return is_in(numbers_, step, request.value(step.attribute));
        case Compare::text: return text == step.number;
        case Compare::other_text: return text != step.number;
        case Compare::texts: return text != unknown_text && is_in(texts_, step, text);
        case Compare::groups:
            return std::any_of(
                request.groups().begin(), request.groups().end(),
                [&](std::string_view group) { return is_in(texts_, step, id_of(group)); });
        case Compare::present: return true;
        case Compare::values:
            return request.has(step.other) &&
                   compares(step.test, request.value(step.attribute), request.value(step.other));
        case Compare::same_text:
            return request.has(step.other) && (request.text(step.attribute) ==
                                               request.text(step.other)) == (step.test == Test::eq);
    }
    return false;
}

bool Predicates::holds_for(std::int32_t first, const Subject& subject, std::uint32_t& steps) const
{
    auto at = first;
    while (at >= 0) {
        const auto& step = steps_[static_cast<std::size_t>(at)];
        at = is_true(step, subject) ? step.if_true : step.if_false;
        ++steps;
    }
    return at == holds;
}

Predicates::Possible Predicates::possible(std::int32_t first, const Subject& subject,
                                          Attributes known) const
{
    Possible possible;
    std::vector<bool> reached(static_cast<std::size_t>(std::max(first, 0)) + 1, false);
    const auto reach = [&](std::int32_t at) {
        if (at >= 0) {
            reached[static_cast<std::size_t>(at)] = true;
        } else {
            (at == holds ? possible.holds : possible.fails) = true;
        }
    };
    reach(first);
    for (auto at = first; at >= 0; --at) {  // steps lead to earlier ones only
        if (!reached[static_cast<std::size_t>(at)]) continue;
        const auto& step = steps_[static_cast<std::size_t>(at)];
        const bool reads_other =
            step.compare == Compare::values || step.compare == Compare::same_text;
        const bool sure =
            (known & bit(step.attribute)) != 0 && (!reads_other || (known & bit(step.other)) != 0);
        const bool value = sure && is_true(step, subject);
        if (!sure || value) reach(step.if_true);
        if (!sure || !value) reach(step.if_false);
    }
    return possible;
}

}  // namespace entente::trust::policy
