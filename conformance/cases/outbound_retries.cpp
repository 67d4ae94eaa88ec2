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
    trial.expect(count == 1, "same-event", "the home holds it " + std::to_string(count) + " times");
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

// Servers that answer the same slice in a way of their own each, all at once.
struct Answering {
    std::string what;
    std::function<Way(Origin&)> way;
    Origin* origin = nullptr;
};

std::string post_to_all(Trial& trial, std::vector<Answering>& all, int times)
{
    const std::string channel = trial.channel();
    for (auto& one : all) {
        one.origin = &one == &all.front() ? &trial.origin() : &trial.another(one.what);
        if (one.origin != &trial.origin()) trial.join(*one.origin, one.origin->user(), channel);
    }
    // What is still owed for the joins goes first.
    const auto before = post(trial, channel);
    for (auto& one : all)
        if (!one.origin->wait_for_entry(channel, before.event, in(soon)))
            throw CouldNotRun("a server that has joined isn't sent the log");
    auto text = trial.new_text();
    for (auto& one : all) answer_so(*one.origin, text, times, one.way(*one.origin));
    trial.accounts().post(Who::first, channel, text);
    return text;
}

Way bare(int status, const Fields& fields)
{
    return [=](const Request&) {
        Answer answer;
        answer.status = status;
        answer.fields = fields;
        answer.body = "<html>no problem document</html>";
        return std::optional(reply_with(std::move(answer)));
    };
}

std::function<Way(Origin&)> refused_as(int status, const std::string& code)
{
    return [=](Origin& origin) { return refusal(origin, status, code); };
}

std::function<Way(Origin&)> refused_barely(int status)
{
    return [=](Origin&) { return bare(status, {{"Content-Type", "text/html"}}); };
}

void tries_again_after_what_passes(Trial& trial)
{
    std::vector<Answering> all = {{"skew", refused_as(401, "clock-skew")},
                                  {"unavailable", refused_as(503, "unavailable")},
                                  {"error", refused_barely(500)},
                                  {"proxy", refused_barely(404)}};
    const auto text = post_to_all(trial, all, 1);
    for (const auto& one : all) {
        const auto first = wait_for_arrival(*one.origin, text, 1, soon, "sent");
        const auto second = wait_for_arrival(*one.origin, text, 2, soon, "sent-again");
        trial.expect(
            second.at - first.at >= first_wait, "waits",
            one.what + ": it came again after " + std::to_string(second.at - first.at) + " ms");
    }
}

