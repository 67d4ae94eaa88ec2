// What the target does about a refusal, and about an answer that is none [SIG-10, SIG-11, RETRY-4,
// RETRY-5, RETRY-6, and the table of errors].
#include <algorithm>
#include <thread>

#include "conformance/cases/outbound_parts.hpp"
#include "conformance/judge/follower.hpp"
#include "conformance/judge/verify.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr Millis soon{10'000};
// Of a wait that is given in whole seconds, what must have gone by.
constexpr std::int64_t nearly = 100;
// The first wait of its own is 1 s ±20 %.
constexpr std::int64_t first_wait = 750;

// Posts to a channel of the runner's, whose first transaction is answered by `way`; the second
// arrival, which must hold the same event.
Received expect_again(Trial& trial, Follower& follower, Way way)
{
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    answer_so(origin, text, 1, std::move(way));
    const Posted posted{text, trial.accounts().post(Who::first, follower.id(), text)};
    const auto first = wait_for_arrival(origin, text, 1, soon, "sent");
    const auto second = wait_for_arrival(origin, text, 2, soon, "sent-again");
    trial.expect(item_in(first.body, text) == item_in(second.body, text), "same-event",
                 "the second time it is another event: " + item_in(second.body, text).dump());
    trial.expect(
        signature_parameter(first.request, "nonce") != signature_parameter(second.request, "nonce"),
        "signed-anew", "the second time it has the nonce of the first [SIG-4]");
    expect_standing(trial, posted, "accepted", "settled");
    const auto count = origin.with([&] {
        auto& home = follower.home();
        std::size_t times = 0;
        for (std::uint64_t seq = 1; seq <= home.latest(); ++seq)
            times += home.entry(seq).event.id() == posted.event ? 1U : 0U;
        return times;
    });
    trial.expect(count == 1, "same-event",
                 "the channel's home was handed it " + std::to_string(count) + " times, not once");
    return second;
}

std::function<void(Trial&)> sends_again_after(std::function<Way(Origin&)> make)
{
    return [make = std::move(make)](Trial& trial) {
        Follower follower(trial);
        static_cast<void>(expect_again(trial, follower, make(trial.origin())));
    };
}

Way unsigned_answer(Origin&)
{
    return [](const Request& request) {
        const auto body = nlohmann::json::parse(request.body, nullptr, false);
        return std::optional(reply_json(200, false_results(body).dump()));
    };
}

// Signed by a key of `origin`'s name that no document of its shows.
Way answer_by_another_key(Origin& origin)
{
    return [&origin](const Request& request) {
        Answer answer;
        answer.status = 200;
        answer.fields = {{"Content-Type", "application/json"}};
        answer.body = false_results(nlohmann::json::parse(request.body, nullptr, false)).dump();
        sign_answer(answer, request, origin.name(), SigningKey::random(),
                    system_milliseconds() / 1000);
        return std::optional(reply_with(std::move(answer)));
    };
}

// What was signed for another request, under the right key.
Way answer_to_another_request(Origin& origin)
{
    return [&origin](const Request& request) {
        auto other = request;
        set_field(other.fields, "Signature",
                  "entente=:" + base64(SigningKey::random().sign("another request")) + ":");
        return std::optional(origin.signed_json(
            other, 200, false_results(nlohmann::json::parse(request.body, nullptr, false))));
    };
}

Way answer_of_another_body(Origin& origin)
{
    return [&origin](const Request& request) {
        const auto body = nlohmann::json::parse(request.body, nullptr, false);
        auto reply = origin.signed_json(request, 200, false_results(body));
        // One octet of the body is another than was digested, and the JSON as good.
        const auto at = reply.octets.rfind("\"seq\":1000");
        if (at != std::string::npos) reply.octets[at + 9] = '1';
        return std::optional(reply);
    };
}

Way taken_and_closed(Origin& origin)
{
    return [&origin](const Request& request) {
        static_cast<void>(origin.inbox_result(nlohmann::json::parse(request.body, nullptr, false)));
        return std::optional(reply_nothing());
    };
}

