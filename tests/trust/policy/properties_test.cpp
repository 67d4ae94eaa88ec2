// Of any policies and any request: deciding by index and flat steps comes to what walking the
// trees comes to; deny wins; a rule that doesn't allow never permits more.
#include <algorithm>
#include <array>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/trust/policy/policy_rig.hpp"
#include "trust/policy/rehearsal.hpp"

namespace entente::trust::policy {
namespace {

using testing::document;
using testing::ready;
using testing::rule;
using testing::source;

const std::vector<std::string> texts{"a", "b", "c", "d"};
const std::vector<std::string> attributes{"subject.tier",  "subject.role",   "subject.local",
                                          "context.size",  "subject.server", "subject.id",
                                          "subject.group", "context.rate"};

std::string quoted(const std::string& text)
{
    return "\"" + text + "\"";
}

// A value of the attribute, as JSON.
rc::Gen<std::string> value_of(const std::string& name)
{
    const auto& row = row_of(*attribute_from(name));
    switch (row.type) {
        case Type::word:
            return rc::gen::map(
                rc::gen::inRange<std::size_t>(0, row.words.size()),
                [&row](std::size_t at) { return quoted(std::string(row.words[at])); });
        case Type::flag: return rc::gen::element<std::string>("true", "false");
        case Type::number:
            return rc::gen::map(rc::gen::inRange(-1, 4), [](int n) { return std::to_string(n); });
        default:
            return rc::gen::map(rc::gen::elementOf(texts),
                                [](const std::string& text) { return quoted(text); });
    }
}

std::string comparison()
{
    const auto name = *rc::gen::elementOf(attributes);
    const auto& row = row_of(*attribute_from(name));
    std::vector<std::string> tests{"present", "in"};
    if (row.type != Type::texts) tests.insert(tests.end(), {"eq", "ne", "other"});
    if (row.is_ordered) tests.insert(tests.end(), {"lt", "le", "gt", "ge"});
    const auto test = *rc::gen::elementOf(tests);
    if (test == "present") return R"({"present":)" + quoted(name) + "}";
    if (test == "other")
        return R"({"eq":[)" + quoted(name) + R"(,{"attribute":)" + quoted(name) + "}]}";
    if (test != "in")
        return "{" + quoted(test) + ":[" + quoted(name) + "," + *value_of(name) + "]}";
    std::string set = *value_of(name);
    const auto more = *rc::gen::inRange(0, 3);
    for (int i = 0; i < more; ++i) set += "," + *value_of(name);
    return R"({"in":[)" + quoted(name) + ",[" + set + "]]}";
}

std::string condition(int depth)
{
    const auto kind = *rc::gen::inRange(0, depth == 0 ? 1 : 5);
    if (kind == 1) return R"({"not":)" + condition(depth - 1) + "}";
    if (kind < 2) return comparison();
    std::string children = condition(depth - 1);
    const auto more = *rc::gen::inRange(0, 3);
    for (int i = 0; i < more; ++i) children += "," + condition(depth - 1);
    return (kind == 2 ? R"({"any":[)" : R"({"all":[)") + children + "]}";
}

std::string any_rule(const std::string& id, const std::string& effects)
{
    const auto scope =
        *rc::gen::element<std::string>("server", "server", "server", "channel:a", "category:b");
    const auto when = *rc::gen::inRange(0, 6) == 0 ? std::string{} : condition(3);
    return rule(id, R"("member.join")", when, effects, scope);
}

std::vector<std::string> any_rules()
{
    std::vector<std::string> rules;
    const auto count = *rc::gen::inRange(0, 12);
    for (int i = 0; i < count; ++i) {
        const auto effects = *rc::gen::element<std::string>(
            R"("allow")", R"("allow")", R"("deny")", R"({"hold":"moderator"})",
            R"("allow",{"hold":"moderator"})", R"({"tag":"x"},"log")",
            R"({"limit":{"count":1,"seconds":1}},"allow")");
        rules.push_back(any_rule("r" + std::to_string(i), effects));
    }
    return rules;
}

// A request through its record, which is the simplest way to any.
RecordedRequest any_request()
{
    std::string members, scope;
    for (const auto& name : attributes) {
        if (*rc::gen::inRange(0, 4) == 0) continue;
        const bool several = name == "subject.group";
        auto value = *value_of(name);
        if (several) value = "[" + value + "," + *value_of(name) + "]";
        members += (members.empty() ? "" : ",") + quoted(name) + ":" + value;
    }
    for (const auto* level : {"category", "channel"}) {
        if (*rc::gen::inRange(0, 2) == 0) continue;
        scope +=
            (scope.empty() ? "" : ",") + quoted(level) + ":" + quoted(*rc::gen::elementOf(texts));
    }
    return parse_record(R"({"point":"join","action":"member.join","scope":{)" + scope +
                        R"(},"attributes":{)" + members + "}}")
        .value();
}

// The meaning of the language, in its plainest form.
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

bool holds_plainly(const Condition& now, const Request& request)
{
    const auto child = [&](const Condition& one) { return holds_plainly(one, request); };
    const auto& children = now.children;
    if (now.test == Test::all) return std::all_of(children.begin(), children.end(), child);
    if (now.test == Test::any) return std::any_of(children.begin(), children.end(), child);
    if (now.test == Test::negation) return !child(children.front());
    if (!request.has(now.attribute)) return false;
    if (now.test == Test::present) return true;
    if (now.other) return true;  // here always the attribute itself, by eq
    const auto is_in = [](const auto& list, const auto& value) {
        return std::find(list.begin(), list.end(), value) != list.end();
    };
    switch (row_of(now.attribute).type) {
        case Type::word:
        case Type::flag: return ((now.words >> request.value(now.attribute)) & 1U) != 0;
        case Type::number:
            if (now.test == Test::in) return is_in(now.numbers, request.value(now.attribute));
            return compares(now.test, request.value(now.attribute), now.numbers.front());
        case Type::text:
            return is_in(now.texts, request.text(now.attribute)) == (now.test != Test::ne);
        case Type::texts: break;
    }
    return std::any_of(request.groups().begin(), request.groups().end(),
                       [&](std::string_view group) { return is_in(now.texts, group); });
}

bool matches_plainly(const Rule& one, const Request& request)
{
    if (one.scope != Scope::server) {
        const auto place = attribute_of(one.scope);
        if (!request.has(place) || request.text(place) != one.place) return false;
    }
    return !one.when || holds_plainly(*one.when, request);
}

bool does(const Rule& one, EffectKind kind)
{
    return std::any_of(one.effects.begin(), one.effects.end(),
                       [kind](const Effect& effect) { return effect.kind == kind; });
}

Outcome decide_plainly(const Policy& policy, const Request& request)
{
    bool allows = false, is_held = false;
    for (const auto& one : policy.rules) {
        if (!matches_plainly(one, request)) continue;
        if (does(one, EffectKind::deny)) return Outcome::denied;
        allows |= does(one, EffectKind::allow);
        is_held |= does(one, EffectKind::hold);
    }
    if (!allows) return Outcome::denied;
    return is_held ? Outcome::held : Outcome::permitted;
}

RC_GTEST_PROP(PolicyProperties, DecidingComesToWhatTheTreesMean, ())
{
    const auto policy = source("p", document(any_rules()));
    const auto policies = ready(std::vector<Source>{policy});
    for (int i = 0; i < 8; ++i) {
        const auto record = any_request();
        const auto verdict = policies->decide(record.request);
        RC_ASSERT(verdict.outcome == decide_plainly(policy.policy, record.request));
        std::vector<std::string> matching, told;
        for (const auto& one : policy.policy.rules)
            if (matches_plainly(one, record.request)) matching.push_back(one.id);
        for (const auto& match : policies->explain(record.request))
            told.emplace_back(match.rule.rule);
        std::sort(matching.begin(), matching.end());
        std::sort(told.begin(), told.end());
        RC_ASSERT(told == matching);
        // The rule that is named is one that holds.
        RC_ASSERT(verdict.rule == nothing_allows ||
                  std::count(matching.begin(), matching.end(), verdict.rule.rule) == 1);
    }
}

RC_GTEST_PROP(PolicyProperties, ADenyThatHoldsWinsOverWhateverElseThereIs, ())
{
    auto rules = any_rules();
    const auto at = *rc::gen::inRange<std::size_t>(0, rules.size() + 1);
    rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(at),
                 any_rule("the-deny", R"("deny")"));
    const auto policy = source("p", document(rules));
    const auto policies = ready(std::vector<Source>{policy});
    const auto record = any_request();
    RC_CLASSIFY(matches_plainly(policy.policy.rules[at], record.request), "the deny holds");
    if (matches_plainly(policy.policy.rules[at], record.request))
        RC_ASSERT(policies->decide(record.request).outcome == Outcome::denied);
}

RC_GTEST_PROP(PolicyProperties, ARuleThatDoesNotAllowNeverPermitsMore, ())
{
    const auto rules = any_rules();
    const auto effects = *rc::gen::element<std::string>(R"("deny")", R"({"hold":"moderator"})",
                                                        R"({"limit":{"count":1,"seconds":1}})",
                                                        R"({"tag":"x"})", R"("log")");
    const auto added = source("q", document({any_rule("added", effects)}));
    const auto base = source("p", document(rules));
    const auto before = ready(std::vector<Source>{base});
    const auto after = ready(std::vector<Source>{base, added});
    for (int i = 0; i < 8; ++i) {
        const auto record = any_request();
        RC_ASSERT(after->decide(record.request).outcome <= before->decide(record.request).outcome);
    }
}

RC_GTEST_PROP(PolicyProperties, AnAllowThatIsTakenAwayNeverPermitsMore, ())
{
    const auto base = source("p", document(any_rules()));
    const auto added = source("q", document({any_rule("added", R"("allow")")}));
    const auto more = ready(std::vector<Source>{base, added});
    const auto less = ready(std::vector<Source>{base});
    const auto record = any_request();
    RC_ASSERT(less->decide(record.request).outcome <= more->decide(record.request).outcome);
}

RC_GTEST_PROP(PolicyProperties, TheOrderOfPoliciesChangesNoOutcome, ())
{
    auto first = source("p", document(any_rules())), second = source("q", document(any_rules()));
    const auto one = ready(std::vector<Source>{first, second});
    const auto other = ready(std::vector<Source>{second, first});
    const auto record = any_request();
    RC_ASSERT(one->decide(record.request).outcome == other->decide(record.request).outcome);
}

// What is certain is so however the rest of the request turns out.
RC_GTEST_PROP(PolicyProperties, WhatIsCertainHoldsWhateverElseIsSo, ())
{
    const auto policies = ready(any_rules());
    const auto record = any_request();
    auto known = record.request.present();
    for (const auto attribute : {Attribute::subject_tier, Attribute::subject_server})
        if (*rc::gen::arbitrary<bool>()) known &= ~bit(attribute);
    const auto certain = policies->certainty(
        record.request, known | bit(Attribute::scope_channel) | bit(Attribute::scope_category));
    RC_CLASSIFY(certain.is_permitted, "certain");
    if (certain.is_permitted) RC_ASSERT(policies->decide(record.request).is_permitted());
}

}  // namespace
}  // namespace entente::trust::policy
