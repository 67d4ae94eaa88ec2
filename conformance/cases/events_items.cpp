// How large, how many, how early: bounds of events and transactions, and one bad item among good
// ones [EVT-5, INBOX-1, INBOX-6].
#include "conformance/cases/events.hpp"

#include <utility>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr std::size_t largest_event = 2'048;
constexpr std::size_t largest_pair = 65'536;
constexpr std::size_t batch_events = 50;
// What the runner writes at most in one body.
constexpr std::uint64_t largest_body = 64'000'000;

// A message whose event has exactly `octets`.
Event event_of_size(Trial& trial, const std::string& text, std::size_t octets)
{
    auto event = trial.message_of(trial.user(), trial.channel(), text);
    const std::string empty = R"("pad":"",)";
    const std::string padding(octets - event.octets.size() - empty.size(), 'x');
    event.octets.insert(1, R"("pad":")" + padding + "\",");
    return event;
}

// A message of which event and content have exactly `octets` together.
Event pair_of_size(Trial& trial, const std::string& text, std::size_t octets)
{
    const auto plain = trial.message_of(trial.user(), trial.channel(), text);
    auto members = nlohmann::json::parse(plain.content);
    members["pad"] = "";
    const auto least = plain.octets.size() + members.dump().size();
    members["pad"] = std::string(octets - least, 'x');
    return make_event(
        {{"type", "message.create"}, {"channel", trial.channel()}, {"sender", trial.user()}},
        members.dump(), trial.now());
}

using MakeSized = Event (*)(Trial&, const std::string&, std::size_t);

Run accepts_size(MakeSized make, std::size_t octets)
{
    return accepts_each(
        {{std::to_string(octets) + " octets",
          [=](Trial& trial, const std::string& text) { return make(trial, text, octets); }}});
}

// Between two that are right, which are taken.
Run refuses_size(MakeSized make, std::size_t octets)
{
    return [=](Trial& trial) {
        trial.control();
        const auto before = trial.new_text();
        const auto large = trial.new_text();
        const auto behind = trial.new_text();
        const auto response = trial.transact(
            trial.origin(),
            trial.submitting({trial.message_of(trial.user(), trial.channel(), before),
                              make(trial, large, octets),
                              trial.message_of(trial.user(), trial.channel(), behind)}),
            {}, std::to_string(octets) + " octets");
        trial.expect_ok(response);
        expect_result(trial, result_of(response, 1), std::to_string(octets) + " octets", "rejected",
                      {"too-large"});
        trial.expect_absent(large);
        expect_taken(trial, result_of(response, 0), "the event before it");
        expect_taken(trial, result_of(response, 2), "the event behind it");
        trial.expect_once(before);
        trial.expect_once(behind);
        trial.expect_still_serves();
    };
}

std::uint64_t announced(Trial& trial, const char* name, std::uint64_t otherwise)
{
    const auto document = trial.world().document();
    const auto limits = document.find("limits");
    if (limits == document.end() || !limits->is_object() || !limits->contains(name))
        return otherwise;
    const auto& limit = (*limits)[name];
    return limit.is_number_unsigned() ? limit.get<std::uint64_t>() : otherwise;
}

// So many signals that the body has `items`, its message included: small items, each of which a
// server may ignore.
void fill_with_signals(nlohmann::json& body, std::uint64_t items)
{
    body["signals"] = nlohmann::json::array();
    for (std::uint64_t n = 1; n < items; ++n)
        body["signals"].push_back({{"type", "x-conformance"}});
}

std::uint64_t item_limit(Trial& trial)
{
    const auto limit = announced(trial, "transaction_items", 1'000);
    if (limit > 1'000'000) throw NotApplicable("a body of so many items is beyond the runner");
    return limit;
}

void accepts_item_limit(Trial& trial)
{
    trial.accepts(
        {.body = [&](nlohmann::json& body) { fill_with_signals(body, item_limit(trial)); }});
}

void refuses_item_more(Trial& trial)
{
    trial.refuses(
        {.body = [&](nlohmann::json& body) { fill_with_signals(body, item_limit(trial) + 1); },
         .may_close = true},
        {{413, "too-large"}});
}

void refuses_octet_more(Trial& trial)
{
    const auto limit = announced(trial, "transaction_bytes", 4'194'304);
    if (limit > largest_body) throw NotApplicable("a body of so many octets is beyond the runner");
    trial.refuses({.text =
                       [&](std::string& body) {
                           const std::string empty = R"("pad":"",)";
                           const auto padding = limit + 1 - body.size() - empty.size();
                           body.insert(1, R"("pad":")" + std::string(padding, 'x') + "\",");
                       },
                   .may_close = true},
                  {{413, "too-large"}});
}