// An hour, a day or a minute can't be waited for: it must not come again within 2 s, whatever the
// peer sends meanwhile.
void leaves_alone_what_is_final(Trial& trial)
{
    std::vector<Answering> all = {{"malformed", refused_as(400, "malformed")},
                                  {"unknown", refused_as(401, "unknown-key")},
                                  {"blocked", refused_as(403, "blocked")},
                                  {"forbidden", refused_as(403, "forbidden")}};
    const auto text = post_to_all(trial, all, 1'000);
    for (const auto& one : all)
        static_cast<void>(wait_for_arrival(*one.origin, text, 1, soon, "sent"));
    const auto until = in(Millis(2'000));
    trial.control();
    std::this_thread::sleep_until(until);
    for (const auto& one : all)
        trial.expect(arrivals(*one.origin, text).size() == 1, "waits",
                     "refused as " + one.what + ", it came again within 2 s");
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
                        "it came again late");
    trial.expect(
        signature_parameter(first.request, "nonce") != signature_parameter(second.request, "nonce"),
        "signed-anew", "the second time it has the nonce of the first");
}

void follows_no_redirect(Trial& trial)
{
    const auto to = [](int status) {
        return [=](Origin& origin) {
            return bare(status, {{"Location", "https://" + origin.name() + "/elsewhere"}});
        };
    };
    std::vector<Answering> all = {{"r302", to(302)}, {"r307", to(307)}, {"r308", to(308)}};
    const auto text = post_to_all(trial, all, 1);
    for (const auto& one : all) {
        static_cast<void>(wait_for_arrival(*one.origin, text, 2, soon, "sent-again"));
        const auto followed = one.origin->count(
            [](const Received& received) { return received.request.target == "/elsewhere"; });
        trial.expect(followed == 0, "not-followed", "a redirect was followed");
    }
}

// Signed, and nothing that fits a transaction of one slice.
void takes_no_answer_that_does_not_fit(Trial& trial)
{
    const auto with = [](const std::string& text) {
        return [=](Origin& origin) -> Way {
            return [&origin, text](const Request& request) {
                Answer answer;
                answer.status = 200;
                answer.fields = {{"Content-Type", "application/json"}};
                answer.body = text;
                return std::optional(origin.signed_reply(request, std::move(answer)));
            };
        };
    };
    std::vector<Answering> all = {{"empty", with("{}")},
                                  {"none", with(R"({"logs":[]})")},
                                  {"null", with(R"({"logs":[null]})")},
                                  {"text", with("not JSON")}};
    const auto text = post_to_all(trial, all, 1);
    for (const auto& one : all)
        static_cast<void>(wait_for_arrival(*one.origin, text, 2, soon, "sent-again"));
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
                 "the first wait was " + std::to_string(second.at - first.at) + " ms");
    watch.expect_within(Millis(second.at - first.at), Millis(4 * first_wait), "waits",
                        "the first wait is too long");
    trial.expect(third.at - second.at >= 2 * first_wait, "waits",
                 "the second wait was " + std::to_string(third.at - second.at) + " ms");
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
                 "to a peer that hasn't answered went " + std::to_string(count) + " entries");
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
                 "it came again after " + std::to_string(second.at - first.at) + " ms");
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
         .proves = "A 200 without a signature is no answer: the same event is sent again",
         .run = sends_again_after(unsigned_answer),
         .mutants = {{"takes-unsigned-answers", "sent-again"}}},
        {.id = "out-09",
         .clause = "SIG-10",
         .proves = "A 200 that a key signed which the peer doesn't show is no answer",
         .run = sends_again_after(answer_by_another_key),
         .mutants = {{"takes-answers-by-any-key", "sent-again"}}},
        {.id = "out-10",
         .clause = "SIG-10",
         .proves = "A 200 that was signed for another request is no answer",
         .run = sends_again_after(answer_to_another_request),
         .mutants = {{"takes-answers-to-others", "sent-again"}}},
        {.id = "out-11",
         .clause = "SIG-10",
         .proves = "A 200 whose body isn't what was digested is no answer",
         .run = sends_again_after(answer_of_another_body),
         .mutants = {{"takes-answers-undigested", "sent-again"}}},
        {.id = "out-12",
         .clause = "RETRY-1",
         .proves = "What was taken and not answered is sent again as the same event",
         .run = sends_again_after(taken_and_closed),
         .mutants = {{"sends-once", "sent-again"}},
         .negative = false},
        {.id = "out-13",
         .clause = "RETRY-1",
         .proves = "After an answer that was cut off the same event is sent again",
         .run = sends_again_after(cut_off),
         .mutants = {{"sends-once", "sent-again"}},
         .negative = false},
        {.id = "out-14",
         .clause = "RETRY-5",
         .proves = "An answer with the ids of other events is no answer",
         .run = sends_again_after(answer_with_other_ids),
         .mutants = {{"takes-answers-that-misfit", "sent-again"}}},
        {.id = "out-15",
         .clause = "RETRY-5",
         .proves = "An answer with too few results is no answer",
         .run = sends_again_after(answer_with_too_few),
         .mutants = {{"takes-answers-that-misfit", "sent-again"}}},
        {.id = "out-16",
         .clause = "RETRY-5",
         .proves = "A signed 200 that can't be read, or has no result for a slice, is no answer",
         .run = takes_no_answer_that_does_not_fit,
         .mutants = {{"takes-answers-that-misfit", "sent-again"}}},
        {.id = "out-17",
         .clause = "SIG-10",
         .proves = "An answer that comes twice is not the answer to what is sent next",
         .run = takes_no_answer_twice,
         .mutants = {{"sends-once", "sent-again"}}},
        {.id = "out-18",
         .clause = "RETRY-4",
         .proves = "Errors that pass, and pages of a proxy, are followed by another try",
         .run = tries_again_after_what_passes,
         .mutants = {{"sends-once", "sent-again"}, {"retries-at-once", "waits"}},
         .negative = false},
        {.id = "out-19",
         .clause = "RETRY-4",
         .proves = "A request that was refused for good isn't sent again at once",
         .run = leaves_alone_what_is_final,
         .mutants = {{"retries-what-is-final", "waits"}}},
        {.id = "out-20",
         .clause = "SIG-4",
         .proves = "A request that was refused as replayed is signed anew at once",
         .run = signs_anew_at_once,
         .mutants = {{"replayed-is-final", "sent-again"}},
         .negative = false},
        {.id = "out-21",
         .clause = "DISC-2",
         .proves = "A redirect is no answer, and isn't followed",
         .run = follows_no_redirect,
         .mutants = {{"follows-redirects", "not-followed"}}},
        {.id = "out-22",
         .clause = "RETRY-6",
         .profile = Profile::hardened,
         .proves = "Waits for a peer that doesn't answer begin at 1 s and double",
         .run = waits_longer_each_time,
         .mutants = {{"retries-at-once", "waits"}},
         .negative = false},
        {.id = "out-23",
         .clause = "RETRY-6",
         .level = Level::should,
         .proves = "To a peer that hasn't answered goes one item, and the rest once it has",
         .run = probes_with_one_item,
         .mutants = {{"probes-with-all", "one-item"}},
         .negative = false},
        {.id = "out-24",
         .clause = "SIG-11",
         .profile = Profile::durable,
         .proves = "An answer is waited for at least 30 s, and what was sent is sent again then",
         .run = waits_half_a_minute,
         .mutants = {{"impatient", "patient"}},
         .waits = true,
         .negative = false},
    };
}

}  // namespace entente::conformance