Way cut_off(Origin& origin)
{
    return [&origin](const Request& request) {
        auto reply = origin.signed_json(
            request, 200, false_results(nlohmann::json::parse(request.body, nullptr, false)));
        reply.octets.resize(reply.octets.size() - 10);
        reply.end = Reply::End::close;
        return std::optional(reply);
    };
}

Way answer_with_other_ids(Origin& origin)
{
    return [&origin](const Request& request) {
        auto answer = false_results(nlohmann::json::parse(request.body, nullptr, false));
        for (auto& submission : answer["submissions"])
            for (auto& event : submission["events"]) event["event"] = event_id("another event");
        return std::optional(origin.signed_json(request, 200, answer));
    };
}

Way answer_with_too_few(Origin& origin)
{
    return [&origin](const Request& request) {
        auto answer = false_results(nlohmann::json::parse(request.body, nullptr, false));
        for (auto& submission : answer["submissions"])
            submission["events"] = nlohmann::json::array();
        return std::optional(origin.signed_json(request, 200, answer));
    };
}

// A second answer behind the first, which nobody asked for: it is none to the next request.
Way answered_twice(Origin& origin)
{
    return [&origin](const Request& request) {
        const auto body = nlohmann::json::parse(request.body, nullptr, false);
        auto reply = origin.signed_json(request, 200, origin.inbox_result(body));
        reply.octets += reply.octets;
        return std::optional(reply);
    };
}

void takes_no_answer_twice(Trial& trial)
{
    Follower follower(trial);
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    answer_so(origin, text, 1, answered_twice(origin));
    const Posted first{text, trial.accounts().post(Who::first, follower.id(), text)};
    expect_standing(trial, first, "accepted", "settled");
    static_cast<void>(expect_again(trial, follower, no_answer()));
}

// --- times

std::function<void(Trial&)> waits_as_told(int status, const std::string& code)
{
    constexpr int seconds = 2;
    return [=](Trial& trial) {
        const std::string channel = trial.channel();
        auto& origin = trial.origin();
        const auto text = trial.new_text();
        answer_so(origin, text, 1, refusal(origin, status, code, seconds));
        trial.accounts().post(Who::first, channel, text);
        const auto first = wait_for_arrival(origin, text, 1, soon, "sent");
        // Neither news nor a request of the peer's ends a wait that it has asked for.
        trial.control();
        static_cast<void>(post(trial, channel));
        const auto second = wait_for_arrival(origin, text, 2, soon, "sent-again");
        trial.expect(second.at - first.at >= seconds * 1000 - nearly, "waits",
                     "it came again after " + std::to_string(second.at - first.at) + " ms, not " +
                         std::to_string(seconds) + " s");
        const auto between = origin.count([&](const Received& one) {
            return is_inbox(one) && one.at > first.at && one.at < second.at;
        });
        trial.expect(between == 0, "waits", "other transactions came before the time was over");
    };
}

void signs_anew_at_once(Trial& trial)
{
    const std::string channel = trial.channel();
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    const MachineWatch watch(trial.world().file().folder);
    answer_so(origin, text, 1, refusal(origin, 409, "replayed"));
    trial.accounts().post(Who::first, channel, text);
    const auto first = wait_for_arrival(origin, text, 1, soon, "sent");
    const auto second = wait_for_arrival(origin, text, 2, soon, "sent-again");
    watch.expect_within(Millis(second.at - first.at), Millis(first_wait), "at-once",
                        "what was refused as replayed came again");
    trial.expect(
        signature_parameter(first.request, "nonce") != signature_parameter(second.request, "nonce"),
        "signed-anew", "the second time it has the nonce of the first");
}

