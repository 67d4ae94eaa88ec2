// Outbound: what the target sends to its peers, and what it makes of their answers [SIG-1, SIG-10,
// SIG-11, INBOX-7, RETRY-1 … RETRY-6, and the table of errors].
#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>

#include "conformance/cases/groups.hpp"
#include "conformance/cases/outbound_parts.hpp"
#include "conformance/sockets/patience.hpp"

namespace entente::conformance {

namespace {

constexpr Millis look_step{10};

nlohmann::json parsed_body(const Request& request)
{
    auto body = nlohmann::json::parse(request.body, nullptr, false);
    return body.is_object() ? body : nlohmann::json::object();
}

nlohmann::json list_in(const nlohmann::json& object, const char* name)
{
    const auto found = object.find(name);
    return found != object.end() && found->is_array() ? *found : nlohmann::json::array();
}

bool holds(const nlohmann::json& item, const std::string& text)
{
    return item.is_object() && item.value("content", "").find(text) != std::string::npos;
}

}  // namespace

std::vector<Case> outbound_cases()
{
    std::vector<Case> all;
    for (auto part : {outbound_request_cases, outbound_retry_cases, outbound_item_cases,
                      outbound_peer_cases, outbound_limit_cases, outbound_absence_cases}) {
        auto cases = part();
        all.insert(all.end(), std::make_move_iterator(cases.begin()),
                   std::make_move_iterator(cases.end()));
    }
    return all;
}

Posted post(Trial& trial, const std::string& channel)
{
    Posted posted;
    posted.text = trial.new_text();
    posted.event = trial.accounts().post(Who::first, channel, posted.text);
    return posted;
}

std::string settled_channel(Trial& trial)
{
    const std::string channel = trial.channel();
    const auto posted = post(trial, channel);
    if (!trial.origin().wait_for_entry(channel, posted.event, in(Millis(10'000))))
        throw CouldNotRun("a message of the target's account hasn't come within 10 s");
    return channel;
}

void answer_so(Origin& origin, const std::string& text, int times, Way way)
{
    auto left_over = std::make_shared<std::atomic<int>>(times);
    origin.on([=, way = std::move(way)](const Request& request) -> std::optional<Reply> {
        if (request.method != "POST" || request.body.find(text) == std::string::npos)
            return std::nullopt;
        if (left_over->fetch_sub(1) <= 0) return std::nullopt;
        return way(request);
    });
}

Way refusal(Origin& origin, int status, const std::string& code, int retry_after)
{
    return [&origin, status, code, retry_after](const Request& request) {
        Answer answer;
        answer.status = status;
        answer.fields = {{"Content-Type", "application/problem+json"}};
        if (retry_after > 0) answer.fields.emplace_back("Retry-After", std::to_string(retry_after));
        answer.body = problem(code, status).dump();
        return std::optional(origin.signed_reply(request, std::move(answer)));
    };
}

Way no_answer()
{
    return [](const Request&) { return std::optional(reply_nothing()); };
}

nlohmann::json results_with(Origin& origin, const nlohmann::json& body, const Special& special)
{
    auto rest = body;
    std::vector<std::pair<nlohmann::json::json_pointer, nlohmann::json>> given;
    for (std::size_t place = 0; place < list_in(body, "submissions").size(); ++place) {
        const auto& submission = body["submissions"][place];
        auto others = nlohmann::json::array();
        std::size_t index = 0;
        for (const auto& item : list_in(submission, "events")) {
            auto result = special.event ? special.event(item) : std::nullopt;
            const auto path = "/submissions/" + std::to_string(place) + "/events/";
            if (result)
                given.emplace_back(path + std::to_string(index), std::move(*result));
            else
                others.push_back(item);
            ++index;
        }
        rest["submissions"][place]["events"] = std::move(others);
    }
    auto slices = nlohmann::json::array();
    std::size_t index = 0;
    for (const auto& slice : list_in(body, "logs")) {
        auto result = special.slice ? special.slice(slice) : std::nullopt;
        if (result)
            given.emplace_back("/logs/" + std::to_string(index), std::move(*result));
        else
            slices.push_back(slice);
        ++index;
    }
    if (rest.contains("logs")) rest["logs"] = std::move(slices);
    auto results = origin.inbox_result(rest);
    // From the first on: what is put in moves what stands behind it.
    for (auto& [path, result] : given) {
        auto& list = results[path.parent_pointer()];
        const auto at = static_cast<std::ptrdiff_t>(std::stoul(path.back()));
        list.insert(list.begin() + at, std::move(result));
    }
    return results;
}

Way results(Origin& origin, Special special)
{
    return [&origin, special = std::move(special)](const Request& request) {
        return std::optional(
            origin.signed_json(request, 200, results_with(origin, parsed_body(request), special)));
    };
}

nlohmann::json false_results(const nlohmann::json& body)
{
    auto results = nlohmann::json::object();
    for (const auto& submission : list_in(body, "submissions")) {
        auto events = nlohmann::json::array();
        for (const auto& item : list_in(submission, "events"))
            events.push_back({{"event", event_id(item.value("event", ""))},
                              {"status", "accepted"},
                              {"seq", 1000 + events.size()}});
        results["submissions"].push_back(
            {{"channel", submission.value("channel", "")}, {"events", std::move(events)}});
    }
    for (const auto& slice : list_in(body, "logs")) {
        const auto checkpoint = slice.value("checkpoint", nlohmann::json::object());
        results["logs"].push_back({{"channel", slice.value("channel", "")},
                                   {"status", "ok"},
                                   {"epoch", 1},
                                   {"have", checkpoint.value("seq", 0)},
                                   {"hash", checkpoint.value("hash", "")}});
    }
    return results;
}

std::vector<Received> arrivals(const Origin& origin, const std::string& text)
{
    auto all = origin.received();
    std::erase_if(all, [&](const Received& one) {
        return !is_inbox(one) || one.request.body.find(text) == std::string::npos;
    });
    return all;
}

Received wait_for_arrival(Origin& origin, const std::string& text, std::size_t number, Millis time,
                          const std::string& assertion)
{
    const auto until = within_patience(in(time));
    for (;;) {
        const auto all = arrivals(origin, text);
        if (all.size() >= number) return all[number - 1];
        if (Clock::now() >= until)
            throw Broken(assertion, "a transaction with the account's message has come " +
                                        std::to_string(all.size()) + " times within " +
                                        std::to_string(time.count()) + " ms, and should have " +
                                        std::to_string(number) + " times");
        std::this_thread::sleep_for(look_step);
    }
}

void expect_entry_within(Origin& origin, const std::string& channel, const std::string& event,
                         Millis limit, const MachineWatch& watch, const std::string& assertion,
                         const std::string& detail)
{
    // Beyond the limit, to see by how much it is late.
    constexpr int patience = 15;
    const auto began = Clock::now();
    const bool came = origin.wait_for_entry(channel, event, in(patience * limit));
    const auto waited = std::chrono::duration_cast<Millis>(Clock::now() - began);
    const auto took = came ? waited : std::max(waited, patience * limit);
    watch.expect_within(took, limit, assertion, came ? detail : detail + ", or not at all", began);
}

nlohmann::json slice_in(const nlohmann::json& body, const std::string& channel)
{
    for (const auto& slice : list_in(body, "logs"))
        if (slice.is_object() && slice.value("channel", "") == channel) return slice;
    return nullptr;
}

nlohmann::json item_in(const nlohmann::json& body, const std::string& text)
{
    for (const auto& submission : list_in(body, "submissions"))
        for (const auto& item : list_in(submission, "events"))
            if (holds(item, text)) return item;
    for (const auto& slice : list_in(body, "logs"))
        for (const auto& item : list_in(slice, "entries"))
            if (holds(item, text)) return item;
    return nullptr;
}

void expect_standing(Trial& trial, const Posted& posted, const std::string& standing,
                     const std::string& assertion)
{
    const auto until = within_patience(in(Millis(10'000)));
    std::string found;
    while ((found = trial.accounts().standing(Who::first, posted.event)) != standing) {
        if (Clock::now() >= until)
            throw Broken(assertion,
                         "the account is told that its message is " + found + ", not " + standing);
        std::this_thread::sleep_for(look_step);
    }
}

void expect_in_order(const Origin& origin, const std::string& channel,
                     const std::vector<Posted>& posted)
{
    std::vector<std::string> events;
    for (const auto& entry : origin.entries_of(channel)) events.push_back(event_id(entry.event));
    auto from = events.begin();
    for (const auto& one : posted) {
        const auto found = std::find(from, events.end(), one.event);
        if (found == events.end())
            throw Broken("order", "an entry is missing, or has come before one that it follows");
        if (std::count(events.begin(), events.end(), one.event) != 1)
            throw Broken("order", "an entry has come more than once");
        from = found + 1;
    }
}

}  // namespace entente::conformance
