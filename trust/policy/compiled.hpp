// All policies that hold at one time, in the form by which requests are decided: rules found by
// their action and by what they need to be equal, conditions as flat steps. Made once for each
// version, never changed, read by any thread. Deciding allocates nothing.
//
// Rules of all scopes on the way to where something is done are gathered: one deny among them
// wins, and where none allows it is denied. A limit, hold, tag, notice or log entry of any of them
// is an effect; so a rule that allows nothing can only make less possible.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trust/policy/language.hpp"
#include "trust/policy/predicate.hpp"
#include "trust/policy/request.hpp"
#include "trust/policy/verdict.hpp"

namespace entente::trust::policy {

// Of all policies together.
inline constexpr std::size_t max_policies = 64;
inline constexpr std::size_t max_rules = 8'000;
inline constexpr std::size_t max_nodes = 40'000;

struct Source {
    std::string id;
    std::int64_t version = 0;  // 0 as shipped
    Policy policy;
};

// An effect as a verdict gives it: with the first rule that has it, which of a limit is the only
// one. What a limit counts goes by (rule, whoever Effect::counted says).
struct CompiledEffect {
    Effect effect;
    RuleName rule;
};

class Compiled {
 public:
    // `too_large` beyond the limits above or max_distinct_effects, `conflict` where two policies
    // have one name. Whether anybody could change them again is check_not_locked_out's to judge
    // (invariants.hpp).
    [[nodiscard]] static Result<std::shared_ptr<const Compiled>> make(std::vector<Source> sources);

    // With the invariants before all rules. Its cost is bounded by the rules for that action, and
    // mostly by those that name the subject's tier, role or server.
    [[nodiscard]] Verdict decide(const Request& request) const;

    // Carried out in this order: limits, holds, tags, notices, log.
    template <class Do>
    void effects_of(const Verdict& verdict, Do carry_out) const
    {
        if (verdict.effects.none()) return;
        for (std::size_t at = 0; at < effects_.size(); ++at)
            if (verdict.effects.test(at)) carry_out(effects_[at]);
    }

    // Every rule whose condition holds, in the order of the scope chain. For who asks why.
    struct Match {
        RuleName rule;
        std::string note, effects;  // "hold user, allow"
        Scope scope = Scope::server;
    };
    [[nodiscard]] std::vector<Match> explain(const Request& request) const;

    // Whether a request of which no more than `known` is sure would be permitted whatever the rest
    // says; where not, the rule that may stand against it, or nothing_allows.
    struct Certainty {
        bool is_permitted = false;
        RuleName hindrance;
    };
    [[nodiscard]] Certainty certainty(const Request& request, Attributes known) const;

    // How a request would be decided of which `unknown` is only there when it is made. What the
    // answer depends on; nothing: the verdict is that, whatever they will be.
    struct Foresight {
        Verdict verdict;
        Attributes depends_on = 0;
    };
    [[nodiscard]] Foresight foresee(const Request& request, Attributes unknown) const;

    // All that rules about this action ask for.
    [[nodiscard]] Attributes asked(Action action) const
    {
        return by_action_[static_cast<std::size_t>(action)].asked;
    }
    [[nodiscard]] std::size_t rules() const { return rules_.size(); }

 private:
    struct CompiledRule {
        std::int32_t first_step = holds;
        bool allows = false, denies = false, is_held = false;
        std::uint32_t effects_begin = 0, effects_end = 0;  // in effect_list_
    };
    // What explains a rule; apart from what decides by it.
    struct Origin {
        std::size_t source = 0;
        Rule rule;
    };
    struct ByWord {
        Attribute attribute{};
        std::vector<std::vector<std::uint32_t>> rules;  // by the word's place in its list
    };
    struct ByText {
        Attribute attribute{};
        std::vector<std::pair<TextId, std::uint32_t>> rules;  // sorted
    };
    // Of one action.
    struct Index {
        Attributes asked = 0;
        Attributes texts = 0;  // that are compared with texts of policies
        std::vector<std::uint32_t> always;
        std::vector<ByWord> words;
        std::vector<ByText> texts_equal;
    };

    Compiled() = default;
    [[nodiscard]] Verdict decide_by_rules(const Request& request) const;
    void add_rule(std::size_t source, Rule rule);
    void add_to_index(std::uint32_t rule);
    [[nodiscard]] Result<void> number_effects();
    [[nodiscard]] RuleName name_of(std::uint32_t rule) const;
    [[nodiscard]] Predicates::Subject looked_up(const Request& request) const;
    template <class Take>
    void for_each_match(const Predicates::Subject& subject, std::uint32_t& steps, Take take) const;

    std::vector<Source> sources_;  // without their rules, which are in origins_
    std::vector<CompiledRule> rules_;
    std::vector<Origin> origins_;
    std::vector<CompiledEffect> effects_;
    std::vector<std::uint16_t> effect_list_;
    EffectSet told_;  // tags, notices, log: what a denial keeps
    std::array<Index, action_count> by_action_;
    Predicates predicates_;
};

}  // namespace entente::trust::policy