// `batch_events` messages, of which `spoil` may make some bad; the texts and the response.
std::pair<std::vector<std::string>, Response> send_batch(
    Trial& trial, const std::function<void(std::size_t, Event&)>& spoil)
{
    std::vector<std::string> texts;
    std::vector<Event> events;
    for (std::size_t place = 0; place < batch_events; ++place) {
        texts.push_back(trial.new_text());
        events.push_back(trial.message_of(trial.user(), trial.channel(), texts.back()));
        spoil(place, events.back());
    }
    auto response = trial.transact(trial.origin(), trial.submitting(events), {}, "a batch of 50");
    trial.expect_ok(response);
    return {std::move(texts), std::move(response)};
}

void one_bad_of_fifty(Trial& trial)
{
    constexpr std::size_t bad = 23;
    trial.control();
    const auto [texts, response] = send_batch(trial, [](std::size_t place, Event& event) {
        if (place == bad) event.content = salted({{"text", "not what was hashed"}});
    });
    expect_result(trial, result_of(response, bad), "the bad one of 50", "rejected", {"malformed"});
    trial.expect_absent(texts[bad]);
    trial.expect_absent("not what was hashed");
    std::uint64_t last = 0;
    for (std::size_t place = 0; place < batch_events; ++place) {
        if (place == bad) continue;
        const auto what = "number " + std::to_string(place + 1) + " of 50";
        const auto seq = expect_taken(trial, result_of(response, place), what);
        trial.expect(seq > last, "order", what + ": its seq isn't beyond the one before it");
        last = seq;
    }
    auto good = texts;
    good.erase(good.begin() + bad);
    std::size_t found = 0;
    for (const auto& message : trial.accounts().messages(Who::first, trial.channel()))
        if (found < good.size() && message.text == good[found]) ++found;
    trial.expect(found == good.size(), "once", "the other 49 can't be read in their order");
}

void all_bad(Trial& trial)
{
    trial.control();
    const auto [texts, response] =
        send_batch(trial, [](std::size_t, Event& event) { event.octets.insert(1, R"("v":1,)"); });
    for (std::size_t place = 0; place < batch_events; ++place)
        expect_result(trial, result_of(response, place),
                      "number " + std::to_string(place + 1) + " of 50 bad ones", "rejected",
                      {"malformed"});
    trial.expect_absent(texts.front());
    trial.expect_absent(texts.back());
    trial.expect_still_serves();
}

// Items of every part that are no such thing: each has its result, and the message beside them is
// taken.
void unreadable_items(Trial& trial)
{
    trial.control();
    const auto text = trial.new_text();
    auto body = trial.submitting({trial.message_of(trial.user(), trial.channel(), text)});
    const nlohmann::json odd = {nullptr, 7, "text", nlohmann::json::array(),
                                nlohmann::json::object()};
    for (const auto& one : odd) {
        body["submissions"].push_back(one);
        for (const char* part : {"logs", "direct", "signals"}) body[part].push_back(one);
    }
    const auto response = trial.transact(trial.origin(), std::move(body), {}, "items of no kind");
    trial.expect_ok(response);
    expect_taken(trial, result_of(response), "the message beside what can't be read");
    trial.expect_once(text);
    for (const char* part : {"submissions", "logs", "direct", "signals"}) {
        const auto results = response.json.value(part, nlohmann::json::array());
        trial.expect(results.size() == odd.size() + (std::string(part) == "submissions" ? 1U : 0U),
                     "lengths",
                     std::string(part) + " has " + std::to_string(results.size()) + " results");
    }
    for (std::size_t place = 0; place < odd.size(); ++place)
        expect_result(trial, result_in(response, "direct", place), "a direct event of no kind",
                      "rejected");
}

Event message_at(Trial& trial, const std::string& sender, const std::string& text, std::int64_t at)
{
    return make_event({{"type", "message.create"},
                       {"channel", trial.channel()},
                       {"sender", sender},
                       {"at", at},
                       {"txn", time_uuid(trial.now())}},
                      salted({{"text", text}}), at);
}

OddEvent written_at(const std::string& what, const std::function<std::int64_t(std::int64_t)>& when)
{
    return {what, [=](Trial& trial, const std::string& text) {
                return message_at(trial, trial.user(), text, when(trial.now()));
            }};
}

