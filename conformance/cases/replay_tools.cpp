#include "conformance/cases/replay_tools.hpp"

#include <thread>

#include "conformance/cases/changes.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr const char* replay_inbox = "/federation/v1/inbox";
// For how long a request is valid that is to expire soon, in s.
constexpr int short_life = 2;
// The longest that it may take to do so.
constexpr Millis expiry_time{6'000};
// For how long a request is valid whose target's clock runs `far_ahead`, in s: the clock is past
// its end, and its end is past what is true. All else that is signed outlives the sweep by far.
constexpr int middle_life = 30;
constexpr int far_ahead = 60;
// In which a target that sweeps once a second has swept.
constexpr Millis sweep_time{2'000};
// Setting a clock may take a restart.
constexpr Millis served_again_time{20'000};

Defect living_for(int seconds)
{
    return {.before_signing = [=](Request&, SignatureInput& input) {
        const auto created = std::stoll(input.get("created"));
        input.set("expires", std::to_string(created + seconds));
    }};
}

}  // namespace

std::string fresh_nonce()
{
    return base64url(random_octets(24));
}

Defect with_nonce(const std::string& nonce)
{
    return {.before_signing = [=](Request&, SignatureInput& input) {
        input.set("nonce", conformance::quoted(nonce));
    }};
}

SignedOnce sign_body(Trial& trial, Origin& origin, const nlohmann::json& body, const Defect& defect)
{
    SignedOnce sent;
    std::string base;
    std::string signature;
    sent.octets = trial.octets_of(origin, "POST", replay_inbox, body, defect, base, signature);
    return sent;
}

SignedOnce sign_one(Trial& trial, const Defect& defect)
{
    const auto text = trial.new_text();
    const auto event = trial.message_of(trial.user(), trial.channel(), text);
    auto sent = sign_body(trial, trial.origin(), trial.submitting({event}), defect);
    sent.text = text;
    return sent;
}

SignedOnce send_once(Trial& trial, const Defect& defect)
{
    auto sent = sign_one(trial, defect);
    const auto response = trial.send_octets(sent.octets, "the first time");
    trial.expect(response.status() == 200, "accepted",
                 "the answer is " + response.text() + ", not 200");
    return sent;
}

Response send_again(Trial& trial, const SignedOnce& sent)
{
    Connection own(trial.door());
    return trial.send_octets(sent.octets, "the same octets again", &own);
}

void query_again(Trial& trial)
{
    trial.control();
    std::string base;
    std::string signature;
    const auto octets =
        trial.octets_of(trial.origin(), "GET", log_path(trial), nullptr, {}, base, signature);
    const auto first = trial.send_octets(octets, "query");
    if (first.status() != 200) throw CouldNotRun("a query isn't answered: " + first.text());
    trial.expect_refused(trial.send_octets(octets, "the query again"), refusals::replayed);
    trial.expect_still_serves();
}

void until_it_expires(Trial& trial)
{
    trial.control();
    const auto sent = send_once(trial, living_for(short_life));
    const auto until = in(expiry_time);
    for (;;) {
        const auto again = send_again(trial, sent);
        trial.expect_refused(again, {{409, "replayed"}, {401, "clock-skew"}});
        if (again.code() == "clock-skew") break;
        trial.expect(Clock::now() < until, "expires",
                     "a request is still not refused as clock-skew after its time");
        std::this_thread::sleep_for(Millis(200));
    }
    trial.expect_once(sent.text);
    trial.expect_still_serves();
}

void clock_set_back(Trial& trial)
{
    trial.control();
    const auto sent = send_once(trial, living_for(middle_life));
    // Whatever comes of it, the clock is put right again.
    struct Right {
        Trial& trial;
        ~Right()
        {
            try {
                static_cast<void>(trial.hook("clock", {{"ahead_ms", 0}}));
                trial.wait_until_served(served_again_time);
            } catch (const std::runtime_error&) {
            }
        }
    };
    {
        const Right right{trial};
        static_cast<void>(trial.hook("clock", {{"ahead_ms", far_ahead * 1000}}));
        trial.wait_until_served(served_again_time);
        // Others' nonces are what makes a target forget; so does time.
        const auto until = in(sweep_time);
        while (Clock::now() < until) {
            static_cast<void>(send_once(trial));
            std::this_thread::sleep_for(Millis(200));
        }
    }
    trial.expect_refused(send_again(trial, sent), {{409, "replayed"}, {503, "unavailable"}});
    trial.expect_once(sent.text);
    trial.expect_still_serves();
}

}  // namespace entente::conformance
