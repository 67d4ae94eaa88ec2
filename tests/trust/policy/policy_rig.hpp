// Policies from a few words, for tests of what they decide.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "trust/policy/compiled.hpp"

namespace entente::trust::policy::testing {

using Ready = std::shared_ptr<const Compiled>;

// {"id": …, "actions": […], "when": …, "effects": […]}; `when` empty for always.
inline std::string rule(const std::string& id, const std::string& actions, const std::string& when,
                        const std::string& effects, const std::string& scope = "server")
{
    return R"({"id":")" + id + R"(","scope":")" + scope + R"(","actions":[)" + actions + "]" +
           (when.empty() ? "" : R"(,"when":)" + when) + R"(,"effects":[)" + effects + "]}";
}

inline std::string document(const std::vector<std::string>& rules)
{
    std::string text = R"({"version":1,"rules":[)";
    for (const auto& one : rules) text += (text.back() == '[' ? "" : ",") + one;
    return text + "]}";
}

inline Source source(const std::string& id, const std::string& text, std::int64_t version = 1)
{
    auto policy = parse_policy(text);
    EXPECT_TRUE(policy) << policy.error().hint << "\n" << text;
    return {id, version, policy ? std::move(*policy) : Policy{}};
}

inline Ready ready(std::vector<Source> sources)
{
    auto made = Compiled::make(std::move(sources));
    EXPECT_TRUE(made) << made.error().hint;
    return made ? *made : nullptr;
}

// One policy, called "p".
inline Ready ready(const std::vector<std::string>& rules)
{
    return ready(std::vector<Source>{source("p", document(rules))});
}

inline std::vector<std::string> effects_of(const Compiled& policies, const Verdict& verdict)
{
    std::vector<std::string> texts;
    policies.effects_of(verdict, [&](const CompiledEffect& one) {
        texts.push_back(std::string(to_text(one.effect.kind)) +
                        (one.effect.text.empty() ? "" : " " + one.effect.text));
    });
    return texts;
}

}  // namespace entente::trust::policy::testing
