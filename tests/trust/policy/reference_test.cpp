// docs/reference/policies.md: its examples are policies, its tables name all there is.
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/trust/policy/policy_rig.hpp"
#include "trust/policy/invariants.hpp"
#include "trust/policy/shipped.hpp"

namespace entente::trust::policy {
namespace {

constexpr auto first_scope = static_cast<std::size_t>(Attribute::scope_category);

std::string reference()
{
    std::ifstream file(ENTENTE_REFERENCE);
    return {std::istreambuf_iterator<char>(file), {}};
}

// What stands between ```json and ```.
std::vector<std::string> examples()
{
    std::vector<std::string> found;
    std::istringstream lines(reference());
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line == "```json") {
            found.emplace_back();
            inside = true;
        } else if (line == "```") {
            inside = false;
        } else if (inside) {
            found.back() += line + "\n";
        }
    }
    return found;
}

std::set<std::string> lines()
{
    std::set<std::string> all;
    std::istringstream text(reference());
    for (std::string line; std::getline(text, line);) all.insert(line);
    return all;
}

std::string code(std::string_view text)
{
    return "`" + std::string(text) + "`";
}

TEST(PolicyReference, EveryExampleIsAPolicyThatCanBePutBesideTheShippedOnes)
{
    const auto texts = examples();
    ASSERT_GE(texts.size(), 4U);
    for (const auto& text : texts) {
        const auto policy = parse_policy(text);
        ASSERT_TRUE(policy) << policy.error().hint << "\n" << text;
        auto sources = shipped_sources();
        sources.push_back({"own", 1, *policy});
        const auto policies = Compiled::make(std::move(sources));
        ASSERT_TRUE(policies) << text;
        EXPECT_TRUE(check_not_locked_out(**policies, "a.example", {})) << text;
    }
}

TEST(PolicyReference, EveryAttributeHasItsRow)
{
    const auto all = lines();
    for (std::size_t at = 0; at < first_scope; ++at) {
        const auto& row = row_of(static_cast<Attribute>(at));
        std::string values(to_text(row.type));
        if (row.type == Type::word) {
            values = row.is_ordered ? "rising: " : "";
            for (const auto word : row.words)
                values += (word == row.words.front() ? "" : ", ") + code(word);
        }
        const auto line =
            "| " + code(row.name) + " | " + values + " | " + std::string(row.meaning) + " |";
        EXPECT_TRUE(all.contains(line)) << "missing in docs/reference/policies.md: " << line;
    }
}

// Beside what every action knows; "channel" for what all in a channel do.
std::string known_besides(const ActionRow& row)
{
    auto more = row.knows & ~row_of(Action::policy_change).knows;
    const auto channel = row_of(Action::alias_set).knows & ~row_of(Action::policy_change).knows;
    std::string names;
    if ((more & channel) == channel) {
        names = "*channel*";
        more &= ~channel;
    }
    for (std::size_t at = 0; at < first_scope; ++at) {
        const auto attribute = static_cast<Attribute>(at);
        if ((more & bit(attribute)) == 0) continue;
        names += (names.empty() ? "" : ", ") + code(row_of(attribute).name);
    }
    return names;
}

TEST(PolicyReference, EveryActionHasItsRow)
{
    const auto all = lines();
    for (std::size_t at = 0; at < action_count; ++at) {
        const auto& row = row_of(static_cast<Action>(at));
        const auto besides = known_besides(row);
        const auto line = "| " + code(row.name) + " | " + std::string(row_of(row.point).name) +
                          " | " + std::string(row.meaning) + " |" +
                          (besides.empty() ? "" : " " + besides) + " |";
        EXPECT_TRUE(all.contains(line)) << "missing in docs/reference/policies.md: " << line;
    }
}

TEST(PolicyReference, EveryPointHasItsRow)
{
    const auto all = lines();
    for (std::size_t at = 0; at < point_count; ++at) {
        const auto& row = row_of(static_cast<Point>(at));
        std::string line = "| " + code(row.name) + " | " + std::string(row.meaning) + " |";
        for (unsigned kind = 0; kind <= static_cast<unsigned>(EffectKind::log); ++kind)
            line += (row.allows & bit(static_cast<EffectKind>(kind))) != 0 ? " yes |" : " |";
        EXPECT_TRUE(all.contains(line)) << "missing in docs/reference/policies.md: " << line;
    }
}

TEST(PolicyReference, EveryShippedRuleIsNamed)
{
    const auto text = reference();
    for (const auto& source : shipped_sources()) {
        EXPECT_NE(text.find(code(source.id)), std::string::npos) << source.id;
        for (const auto& rule : source.policy.rules)
            EXPECT_NE(text.find(code(rule.id)), std::string::npos) << source.id << "/" << rule.id;
    }
}

}  // namespace
}  // namespace entente::trust::policy
