// Window: created and expires against the target's own clock [SIG-3, SIG-12].
#include "conformance/cases/groups.hpp"
#include "conformance/judge/trial.hpp"

namespace entente::conformance {

namespace {

// A message whose `created` and `expires` lie so many seconds from the target's clock.
Defect at(std::int64_t created, std::int64_t expires, Trial& trial)
{
    const auto now = trial.seconds();
    return {.before_signing = [=](Request&, SignatureInput& input) {
        input.set("created", std::to_string(now + created));
        input.set("expires", std::to_string(now + expires));
    }};
}

std::function<void(Trial&)> accepts_at(std::int64_t created, std::int64_t expires)
{
    return [=](Trial& trial) {
        // The target's clock is known once it has answered.
        trial.control();
        trial.accepts(at(created, expires, trial));
    };
}

std::function<void(Trial&)> refuses_at(std::int64_t created, std::int64_t expires)
{
    return [=](Trial& trial) {
        trial.control();
        trial.refuses(at(created, expires, trial), {{401, "clock-skew"}});
    };
}

// A parameter written as `value`.
std::function<void(Trial&)> refuses_written(const std::string& name, const std::string& value,
                                            std::vector<Refusal> allowed)
{
    return [=](Trial& trial) {
        trial.refuses(
            {.before_signing = [=](Request&, SignatureInput& input) { input.set(name, value); }},
            allowed);
    };
}

const std::vector<Refusal> incomplete = {{401, "signature-incomplete"}};
const std::vector<Refusal> malformed = {{400, "malformed"}};

}  // namespace

std::vector<Case> window_cases()
{
    return {
        {.id = "win-01",
         .clause = "SIG-3",
         .proves = "A request that was created 295 s ago is served",
         .run = accepts_at(-295, 5),
         .mutants = {{"window-past-too-narrow", "accepted"}},
         .negative = false},
        {.id = "win-02",
         .clause = "SIG-3",
         .proves = "A request that was created 305 s ago is refused as clock-skew",
         .run = refuses_at(-305, -5),
         .mutants = {{"no-window-past", "refused"}}},
        {.id = "win-03",
         .clause = "SIG-3",
         .proves = "A request that was created 55 s from now is served",
         .run = accepts_at(55, 355),
         .mutants = {{"window-future-too-narrow", "accepted"}},
         .negative = false},
        {.id = "win-04",
         .clause = "SIG-3",
         .proves = "A request that was created 65 s from now is refused as clock-skew",
         .run = refuses_at(65, 365),
         .mutants = {{"no-window-future", "refused"}}},
        {.id = "win-05",
         .clause = "SIG-13",
         .proves = "A request without created is refused as signature-incomplete",
         .run = refuses_written("created", "", incomplete),
         .mutants = {{"created-optional", "refused"}}},
        {.id = "win-06",
         .clause = "SIG-3",
         .proves = "A negative created is refused",
         .run = refuses_written("created", "-1", {{400, "malformed"}, {401, "clock-skew"}}),
         .mutants = {{"no-window-past", "refused"}}},
        {.id = "win-07",
         .clause = "SIG-9",
         .proves = "A created of 2^63, which no structured field holds, is malformed",
         .run = refuses_written("created", "9223372036854775808", malformed),
         .mutants = {{"created-wraps", "refused"}}},
        {.id = "win-08",
         .clause = "SIG-14",
         .proves = "A created with a fraction is malformed",
         .run = refuses_written("created", "1763683200.5", malformed),
         .mutants = {{"created-any-number", "refused"}}},
        {.id = "win-09",
         .clause = "SIG-14",
         .proves = "A created that is text is malformed",
         .run = refuses_written("created", "\"1763683200\"", malformed),
         .mutants = {{"created-any-type", "refused"}}},
        {.id = "win-10",
         .clause = "SIG-3",
         .proves = "A created in the year 2099 is refused as clock-skew",
         .run = refuses_written("created", "4070908800", {{401, "clock-skew"}}),
         .mutants = {{"no-window-future", "refused"}}},
        {.id = "win-11",
         .clause = "SIG-3",
         .proves = "A request whose expires has passed is refused as clock-skew",
         .run = refuses_at(-200, -5),
         .mutants = {{"expires-ignored", "refused"}}},
        {.id = "win-12",
         .clause = "SIG-12",
         .proves = "An expires before its created is refused as clock-skew",
         .run = refuses_at(30, 20),
         .mutants = {{"expires-order-ignored", "refused"}}},
        {.id = "win-13",
         .clause = "SIG-3",
         .proves = "An expires more than 300 s after its created is refused as clock-skew",
         .run = refuses_at(-10, 295),
         .mutants = {{"expires-span-ignored", "refused"}}},
        {.id = "win-14",
         .clause = "SIG-13",
         .proves = "A request without expires is refused as signature-incomplete",
         .run = refuses_written("expires", "", incomplete),
         .mutants = {{"expires-optional", "refused"}}},
    };
}

}  // namespace entente::conformance
