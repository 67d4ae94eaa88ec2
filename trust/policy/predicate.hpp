// Conditions as flat steps: each compares once and says where to go on, so that deciding needs
// neither recursion nor memory. For the .cpp files of this folder only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trust/policy/language.hpp"
#include "trust/policy/request.hpp"

namespace entente::trust::policy {

// Where a step may lead beside another step.
inline constexpr std::int32_t holds = -1;
inline constexpr std::int32_t fails = -2;

enum class Compare : std::uint8_t {
    words,       // the value is one of the bits of `number`
    number,      // eq, ne, lt, … `number`
    numbers,     // is one of numbers[begin, end)
    text,        // is the text with the id `number`
    other_text,  // is present, and isn't that text
    texts,       // is one of ids[begin, end)
    groups,      // any of them is
    present,
    values,     // eq, ne, lt, … the value of `other`
    same_text,  // eq or ne the text of `other`
};

struct Step {
    Compare compare = Compare::present;
    Test test = Test::eq;
    Attribute attribute{};
    Attribute other{};
    std::int32_t if_true = holds, if_false = fails;
    std::uint32_t begin = 0, end = 0;
    std::int64_t number = 0;
};

// Every text that a policy names has a number, so that a request's texts are looked up once and
// from then on compared as integers.
using TextId = std::int64_t;
inline constexpr TextId unknown_text = -1;

class Predicates {
 public:
    // Where the rule's first step is, `holds` where it has none. A narrower scope is asked first.
    [[nodiscard]] std::int32_t add(const Rule& rule);
    [[nodiscard]] TextId id_of(std::string_view text) const
    {
        const auto found = ids_.find(text);
        return found == ids_.end() ? unknown_text : found->second;
    }

    // A request with the texts that are asked for looked up.
    struct Subject {
        const Request& request;
        std::array<TextId, attribute_count> texts;
    };
    [[nodiscard]] bool holds_for(std::int32_t first, const Subject& subject,
                                 std::uint32_t& steps) const;

    // Of what of the request only `known` is sure: whether the condition may hold, and may fail.
    struct Possible {
        bool holds = false, fails = false;
    };
    [[nodiscard]] Possible possible(std::int32_t first, const Subject& subject,
                                    Attributes known) const;

 private:
    [[nodiscard]] std::int32_t emit(const Condition& condition, std::int32_t if_true,
                                    std::int32_t if_false);
    [[nodiscard]] Step comparison(const Condition& condition);
    void put_texts(Step& step, const std::vector<std::string>& texts);
    [[nodiscard]] bool is_true(const Step& step, const Subject& subject) const;
    [[nodiscard]] TextId intern(const std::string& text);

    std::vector<Step> steps_;
    std::vector<std::int64_t> numbers_;
    std::vector<TextId> texts_;
    std::unordered_map<std::string_view, TextId> ids_;  // views into kept_
    std::vector<std::unique_ptr<std::string>> kept_;
};

}  // namespace entente::trust::policy
