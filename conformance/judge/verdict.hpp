#pragma once

// What a run says of each case, and what stands behind it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entente::conformance {

enum class State {
    pass,
    fail,
    // A SHOULD that isn't kept.
    warn,
    // The target's file rules it out: a hook or an action is missing. Never a pass.
    not_applicable,
    // Nothing was judged: the control failed, or the runner's own side did.
    could_not_run,
    // Named by --expect.
    expected_fail,
    unexpected_pass,
    // Judged several times (--repeat), it fails and passes.
    flaky,
    // The run had ended before its turn came: the target had died, or its accounts failed.
    not_run,
};

[[nodiscard]] std::string_view name_of(State state);
[[nodiscard]] std::optional<State> state_named(std::string_view name);

// One message that was sent, and what came back, as octets. Each is kept up to `max_kept`.
struct Exchange {
    static constexpr std::size_t max_kept = 65'536;

    // ms since the case began.
    std::int64_t at = 0;
    // "control", "the defect", "barrier" …
    std::string what;
    // True where the target asked, and the runner answered.
    bool from_target = false;
    std::string sent;
    std::string received;
    // Of the request and of its answer, where they were signed: the bases as the runner has them.
    std::string request_base;
    std::string answer_base;
};

// All that went over the wire in one case, in the order of time.
struct Exchanges {
    // Requests of the target's that are kept, of all of the case's servers.
    static constexpr std::size_t max_asked = 32;

    std::vector<Exchange> all;
    // Requests of the target's that aren't.
    std::size_t left_out = 0;
};

struct Verdict {
    std::string case_id;
    State state = State::could_not_run;
    // It could not run for no other reason than that the machine was too busy to measure.
    bool too_busy = false;
    // It could not run for the sake of this hook of the target's file, or of an account that
    // couldn't do what it was asked to.
    std::string failed_hook;
    bool account_failed = false;
    // Which assertion failed: "refused", "no-effect", "still-serves", or one of the case's own.
    std::string assertion;
    // A sentence for people.
    std::string detail;
    std::int64_t milliseconds = 0;
    std::vector<Exchange> exchanges;
    // That happened, and aren't kept.
    std::size_t exchanges_left_out = 0;
    // --expect: why it is expected to fail.
    std::string expected_because;
};

}  // namespace entente::conformance