// And with it what its sender wrote behind it; nobody else's waits.
void early_event(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto other = origin.user("oscar");
    trial.join(origin, other, trial.channel());
    const auto early = trial.new_text();
    const auto behind = trial.new_text();
    const auto others = trial.new_text();
    const auto response = trial.transact(
        origin,
        trial.submitting({message_at(trial, trial.user(), early, trial.now() + 90'000),
                          trial.message_of(trial.user(), trial.channel(), behind),
                          trial.message_of(other, trial.channel(), others)}),
        {}, "an event 90 s ahead");
    trial.expect_ok(response);
    const auto first = result_of(response, 0);
    expect_result(trial, first, "an event 90 s ahead", "deferred");
    const auto wait = first.find("retry_after");
    trial.expect(wait != first.end() && wait->is_number_integer() && *wait >= 1 && *wait <= 60,
                 "retry-after", "retry_after isn't from 1 to 60: " + first.dump());
    expect_result(trial, result_of(response, 1), "what its sender wrote behind it", "deferred");
    expect_taken(trial, result_of(response, 2), "another sender's event");
    trial.expect(times_read(trial, trial.channel(), early) == 0, "no-effect",
                 "what is deferred can be read");
    trial.expect(times_read(trial, trial.channel(), behind) == 0, "order",
                 "what its sender wrote behind what is deferred can be read before it");
    trial.expect(times_read(trial, trial.channel(), others) == 1, "once",
                 "another sender's event isn't read once");
}

}  // namespace

std::vector<Case> event_item_cases()
{
    return {
        {.id = "evt-72",
         .clause = "INBOX-6",
         .proves = "An event of 2,048 octets is taken",
         .run = accepts_size(event_of_size, largest_event),
         .mutants = {{"event-size-too-narrow", "accepted"}},
         .negative = false},
        {.id = "evt-73",
         .clause = "INBOX-6",
         .proves = "An event of 2,049 octets is too-large, alone",
         .run = refuses_size(event_of_size, largest_event + 1),
         .mutants = {{"event-size-unbounded", "refused"}}},
        {.id = "evt-74",
         .clause = "INBOX-6",
         .proves = "An event and a content of 65,536 octets together are taken",
         .run = accepts_size(pair_of_size, largest_pair),
         .mutants = {{"content-size-too-narrow", "accepted"}},
         .negative = false},
        {.id = "evt-75",
         .clause = "INBOX-6",
         .proves = "An event and a content of 65,537 octets together are too-large, alone",
         .run = refuses_size(pair_of_size, largest_pair + 1),
         .mutants = {{"content-size-unbounded", "refused"}}},
        {.id = "evt-76",
         .clause = "INBOX-6",
         .proves = "A transaction of as many items as the limit allows is taken",
         .run = accepts_item_limit,
         .mutants = {{"item-limit-too-narrow", "accepted"}},
         .negative = false},
        {.id = "evt-77",
         .clause = "INBOX-6",
         .proves = "A transaction of one item more is too-large, and nothing of it is processed",
         .run = refuses_item_more,
         .mutants = {{"items-unbounded", "refused"}}},
        {.id = "evt-78",
         .clause = "INBOX-6",
         .proves = "A transaction of one octet more than the limit allows is too-large",
         .run = refuses_octet_more,
         .mutants = {{"body-unbounded", "refused"}}},
        {.id = "evt-79",
         .clause = "INBOX-1",
         .proves = "One bad event of 50 is refused, and the other 49 are taken in their order",
         .run = one_bad_of_fifty,
         .mutants = {{"one-bad-fails-all", "accepted"}, {"content-hash-ignored", "refused"}}},
        {.id = "evt-80",
         .clause = "INBOX-1",
         .proves = "50 bad events are each refused, in an answer that is 200",
         .run = all_bad,
         .mutants = {{"json-duplicate-names", "refused"}, {"bad-item-fails-body", "accepted"}}},
        {.id = "evt-81",
         .clause = "INBOX-10",
         .proves = "Items that are no such thing have their results, and harm no other item",
         .run = unreadable_items,
         .mutants = {{"bad-item-fails-body", "accepted"}}},
        {.id = "evt-82",
         .clause = "EVT-5",
         .proves = "An event whose at is 59 s ahead, or lies in 1970, is taken",
         .run = accepts_each(
             {written_at("an at 59 s ahead", [](std::int64_t now) { return now + 59'000; }),
              written_at("an at of 0", [](std::int64_t) { return 0; })}),
         .mutants = {{"event-ahead-too-narrow", "accepted"}},
         .negative = false},
        {.id = "evt-83",
         .clause = "EVT-5",
         .proves = "An event 90 s ahead is deferred, and with it what its sender wrote behind it",
         .run = early_event,
         .mutants = {{"event-ahead-ignored", "refused"}, {"deferred-overtaken", "refused"}}},
        {.id = "evt-84",
         .clause = "EVT-5",
         .proves = "An event two hours ahead is malformed",
         .run = refuses_each({written_at("an at two hours ahead",
                                         [](std::int64_t now) { return now + 7'200'000; })},
                             {"malformed"}),
         .mutants = {{"event-ahead-ignored", "refused"}}},
    };
}

}  // namespace entente::conformance
