// Each limit from both sides.
#include <gtest/gtest.h>

#include "tests/trust/policy/policy_rig.hpp"

namespace entente::trust::policy {
namespace {

using testing::document;
using testing::rule;

std::string repeated(std::size_t count, const std::string& text, const std::string& between = ",")
{
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += (i == 0 ? "" : between) + text;
    return all;
}

Code outcome(const std::string& text)
{
    const auto policy = parse_policy(text);
    return policy ? Code::internal : policy.error().code;
}
constexpr auto taken = Code::internal;

std::string with_when(const std::string& when)
{
    return document({rule("r", R"("message.create")", when, R"("deny")")});
}

std::string set_of(std::size_t values)
{
    std::string numbers;
    for (std::size_t i = 0; i < values; ++i) numbers += (i == 0 ? "" : ",") + std::to_string(i);
    return R"({"in":["context.size",[)" + numbers + "]]}";
}

std::vector<std::string> many_rules(std::size_t count, const std::string& effect = R"("deny")",
                                    std::size_t first = 0)
{
    std::vector<std::string> rules;
    for (std::size_t i = first; i < first + count; ++i)
        rules.push_back(rule("r" + std::to_string(i), R"("message.create")", "", effect));
    return rules;
}

TEST(PolicyLimits, OctetsOfAPolicy)
{
    const auto text = document({rule("r", R"("*")", "", R"("deny")")});
    EXPECT_EQ(outcome(text + std::string(max_policy_octets - text.size(), ' ')), taken);
    EXPECT_EQ(outcome(text + std::string(max_policy_octets - text.size() + 1, ' ')),
              Code::too_large);
}

TEST(PolicyLimits, RulesOfAPolicy)
{
    EXPECT_EQ(outcome(document(many_rules(max_policy_rules))), taken);
    EXPECT_EQ(outcome(document(many_rules(max_policy_rules + 1))), Code::too_large);
}

TEST(PolicyLimits, NodesAreConditionsAndValuesOfSets)
{
    EXPECT_EQ(parse_policy(with_when(set_of(5)))->nodes, 6U);
    EXPECT_EQ(outcome(with_when(set_of(max_policy_nodes - 1))), taken);
    EXPECT_EQ(outcome(with_when(set_of(max_policy_nodes))), Code::too_large);
    const std::string leaf = R"({"present":"subject.id"})";
    EXPECT_EQ(outcome(with_when(R"({"any":[)" + repeated(max_policy_nodes - 1, leaf) + "]}")),
              taken);
    EXPECT_EQ(outcome(with_when(R"({"any":[)" + repeated(max_policy_nodes, leaf) + "]}")),
              Code::too_large);
}

TEST(PolicyLimits, NodesOfAllRulesOfAPolicyCount)
{
    const auto half = [](const std::string& id, std::size_t values) {
        return rule(id, R"("message.create")", set_of(values), R"("deny")");
    };
    EXPECT_EQ(outcome(document({half("a", 4'999), half("b", 4'999)})), taken);
    EXPECT_EQ(outcome(document({half("a", 4'999), half("b", 5'000)})), Code::too_large);
}

TEST(PolicyLimits, DepthOfACondition)
{
    const auto nested = [](std::size_t depth, const std::string& open, const std::string& close) {
        return with_when(repeated(depth - 1, open, "") + R"({"in":["subject.id",["a"]]})" +
                         repeated(depth - 1, close, ""));
    };
    EXPECT_EQ(outcome(nested(max_condition_depth, R"({"all":[)", "]}")), taken);
    EXPECT_EQ(outcome(nested(max_condition_depth + 1, R"({"all":[)", "]}")), Code::too_large);
    EXPECT_EQ(outcome(nested(max_condition_depth, R"({"not":)", "}")), taken);
    EXPECT_EQ(outcome(nested(max_condition_depth + 1, R"({"not":)", "}")), Code::too_large);
    // Beyond what JSON itself may be nested.
    EXPECT_EQ(outcome(nested(100'000, R"({"all":[)", "]}")), Code::malformed);
}

TEST(PolicyLimits, EffectsAndActionsOfARule)
{
    const auto with_effects = [](std::size_t count) {
        std::string effects;
        for (std::size_t i = 0; i < count; ++i)
            effects += (i == 0 ? "" : ",") + std::string(R"({"tag":")") + std::to_string(i) + "\"}";
        return document({rule("r", R"("*")", "", effects)});
    };
    EXPECT_EQ(outcome(with_effects(max_rule_effects)), taken);
    EXPECT_EQ(outcome(with_effects(max_rule_effects + 1)), Code::too_large);
    const auto with_actions = [](std::size_t count) {
        return document({rule("r", repeated(count, R"("message.create")"), "", R"("deny")")});
    };
    EXPECT_EQ(outcome(with_actions(max_rule_actions)), taken);
    EXPECT_EQ(outcome(with_actions(max_rule_actions + 1)), Code::too_large);
}

TEST(PolicyLimits, LengthsOfTexts)
{
    const auto text = [](std::size_t size) { return std::string(size, 'a'); };
    const auto with_id = [&](std::size_t size) {
        return document({rule(text(size), R"("*")", "", R"("deny")")});
    };
    EXPECT_EQ(outcome(with_id(max_policy_id_octets)), taken);
    EXPECT_EQ(outcome(with_id(max_policy_id_octets + 1)), Code::too_large);
    const auto with_value = [&](std::size_t size) {
        return with_when(R"({"eq":["subject.id",")" + text(size) + "\"]}");
    };
    EXPECT_EQ(outcome(with_value(max_policy_text_octets)), taken);
    EXPECT_EQ(outcome(with_value(max_policy_text_octets + 1)), Code::too_large);
    const auto with_tag = [&](std::size_t size) {
        return document({rule("r", R"("*")", "", R"({"tag":")" + text(size) + "\"}")});
    };
    EXPECT_EQ(outcome(with_tag(max_policy_text_octets)), taken);
    EXPECT_EQ(outcome(with_tag(max_policy_text_octets + 1)), Code::too_large);
    const auto with_note = [&](std::size_t size) {
        return R"({"version":1,"rules":[{"id":"r","note":")" + text(size) +
               R"(","actions":["*"],"effects":["log"]}]})";
    };
    EXPECT_EQ(outcome(with_note(max_policy_note_octets)), taken);
    EXPECT_EQ(outcome(with_note(max_policy_note_octets + 1)), Code::too_large);
    EXPECT_TRUE(is_policy_id(text(max_policy_id_octets)));
    EXPECT_FALSE(is_policy_id(text(max_policy_id_octets + 1)));
    EXPECT_FALSE(is_policy_id(""));
    EXPECT_FALSE(is_policy_id("A"));
}