void waits_longer_each_time(Trial& trial)
{
    const auto channel = settled_channel(trial);
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    const MachineWatch watch(trial.world().file().folder);
    answer_so(origin, text, 2, no_answer());
    trial.accounts().post(Who::first, channel, text);
    const auto first = wait_for_arrival(origin, text, 1, soon, "sent");
    // News are no reason to try sooner.
    static_cast<void>(post(trial, channel));
    const auto second = wait_for_arrival(origin, text, 2, soon, "sent-again");
    const auto third = wait_for_arrival(origin, text, 3, soon, "sent-again");
    trial.expect(second.at - first.at >= first_wait, "waits",
                 "the first wait was " + std::to_string(second.at - first.at) +
                     " ms, and should be " + std::to_string(first_wait) + " ms at least");
    watch.expect_within(Millis(second.at - first.at), Millis(4 * first_wait), "waits",
                        "the first wait is too long");
    trial.expect(third.at - second.at >= 2 * first_wait, "waits",
                 "the second wait was " + std::to_string(third.at - second.at) +
                     " ms, and should be " + std::to_string(2 * first_wait) + " ms at least");
}

// [RETRY-6] Until it has answered it may be anybody's address.
void probes_with_one_item(Trial& trial)
{
    const auto channel = settled_channel(trial);
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    answer_so(origin, text, 1, no_answer());
    trial.accounts().post(Who::first, channel, text);
    static_cast<void>(wait_for_arrival(origin, text, 1, soon, "sent"));
    Posted last;
    for (int n = 0; n < 5; ++n) last = post(trial, channel);
    const auto second = wait_for_arrival(origin, text, 2, soon, "sent-again");
    const auto count = slice_in(second.body, channel)["entries"].size();
    trial.expect(count == 1, "one-item",
                 "to a peer that hasn't answered went " + std::to_string(count) +
                     " entries at once, and should go 1");
    trial.expect(origin.wait_for_entry(channel, last.event, in(soon)), "sent-again",
                 "the rest hasn't followed");
}

