// One slice for several peers at once, each of which answers it in a way of its own [SIG-10,
// HTTP-14, RETRY-4, RETRY-5, and the table of errors].
#include <thread>
#include <utility>

#include "conformance/cases/outbound_parts.hpp"

namespace entente::conformance {

namespace {

constexpr Millis soon{10'000};
// The first wait of its own is 1 s ±20 %.
constexpr std::int64_t first_wait = 750;

// Servers that answer the same slice in a way of their own each, all at once.
struct Answering {
    // Of the server's name; and what it answers, for people.
    std::string label;
    std::string answer;
    std::function<Way(Origin&)> way;
    Origin* origin = nullptr;
};

std::string post_to_all(Trial& trial, std::vector<Answering>& all, int times)
{
    const std::string channel = trial.channel();
    for (auto& one : all) {
        one.origin = &one == &all.front() ? &trial.origin() : &trial.another(one.label);
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

// As wait_for_arrival, and says which of them it is that isn't sent it.
Received wait_at(const Answering& one, const std::string& text, std::size_t number,
                 const std::string& assertion)
{
    try {
        return wait_for_arrival(*one.origin, text, number, soon, assertion);
    } catch (const Broken& broken) {
        throw Broken(broken.assertion, "answered by " + one.answer + ": " + broken.what());
    }
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

}  // namespace

void tries_again_after_what_passes(Trial& trial)
{
    std::vector<Answering> all = {
        {"skew", "401 clock-skew", refused_as(401, "clock-skew")},
        {"unavailable", "503 unavailable", refused_as(503, "unavailable")},
        {"error", "500 with a page of HTML", refused_barely(500)},
        {"proxy", "404 with a page of HTML", refused_barely(404)}};
    const auto text = post_to_all(trial, all, 1);
    for (const auto& one : all) {
        const auto first = wait_at(one, text, 1, "sent");
        const auto second = wait_at(one, text, 2, "sent-again");
        trial.expect(second.at - first.at >= first_wait, "waits",
                     "answered by " + one.answer + ", it came again after " +
                         std::to_string(second.at - first.at) + " ms, and should after " +
                         std::to_string(first_wait) + " ms at the earliest");
    }
}

// An hour, a day or a minute can't be waited for: it must not come again within 2 s, whatever the
// peer sends meanwhile.
void leaves_alone_what_is_final(Trial& trial)
{
    std::vector<Answering> all = {{"malformed", "400 malformed", refused_as(400, "malformed")},
                                  {"unknown", "401 unknown-key", refused_as(401, "unknown-key")},
                                  {"blocked", "403 blocked", refused_as(403, "blocked")},
                                  {"forbidden", "403 forbidden", refused_as(403, "forbidden")}};
    const auto text = post_to_all(trial, all, 1'000);
    for (const auto& one : all) static_cast<void>(wait_at(one, text, 1, "sent"));
    const auto until = in(Millis(2'000));
    trial.control();
    std::this_thread::sleep_until(until);
    for (const auto& one : all)
        trial.expect(arrivals(*one.origin, text).size() == 1, "waits",
                     "answered by " + one.answer +
                         ", it came again within 2 s, and should after a minute at the earliest");
}

void follows_no_redirect(Trial& trial)
{
    const auto to = [](int status) {
        return [=](Origin& origin) {
            return bare(status, {{"Location", "https://" + origin.name() + "/elsewhere"}});
        };
    };
    std::vector<Answering> all = {
        {"r302", "302", to(302)}, {"r307", "307", to(307)}, {"r308", "308", to(308)}};
    const auto text = post_to_all(trial, all, 1);
    for (const auto& one : all) {
        static_cast<void>(wait_at(one, text, 2, "sent-again"));
        const auto followed = one.origin->count(
            [](const Received& received) { return received.request.target == "/elsewhere"; });
        trial.expect(followed == 0, "not-followed",
                     "the place that " + one.answer + " names in Location was asked");
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
    std::vector<Answering> all = {
        {"empty", "a signed 200 of {}", with("{}")},
        {"none", R"(a signed 200 of {"logs":[]})", with(R"({"logs":[]})")},
        {"null", R"(a signed 200 of {"logs":[null]})", with(R"({"logs":[null]})")},
        {"text", "a signed 200 that is no JSON", with("not JSON")}};
    const auto text = post_to_all(trial, all, 1);
    for (const auto& one : all) static_cast<void>(wait_at(one, text, 2, "sent-again"));
}

}  // namespace entente::conformance
