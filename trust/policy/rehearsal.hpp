// Trying policies on what was decided before: requests written down as compact JSON, and what two
// sets of policies make of the same ones.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trust/policy/compiled.hpp"
#include "trust/policy/request.hpp"

namespace entente::trust::policy {

inline constexpr std::size_t max_record_octets = 8'192;
inline constexpr std::size_t max_record_groups = 64;

// {"point":"channel","action":"message.create","scope":{"channel":"…"},"attributes":{…}}, with
// words by their names. `too_large`.
[[nodiscard]] Result<std::string> write_record(const Request& request);

// A request with the texts that it has.
struct RecordedRequest {
    std::deque<std::string> texts;  // whose elements stay where they are when it is moved
    std::vector<std::string_view> groups;
    Request request;
};
// `malformed`, `too_large`; also of what another version of the program wrote and this one doesn't
// know.
[[nodiscard]] Result<RecordedRequest> parse_record(std::string_view json);

struct Difference {
    std::size_t record = 0;  // which of them
    Action action{};
    Outcome before{}, after{};
    std::string rule_before, rule_after;  // "tiers@3/guests-wait"
    std::string subject, resource;
    bool only_effects = false;  // the outcome is the same, what goes with it isn't
};

inline constexpr std::size_t max_differences = 1'000;

struct Rehearsal {
    std::size_t decided = 0;     // alike or not
    std::size_t unreadable = 0;  // left out
    std::size_t differing = 0;
    std::vector<Difference> differences;  // the first max_differences
};
// Pure: nothing is carried out, no limit is charged. Other rules with the same outcome and effects
// are no difference.
[[nodiscard]] Rehearsal rehearse(std::span<const std::string> records, const Compiled& before,
                                 const Compiled& after);

}  // namespace entente::trust::policy