void waits_half_a_minute(Trial& trial)
{
    constexpr std::int64_t patience = 30'000;
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    answer_so(origin, text, 1, [](const Request&) {
        Reply reply;
        reply.end = Reply::End::hang;
        return std::optional(reply);
    });
    trial.accounts().post(Who::first, trial.channel(), text);
    const auto first = wait_for_arrival(origin, text, 1, soon, "sent");
    const auto second = wait_for_arrival(origin, text, 2, Millis(75'000), "sent-again");
    trial.expect(second.at - first.at >= patience - nearly, "patient",
                 "what wasn't answered came again after " + std::to_string(second.at - first.at) +
                     " ms, and should after 30 s at the earliest");
}

}  // namespace

std::vector<Case> outbound_retry_cases()
{
    return {
        {.id = "out-06",
         .clause = "RETRY-4",
         .proves = "A 429 with Retry-After is honoured",
         .run = waits_as_told(429, "rate-limited"),
         .mutants = {{"retry-after-ignored", "waits"}},
         .negative = false},
        {.id = "out-07",
         .clause = "RETRY-4",
         .proves = "A 503 with Retry-After is honoured",
         .run = waits_as_told(503, "unavailable"),
         .mutants = {{"retry-after-ignored", "waits"}},
         .negative = false},
        {.id = "out-08",
         .clause = "SIG-10",
         .proves = "A transaction that is answered by a 200 without a signature is sent again, "
                   "with the same event",
         .run = sends_again_after(unsigned_answer),
         .mutants = {{"takes-unsigned-answers", "sent-again"}}},
        {.id = "out-09",
         .clause = "SIG-10",
         .proves = "A transaction that is answered by a 200 under a key that the peer's document "
                   "doesn't show is sent again",
         .run = sends_again_after(answer_by_another_key),
         .mutants = {{"takes-answers-by-any-key", "sent-again"}}},
        {.id = "out-10",
         .clause = "SIG-10",
         .proves = "A transaction that is answered by a 200 that was signed for another request is "
                   "sent again",
         .run = sends_again_after(answer_to_another_request),
         .mutants = {{"takes-answers-to-others", "sent-again"}}},
        {.id = "out-11",
         .clause = "SIG-10",
         .proves = "A transaction that is answered by a 200 of which an octet was changed behind "
                   "the signature is sent again",
         .run = sends_again_after(answer_of_another_body),
         .mutants = {{"takes-answers-undigested", "sent-again"}}},
        {.id = "out-12",
         .clause = "RETRY-1",
         .proves = "A transaction that the peer took, and closed upon without an answer, is sent "
                   "again: the same event, ordered once",
         .run = sends_again_after(taken_and_closed),
         .mutants = {{"sends-once", "sent-again"}},
         .negative = false},
        {.id = "out-13",
         .clause = "RETRY-1",
         .proves =
             "A transaction whose answer is cut off in its body is sent again, with the same event",
         .run = sends_again_after(cut_off),
         .mutants = {{"sends-once", "sent-again"}},
         .negative = false},
        {.id = "out-14",
         .clause = "RETRY-5",
         .proves = "A transaction that is answered by a signed 200 with results for other events "
                   "is sent again",
         .run = sends_again_after(answer_with_other_ids),
         .mutants = {{"takes-answers-that-misfit", "sent-again"}}},
        {.id = "out-15",
         .clause = "RETRY-5",
         .proves = "A transaction that is answered by a signed 200 without results for its events "
                   "is sent again",
         .run = sends_again_after(answer_with_too_few),
         .mutants = {{"takes-answers-that-misfit", "sent-again"}}},
        {.id = "out-16",
         .clause = "RETRY-5",
         .proves = "A slice that is answered by a signed 200 of {}, of no or a null result, or of "
                   "no JSON is sent again",
         .run = takes_no_answer_that_does_not_fit,
         .mutants = {{"takes-answers-that-misfit", "sent-again"}}},
        {.id = "out-17",
         .clause = "SIG-10",
         .proves = "An answer that comes a second time, unasked, isn't taken for the answer to "
                   "what is sent next",
         .run = takes_no_answer_twice,
         .mutants = {{"sends-once", "sent-again"}}},
        {.id = "out-18",
         .clause = "RETRY-4",
         .proves = "A slice that is answered 401 clock-skew, 503, 500 or by a proxy's 404 page is "
                   "sent again, after 0.75 s at least",
         .run = tries_again_after_what_passes,
         .mutants = {{"sends-once", "sent-again"}, {"retries-at-once", "waits"}},
         .negative = false},
        {.id = "out-19",
         .clause = "RETRY-4",
         .proves = "A slice that is answered malformed, unknown-key, blocked or forbidden isn't "
                   "sent again within 2 s",
         .run = leaves_alone_what_is_final,
         .mutants = {{"retries-what-is-final", "waits"}}},
        {.id = "out-20",
         .clause = "SIG-4",
         .proves = "A slice that is answered 409 replayed is sent again within 0.75 s, under "
                   "another nonce",
         .run = signs_anew_at_once,
         .mutants = {{"replayed-is-final", "sent-again"}},
         .negative = false},
        {.id = "out-21",
         .clause = "HTTP-14",
         .proves = "A transaction that is answered by a redirect (302, 307, 308) is sent again to "
                   "the inbox, and nowhere else",
         .run = follows_no_redirect,
         .mutants = {{"follows-redirects", "not-followed"}}},
        {.id = "out-22",
         .clause = "RETRY-6",
         .profile = Profile::hardened,
         .proves = "To a peer that closes without an answer it goes again after 0.75 to 3 s, then "
                   "after 1.5 s at least, whatever is new",
         .run = waits_longer_each_time,
         .mutants = {{"retries-at-once", "waits"}},
         .negative = false},
        {.id = "out-23",
         .clause = "RETRY-6",
         .level = Level::should,
         .proves = "To a peer that hasn't answered yet the next try carries one entry, and the "
                   "rest goes once that is answered",
         .run = probes_with_one_item,
         .mutants = {{"probes-with-all", "one-item"}},
         .negative = false},
        {.id = "out-24",
         .clause = "SIG-11",
         .profile = Profile::durable,
         .proves = "An answer that doesn't come is waited for at least 30 s, and then the "
                   "transaction is sent again",
         .run = waits_half_a_minute,
         .mutants = {{"impatient", "patient"}},
         .waits = true,
         .negative = false},
    };
}

}  // namespace entente::conformance
