#include <algorithm>
#include <thread>
#include <utility>

#include "conformance/cases/events.hpp"

namespace entente::conformance {

namespace {

constexpr Millis settle_time{5'000};
constexpr Millis settle_step{20};

std::string message_content(const std::string& text)
{
    return salted({{"text", text}});
}

Event message_around(Trial& trial, std::string content)
{
    return make_event(
        {{"type", "message.create"}, {"channel", trial.channel()}, {"sender", trial.user()}},
        std::move(content), trial.now());
}

std::string shown(const nlohmann::json& result)
{
    return result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, 400);
}

}  // namespace

OddEvent with_members(const std::string& what, std::function<void(nlohmann::json&)> change)
{
    return {what, [change = std::move(change)](Trial& trial, const std::string& text) {
                auto event = message_around(trial, message_content(text));
                auto members = nlohmann::json::parse(event.octets);
                change(members);
                event.octets = members.dump();
                return event;
            }};
}

OddEvent with_octets(const std::string& what, std::function<void(std::string&)> change)
{
    return {what, [change = std::move(change)](Trial& trial, const std::string& text) {
                auto event = message_around(trial, message_content(text));
                change(event.octets);
                return event;
            }};
}

OddEvent with_content(const std::string& what, std::function<void(std::string&)> change)
{
    return {what, [change = std::move(change)](Trial& trial, const std::string& text) {
                auto content = message_content(text);
                change(content);
                return message_around(trial, std::move(content));
            }};
}

std::function<void(std::string&)> inserting(const std::string& written)
{
    return [=](std::string& object) { object.insert(1, written + ","); };
}

std::vector<OddEvent> in_both(const std::vector<std::string>& written)
{
    std::vector<OddEvent> both;
    for (const auto& member : written) {
        // What is thousands of brackets isn't said in full.
        const auto name = member.substr(0, 60);
        both.push_back(with_octets("an event with " + name, inserting(member)));
        both.push_back(with_content("a content with " + name, inserting(member)));
    }
    return both;
}

namespace {

// Hands them in one after the other; `judge` is given each one's result and text.
void submit_each(
    Trial& trial, const std::vector<OddEvent>& odd,
    const std::function<void(const OddEvent&, const nlohmann::json&, const std::string&)>& judge)
{
    trial.control();
    for (const auto& one : odd) {
        const auto text = trial.new_text();
        const auto event = one.make(trial, text);
        const auto response =
            trial.transact(trial.origin(), trial.submitting({event}), {}, one.what);
        trial.expect_ok(response);
        judge(one, result_of(response), text);
    }
}

}  // namespace

Run refuses_each(std::vector<OddEvent> odd, Codes codes)
{
    return [odd = std::move(odd), codes = std::move(codes)](Trial& trial) {
        submit_each(trial, odd, [&](const auto& one, const auto& result, const auto& text) {
            expect_result(trial, result, one.what, "rejected", codes);
            trial.expect_absent(text);
        });
        trial.expect_still_serves();
    };
}

Run accepts_each(std::vector<OddEvent> odd)
{
    return [odd = std::move(odd)](Trial& trial) {
        submit_each(trial, odd, [&](const auto& one, const auto& result, const auto& text) {
            expect_taken(trial, result, one.what);
            trial.expect_once(text);
        });
    };
}

Run refuses_bodies(std::vector<OddBody> odd, std::vector<Refusal> allowed)
{
    return [odd = std::move(odd), allowed = std::move(allowed)](Trial& trial) {
        trial.control();
        for (const auto& one : odd) {
            const auto text = trial.new_text();
            const auto event = trial.message_of(trial.user(), trial.channel(), text);
            // A connection of its own: what a target makes of the defect may end it.
            Connection own(trial.door());
            const auto response = trial.transact(trial.origin(), trial.submitting({event}),
                                                 one.defect, one.what, &own);
            if (!(one.defect.may_close && response.closed)) trial.expect_refused(response, allowed);
            trial.expect_absent(text);
        }
        trial.expect_still_serves();
    };
}

std::string text_in(const nlohmann::json& object, const char* name)
{
    if (!object.is_object()) return {};
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

nlohmann::json result_of(const Response& response, std::size_t place, std::size_t submission)
{
    const auto whole = result_in(response, "submissions", submission);
    const auto events = whole.is_object() ? whole.find("events") : whole.end();
    if (!whole.is_object() || events == whole.end() || !events->is_array() ||
        events->size() <= place)
        throw Broken("result", "the submission's result has none for its event " +
                                   std::to_string(place + 1) + ": " + shown(whole));
    return (*events)[place];
}

nlohmann::json result_in(const Response& response, const std::string& part, std::size_t place)
{
    const auto& body = response.json;
    if (!body.is_object() || !body.contains(part) || !body[part].is_array() ||
        body[part].size() <= place)
        throw Broken("result", "the answer, " + response.text() + ", has no result " +
                                   std::to_string(place + 1) + " in " + part + ": " + shown(body));
    return body[part][place];
}

void expect_result(Trial& trial, const nlohmann::json& result, const std::string& what,
                   const std::string& status, const Codes& codes)
{
    trial.expect(text_in(result, "status") == status, "refused",
                 what + ": the result is " + shown(result) + ", not " + status);
    const auto problem = result.find("problem");
    const auto code = problem == result.end() ? std::string() : problem_code(*problem);
    trial.expect(codes.empty() || std::find(codes.begin(), codes.end(), code) != codes.end(),
                 "refused", what + ": the problem is \"" + code + "\" in " + shown(result));
}

std::uint64_t expect_taken(Trial& trial, const nlohmann::json& result, const std::string& what,
                           const std::string& status)
{
    trial.expect(text_in(result, "status") == status, "accepted",
                 what + ": the result is " + shown(result) + ", not " + status);
    const auto seq = result.find("seq");
    trial.expect(seq != result.end() && seq->is_number_unsigned(), "accepted",
                 what + ": the result has no seq: " + shown(result));
    return seq->get<std::uint64_t>();
}

Event event_of(Trial& trial, const std::string& type, const std::string& sender,
               const std::string& channel, nlohmann::json content, const std::string& target)
{
    nlohmann::json members = {{"type", type}, {"channel", channel}, {"sender", sender}};
    if (!target.empty()) members["target"] = target;
    return make_event(std::move(members), salted(std::move(content)), trial.now());
}

nlohmann::json hand_in(Trial& trial, Origin& origin, const std::string& channel, const Event& event,
                       const std::string& what)
{
    const auto response =
        trial.transact(origin, trial.submitting(origin, channel, {event}), {}, what);
    trial.expect_ok(response);
    return result_of(response);
}

std::size_t times_read(Trial& trial, const std::string& channel, const std::string& text)
{
    const auto barrier = trial.new_text();
    trial.accounts().post(Who::first, channel, barrier);
    const auto until = in(settle_time);
    for (;;) {
        const auto all = trial.accounts().messages(Who::first, channel);
        const auto count = [&](const std::string& words) {
            return static_cast<std::size_t>(std::count_if(
                all.begin(), all.end(), [&](const Message& one) { return one.text == words; }));
        };
        if (count(barrier) > 0) return count(text);
        if (Clock::now() >= until)
            throw CouldNotRun("the target's account can't read a message of its own");
        std::this_thread::sleep_for(settle_step);
    }
}

}  // namespace entente::conformance
