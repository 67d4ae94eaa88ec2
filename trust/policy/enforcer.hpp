// What an enforcement point asks: decides by the policies that hold now, counts their limits, and
// keeps a sample of what was asked, so that other policies can be tried on it. Does no I/O: the
// sample is written, and what is to be told is told, by who made it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"
#include "trust/policy/limit_counts.hpp"
#include "trust/policy/policies.hpp"
#include "trust/policy/request.hpp"

namespace entente::trust::policy {

// A sample: of each action one permission in half a minute, and one of all else in a second.
inline constexpr protocol::Millis permission_sample_ms = 30'000;
inline constexpr protocol::Millis other_sample_ms = 1'000;
// Records that wait to be written; the rest of the sample is dropped.
inline constexpr std::size_t max_waiting_records = 500;

// A decision that wasn't refused.
struct Ruling {
    std::string_view held_for;      // "user", "moderator"; empty: it isn't held
    std::string rule;               // of a hold: "tiers@0/invitations-of-guests-wait"
    std::vector<std::string> tags;  // mostly none

    [[nodiscard]] bool is_held() const { return !held_for.empty(); }
    [[nodiscard]] bool has_tag(std::string_view tag) const;
};

// What becomes of what no rule allows or denies, or an invariant stands against: where another
// decides as well, and what is known here may be old or not be all, it may go on.
enum class Unallowed : bool { is_denied, goes_on };

// What a rule has told, with its `log`, `notify` or `tag`.
inline constexpr std::string_view no_push_tag = "no-push";  // is obeyed, and not told
struct Told {
    bool for_administrators = false;
    Action action{};
    Outcome outcome{};
    std::string rule;  // that decided
    std::string subject, resource;
    std::string tags;  // with spaces between them
};
using Tell = std::function<void(const Told&)>;  // from any thread

// A decision that was sampled.
struct Record {
    Action action{};
    Outcome outcome{};
    std::string text;  // write_record's
};

// For any thread.
class Enforcer {
 public:
    // `tell` may be empty.
    Enforcer(std::shared_ptr<Policies> live, const protocol::Clock& clock, Tell tell = {});

    // Time and, where a rule asks for it, the rate are put into the request here. `forbidden`, the
    // hint names the rule; `rate_limited` where a rule's limit is reached, with when to try again.
    // What is permitted or held counts for its limits from now on.
    [[nodiscard]] Result<Ruling> decide(Request request,
                                        Unallowed unallowed = Unallowed::is_denied);
    // Whether a rule about this action could ask for that: what is costly to read is read then.
    [[nodiscard]] bool asks(Action action, Attribute attribute) const;

    [[nodiscard]] const std::shared_ptr<Policies>& policies() const { return live_; }
    [[nodiscard]] protocol::Millis now() const { return clock_.now_ms(); }
    // What was sampled since the last time.
    [[nodiscard]] std::vector<Record> take_records();

 private:
    // What goes with a verdict that has effects, or isn't a plain permission.
    [[nodiscard]] Result<Ruling> carry_out(const Compiled& policies, const Request& request,
                                           const Verdict& verdict, protocol::Millis now);
    [[nodiscard]] Result<void> spend(const Compiled& policies, const Request& request,
                                     const Verdict& verdict, protocol::Millis now);
    void sample(const Request& request, const Verdict& verdict, protocol::Millis now);
    [[nodiscard]] std::int64_t rate(const Request& request, protocol::Millis now);

    std::shared_ptr<Policies> live_;
    const protocol::Clock& clock_;
    Tell tell_;
    // When each action was sampled last, permissions apart from all else.
    std::array<std::atomic<protocol::Millis>, action_count> permitted_{}, others_{};
    std::mutex mutex_;  // of what follows
    LimitCounts limits_, rates_;
    std::vector<Record> records_;
};

// With the policies that the program ships; for who reads those of the database later, and for
// tests.
[[nodiscard]] std::shared_ptr<Policies> shipped_alone();

}  // namespace entente::trust::policy