TEST(PolicyLimits, FiguresOfALimit)
{
    const auto with = [](std::int64_t count, std::int64_t seconds) {
        return document({rule("r", R"("message.create")", "",
                              R"({"limit":{"count":)" + std::to_string(count) + R"(,"seconds":)" +
                                  std::to_string(seconds) + "}}")});
    };
    EXPECT_EQ(outcome(with(1, 1)), taken);
    EXPECT_EQ(outcome(with(max_limit_count, max_limit_seconds)), taken);
    EXPECT_EQ(outcome(with(0, 1)), Code::malformed);
    EXPECT_EQ(outcome(with(1, 0)), Code::malformed);
    EXPECT_EQ(outcome(with(max_limit_count + 1, 1)), Code::malformed);
    EXPECT_EQ(outcome(with(1, max_limit_seconds + 1)), Code::malformed);
}

Code made(std::vector<Source> sources)
{
    const auto policies = Compiled::make(std::move(sources));
    return policies ? taken : policies.error().code;
}

std::vector<Source> copies(std::size_t count, const std::string& text)
{
    const auto one = testing::source("p", text);
    std::vector<Source> sources;
    for (std::size_t i = 0; i < count; ++i)
        sources.push_back({"p" + std::to_string(i), 1, one.policy});
    return sources;
}

TEST(PolicyLimits, PoliciesTogether)
{
    EXPECT_EQ(made(copies(max_policies, document({}))), taken);
    EXPECT_EQ(made(copies(max_policies + 1, document({}))), Code::too_large);
    EXPECT_EQ(made({{"p", 1, {}}, {"p", 2, {}}}), Code::conflict);
}

TEST(PolicyLimits, RulesAndNodesOfPoliciesTogether)
{
    auto full = copies(max_rules / max_policy_rules, document(many_rules(max_policy_rules)));
    EXPECT_EQ(made(full), taken);
    full.push_back(testing::source("last", document(many_rules(1))));
    EXPECT_EQ(made(full), Code::too_large);
    auto heavy = copies(max_nodes / max_policy_nodes, with_when(set_of(max_policy_nodes - 1)));
    EXPECT_EQ(made(heavy), taken);
    heavy.push_back(testing::source("last", with_when(R"({"present":"subject.id"})")));
    EXPECT_EQ(made(heavy), Code::too_large);
}

TEST(PolicyLimits, EffectsThatDifferOfPoliciesTogether)
{
    const std::string limit = R"({"limit":{"count":1,"seconds":1}})";
    // Each limit counts by itself; a tag that many rules give is one.
    auto rules = many_rules(max_distinct_effects - 1, limit + R"(,{"tag":"t"})");
    EXPECT_EQ(made({testing::source("p", document(rules))}), taken);
    rules.push_back(rule("last", R"("message.create")", "", limit));
    EXPECT_EQ(made({testing::source("p", document(rules))}), Code::too_large);
}

}  // namespace
}  // namespace entente::trust::policy
