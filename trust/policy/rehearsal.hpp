// Trying policies on what was decided before: requests written down as compact JSON, and what two
// sets of policies make of the same ones.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trust/policy/compiled.hpp"
#include "trust/policy/request.hpp"

namespace entente::trust::policy {

inline constexpr std::size_t max_record_octets = 8'192;
inline constexpr std::size_t max_record_groups = 64;

// What became of a request.
struct Decided {
    Outcome outcome{};
    std::string rule;  // RuleName::text
    friend bool operator==(const Decided&, const Decided&) = default;
};

// {"point":"channel","action":"message.create","outcome":"denied","rule":"own@1/quiet",
// "scope":{"channel":"…"},"attributes":{…}}, with words by their names; without outcome and rule
// where `decided` is absent. `too_large`.
[[nodiscard]] Result<std::string> write_record(const Request& request,
                                               const std::optional<Decided>& decided = {});

// A request with the texts that it has.
struct RecordedRequest {
    std::deque<std::string> texts;  // whose elements stay where they are when it is moved
    std::vector<std::string_view> groups;
    Request request;
    std::optional<Decided> decided = {};  // earlier versions of the program didn't record it
};
// `malformed`, `too_large`; also of what another version of the program wrote and this one doesn't
// know.
[[nodiscard]] Result<RecordedRequest> parse_record(std::string_view json);

struct Difference {
    std::size_t record = 0;  // which of them
    Action action{};
    Outcome before{}, after{};            // as it was recorded, and with the other policies
    std::string rule_before, rule_after;  // "tiers@3/guests-wait"
    std::string subject, resource;
    bool only_effects = false;  // the outcome is the same, what goes with it isn't
    bool is_drifted = false;    // today's policies too decide otherwise than was recorded
};

inline constexpr std::size_t max_differences = 1'000;

struct Rehearsal {
    std::size_t decided = 0;     // alike or not
    std::size_t unreadable = 0;  // left out
    std::size_t differing = 0;
    std::size_t drifted = 0;  // that today's policies decide otherwise than was recorded
    std::vector<Difference> differences;  // the first max_differences
};
// What `after` makes of them, against what was recorded; of what recorded no outcome, against what
// `today` makes of it. Effects aren't recorded: they are compared with today's, where those decide
// as it was recorded. Pure: nothing is carried out, no limit is charged. Other rules with the same
// outcome and effects are no difference.
[[nodiscard]] Rehearsal rehearse(std::span<const std::string> records, const Compiled& today,
                                 const Compiled& after);

}  // namespace entente::trust::policy
