// A policy as it was written: rules with scope, actions, condition and effects. The form is
// docs/reference/policies.md; the reading is policy_text.cpp's; what it costs to decide by it is
// compiled.hpp's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.hpp"
#include "trust/policy/actions.hpp"
#include "trust/policy/attributes.hpp"

namespace entente::trust::policy {

inline constexpr std::int64_t language_version = 1;

// Of one policy. A node is a condition or a value of a set.
inline constexpr std::size_t max_policy_octets = 1U << 20U;
inline constexpr std::size_t max_policy_rules = 2'000;
inline constexpr std::size_t max_policy_nodes = 10'000;
inline constexpr std::size_t max_condition_depth = 12;
inline constexpr std::size_t max_rule_actions = 64;  // entries of `actions`
inline constexpr std::size_t max_rule_effects = 8;
inline constexpr std::size_t max_policy_id_octets = 64;  // of rules too
inline constexpr std::size_t max_policy_text_octets = 255;
inline constexpr std::size_t max_policy_note_octets = 1'000;
inline constexpr std::int64_t max_limit_count = 1'000'000'000;
inline constexpr std::int64_t max_limit_seconds = 86'400;

enum class Scope : std::uint8_t { server, category, drawer, channel };
[[nodiscard]] std::string_view to_text(Scope scope);
[[nodiscard]] std::optional<Scope> scope_from(std::string_view name);
// Which of the request's places it is; not of the server.
[[nodiscard]] constexpr Attribute attribute_of(Scope scope)
{
    return static_cast<Attribute>(static_cast<unsigned>(Attribute::scope_category) +
                                  static_cast<unsigned>(scope) - 1);
}

enum class Test : std::uint8_t { all, any, negation, eq, ne, lt, le, gt, ge, in, present };

// A tree. `all` and `any` have children, `negation` one; the rest is a comparison of
// `attribute`, with `other` where that is set, else with what fits its type: `words` as a set of
// bits, which the order of words is worked into; `numbers`; or `texts`.
struct Condition {
    Test test = Test::all;
    std::vector<Condition> children;
    Attribute attribute{};
    std::optional<Attribute> other;
    std::uint64_t words = 0;
    std::vector<std::int64_t> numbers;
    std::vector<std::string> texts;
};

// Who counts together for a limit.
enum class Counted : std::uint8_t { subject, server, all };
[[nodiscard]] std::string_view to_text(Counted counted);

struct Effect {
    EffectKind kind = EffectKind::allow;
    std::string text;  // who decides (hold) or is told (notify); the tag
    std::int64_t count = 0, seconds = 0;
    Counted counted = Counted::subject;  // limit
    friend bool operator==(const Effect&, const Effect&) = default;
};

struct Rule {
    std::string id, note;
    Scope scope = Scope::server;
    std::string place;            // of the scope; empty for the server
    std::vector<Action> actions;  // without patterns, each once
    std::optional<Condition> when;
    std::vector<Effect> effects;
};

struct Policy {
    std::vector<Rule> rules;
    std::size_t nodes = 0;
};

// [a-z0-9._-], 1 to 64.
[[nodiscard]] bool is_policy_id(std::string_view text);

// `malformed` or `too_large`; the hint says where: a JSON pointer with line and column (both from
// 1, columns in characters), and why. Linear in the octets but for nesting.
[[nodiscard]] Result<Policy> parse_policy(std::string_view text);

}  // namespace entente::trust::policy
