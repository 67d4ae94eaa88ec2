// What the engine says of one request. Views into the policies that it was decided by: it lives
// no longer than they do.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "trust/policy/language.hpp"

namespace entente::trust::policy {

// From the least to the most.
enum class Outcome : std::uint8_t { denied, held, permitted };
[[nodiscard]] std::string_view to_text(Outcome outcome);

// What brought a verdict about: a rule, the lack of one, or what no policy can change.
enum class Decider : std::uint8_t { by_rule, by_default, by_invariant };

// Which rule: of a policy as it is called, version 0 as the program ships it. Where it is no rule
// but the engine itself, what stands in the policy's place is in parentheses, for people.
struct RuleName {
    std::string_view policy;
    std::int64_t version = 0;
    std::string_view rule;
    Decider by = Decider::by_rule;
    friend bool operator==(const RuleName&, const RuleName&) = default;
    [[nodiscard]] std::string text() const;  // "tiers@0/guests-wait"
};
inline constexpr RuleName nothing_allows{"(default)", 0, "nothing-allows", Decider::by_default};
inline constexpr RuleName cannot_refuse{"(default)", 0, "cannot-refuse", Decider::by_default};

// Of all policies together, each limit by itself, others that are alike once.
inline constexpr std::size_t max_distinct_effects = 256;
using EffectSet = std::bitset<max_distinct_effects>;

struct Verdict {
    Outcome outcome = Outcome::denied;
    RuleName rule;            // that decided: the first in the order of the scope chain
    EffectSet effects;        // to be carried out: Compiled::effects_of gives them in their order
    std::uint32_t steps = 0;  // comparisons that it took

    [[nodiscard]] bool is_permitted() const { return outcome != Outcome::denied; }
};

}  // namespace entente::trust::policy
