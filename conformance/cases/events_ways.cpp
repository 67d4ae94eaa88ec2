// The other ways in: direct events, and events in the slices of a channel's home [INBOX-4, LOG-1].
#include "conformance/cases/events.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr std::int64_t direct_day = 86'400'000;
constexpr Millis entry_follow_time{20'000};
constexpr Millis entry_read_step{20};
constexpr Millis entry_read_time{5'000};

// A change of a profile, told to the target: it asks when it wants to know more [INBOX-14].
nlohmann::json direct_members(Trial& trial)
{
    return {{"type", "profile.changed"}, {"to", trial.target()}, {"sender", trial.user()}};
}

Event direct_event(Trial& trial, nlohmann::json members)
{
    return make_event(std::move(members), salted(nlohmann::json::object()), trial.now());
}

Response send_direct(Trial& trial, const std::vector<Event>& events, const std::string& what)
{
    nlohmann::json body = {{"direct", nlohmann::json::array()}};
    for (const auto& event : events) body["direct"].push_back(event.item());
    auto response = trial.transact(trial.origin(), std::move(body), {}, what);
    trial.expect_ok(response);
    return response;
}

nlohmann::json direct_result(Trial& trial, const Event& event, const std::string& what)
{
    return result_in(send_direct(trial, {event}, what), "direct", 0);
}

// One that is right. A server that takes no such event says `ignored`.
std::string control_direct(Trial& trial, nlohmann::json members)
{
    const auto result = direct_result(trial, direct_event(trial, std::move(members)), "control");
    const auto status = text_in(result, "status");
    if (status != "accepted" && status != "ignored")
        throw CouldNotRun("a direct event without a defect isn't taken: " + result.dump());
    return status;
}

struct OddDirect {
    std::string what;
    std::function<void(nlohmann::json& members)> members{};
    std::function<void(std::string& octets)> octets{};
    std::string code = "malformed";
};

OddDirect direct_with(const std::string& name, const nlohmann::json& value)
{
    return {name + " " + value.dump(), [=](nlohmann::json& members) { members[name] = value; }};
}

OddDirect direct_without(const std::string& name)
{
    return {name + " missing", [=](nlohmann::json& members) { members.erase(name); }};
}

OddDirect direct_written(const std::string& what, std::function<void(std::string&)> change)
{
    return {what, {}, std::move(change)};
}

std::vector<OddDirect> odd_directs(Trial& trial)
{
    const std::string deep(32, '[');
    return {
        direct_without("v"),
        direct_with("v", 2),
        direct_with("type", ""),
        direct_without("sender"),
        direct_without("to"),
        direct_with("to", "localhost:80"),
        direct_with("channel", trial.channel()),
        direct_with("txn", "1"),
        direct_with("at", -1),
        direct_without("content"),
        direct_with("content", content_hash("another content")),
        direct_with("device", "phone"),
        direct_written("a name twice", inserting("\"x\":1,\"x\":1")),
        direct_written("a fraction", inserting("\"x\":1.0")),
        direct_written("33 containers", inserting("\"x\":" + deep + std::string(32, ']'))),
        direct_written("a lone surrogate", inserting("\"x\":\"\\ud800\"")),
        direct_written("a byte order mark",
                       [](std::string& octets) { octets = "\xef\xbb\xbf" + octets; }),
        {"2,049 octets",
         {},
         [](std::string& octets) {
             const std::string empty = R"("pad":"",)";
             octets.insert(
                 1, R"("pad":")" + std::string(2'049 - octets.size() - empty.size(), 'x') + "\",");
         },
         "too-large"},
    };
}

void direct_forms(Trial& trial)
{
    static_cast<void>(control_direct(trial, direct_members(trial)));
    std::string last;
    for (const auto& one : odd_directs(trial)) {
        auto members = direct_members(trial);
        members["txn"] = last = time_uuid(trial.now());
        auto event = direct_event(trial, std::move(members));
        auto changed = nlohmann::json::parse(event.octets);
        if (one.members) one.members(changed);
        event.octets = changed.dump();
        if (one.octets) one.octets(event.octets);
        expect_result(trial, direct_result(trial, event, one.what), one.what, "rejected",
                      {one.code});
    }
    // What was refused has left no trace: its txn is free.
    auto members = direct_members(trial);
    members["txn"] = last;
    static_cast<void>(control_direct(trial, std::move(members)));
    trial.expect_still_serves();
}

void direct_of_another_sender(Trial& trial)
{
    static_cast<void>(control_direct(trial, direct_members(trial)));
    auto& third = trial.another();
    for (const auto& sender :
         {third.user(), third.name(), trial.accounts().user(Who::first), trial.target()}) {
        auto members = direct_members(trial);
        members["sender"] = sender;
        expect_result(trial, direct_result(trial, direct_event(trial, std::move(members)), sender),
                      "a direct event of " + sender, "rejected", {"forbidden"});
    }
    trial.expect_still_serves();
}

void direct_again(Trial& trial)
{
    if (control_direct(trial, direct_members(trial)) == "ignored")
        throw NotApplicable("the target takes no profile.changed");
    auto members = direct_members(trial);
    members["txn"] = time_uuid(trial.now());
    const auto event = direct_event(trial, members);
    const auto other = direct_event(trial, members);
    const auto first = direct_result(trial, event, "a direct event");
    trial.expect(text_in(first, "status") == "accepted", "accepted",
                 "it isn't accepted: " + first.dump());
    const auto again = direct_result(trial, event, "the same again");
    trial.expect(text_in(again, "status") == "duplicate", "once",
                 "the same again is " + again.dump());
    const auto second = direct_result(trial, other, "another one with its txn");
    trial.expect(text_in(second, "status") != "accepted", "once",
                 "another event with its txn is " + second.dump());
}

void direct_of_unknown_type(Trial& trial)
{
    auto members = direct_members(trial);
    members["type"] = "x-conformance.unheard-of";
    const auto result = direct_result(trial, direct_event(trial, members), "an unknown type");
    trial.expect(text_in(result, "status") == "ignored", "ignored",
                 "a direct event of an unknown type is " + result.dump());
}

void direct_times(Trial& trial)
{
    static_cast<void>(control_direct(trial, direct_members(trial)));
    const auto at = [&](std::int64_t from_now, const std::string& type = "profile.changed") {
        auto members = direct_members(trial);
        members["type"] = type;
        members["at"] = trial.now() + from_now;
        members["txn"] = time_uuid(trial.now());
        return direct_event(trial, std::move(members));
    };
    expect_result(trial, direct_result(trial, at(-31 * direct_day), "31 days old"),
                  "a direct event 31 days old", "rejected", {"malformed"});
    expect_result(trial, direct_result(trial, at(7'200'000), "two hours ahead"),
                  "a direct event two hours ahead", "rejected", {"malformed"});
    const auto response = send_direct(trial, {at(90'000), at(0)}, "90 s ahead, and one behind it");
    expect_result(trial, result_in(response, "direct", 0), "a direct event 90 s ahead", "deferred");
    expect_result(trial, result_in(response, "direct", 1), "what its sender wrote behind it",
                  "deferred");
}

// --- slices

// A channel of the origin's that the target's first account follows, whose first slices are taken.
HomeChannel& followed_channel(Trial& trial)
{
    auto& origin = trial.origin();
    auto& home = origin.make_channel();
    trial.accounts().join(Who::first, home.id());
    const auto joined = origin.wait_for(
        [&](const Received& one) {
            return is_inbox(one) && one.request.body.find("member.join") != std::string::npos &&
                   one.request.body.find(home.id()) != std::string::npos;
        },
        in(entry_follow_time));
    // It stands in the log a little later than it was received.
    const auto until = in(entry_read_time);
    while (joined && origin.with([&] { return home.latest(); }) < 2 && Clock::now() < until)
        std::this_thread::sleep_for(entry_read_step);
    if (origin.with([&] { return home.latest(); }) < 2)
        throw CouldNotRun("a join to a channel of the runner's never came");
    return home;
}

// Its slice behind `after`, until the target has the result of its join.
nlohmann::json slice_result(Trial& trial, HomeChannel& home, std::uint64_t after,
                            const std::string& what)
{
    auto& origin = trial.origin();
    const auto key = origin.key();
    const auto until = in(entry_read_time);
    for (;;) {
        const auto body = origin.with(
            [&] { return home.transaction(home.slice(after, home.latest()), key, trial.now()); });
        const auto response = trial.transact(origin, body, {}, what);
        trial.expect_ok(response);
        const auto result = result_in(response, "logs", 0);
        const auto status = text_in(result, "status");
        if ((status != "need-snapshot" && status != "deferred") || Clock::now() >= until)
            return result;
        std::this_thread::sleep_for(entry_read_step);
    }
}

void expect_slice_taken(Trial& trial, HomeChannel& home, std::uint64_t after,
                        const std::string& what)
{
    const auto result = slice_result(trial, home, after, what);
    const auto latest = trial.origin().with([&] { return home.latest(); });
    trial.expect(
        text_in(result, "status") == "ok" && result.contains("have") && result["have"] == latest,
        "taken", what + ": the slice's result is " + result.dump());
}

// The kick of the target's account would end its part in the channel, if it took effect.
struct OddEntry {
    std::string what;
    std::function<void(Event&)> change;
};

OddEntry entry_with(const std::string& name, const nlohmann::json& value)
{
    return {name + " " + value.dump(), [=](Event& event) {
                auto members = nlohmann::json::parse(event.octets);
                members[name] = value;
                event.octets = members.dump();
            }};
}

OddEntry entry_written(const std::string& written)
{
    return {"an event with " + written.substr(0, 40),
            [=](Event& event) { inserting(written)(event.octets); }};
}

// The content, and the event's hash of it.
OddEntry entry_of_content(const std::string& what, std::function<void(std::string&)> change)
{
    return {what, [change = std::move(change)](Event& event) {
                change(event.content);
                auto members = nlohmann::json::parse(event.octets);
                members["content"] = content_hash(event.content);
                event.octets = members.dump();
            }};
}

std::vector<OddEntry> odd_entries(const std::string& used_txn)
{
    return {
        entry_with("v", 2),
        entry_with("txn", "1"),
        entry_with("at", -1),
        entry_with("to", "a.example"),
        entry_with("device", "phone"),
        entry_with("txn", used_txn),
        entry_written("\"x\":1,\"x\":1"),
        entry_written("\"x\":1.0"),
        entry_written("\"x\":9007199254740992"),
        entry_written("\"x\":\"\\ud800\""),
        entry_written("\"x\":" + std::string(32, '[') + std::string(32, ']')),
        entry_of_content("a content without salt",
                         [](std::string& content) {
                             auto members = nlohmann::json::parse(content);
                             members.erase("salt");
                             content = members.dump();
                         }),
        entry_of_content("a content with a name twice", inserting("\"x\":1,\"x\":1")),
    };
}

Event kick_of_first(Trial& trial, const HomeChannel& home)
{
    return event_of(trial, "member.kick", home.owner(), home.id(),
                    {{"user", trial.accounts().user(Who::first)}});
}

// "no-effect": the target's account reads on, and so is a member still.
void expect_still_reads(Trial& trial, const HomeChannel& home, const std::string& text,
                        const std::string& what)
{
    const auto until = in(entry_read_time);
    for (;;) {
        const auto all = trial.accounts().messages(Who::first, home.id());
        if (std::any_of(all.begin(), all.end(),
                        [&](const Message& one) { return one.text == text; }))
            return;
        trial.expect(Clock::now() < until, "no-effect",
                     what + ": the target's account can't read on");
        std::this_thread::sleep_for(entry_read_step);
    }
}

void form_breaks_in_slices(Trial& trial)
{
    auto& origin = trial.origin();
    auto& home = followed_channel(trial);
    expect_slice_taken(trial, home, 0, "the control");
    const auto created = origin.with([&] { return home.entry(1).event.octets; });
    const auto used_txn = text_in(nlohmann::json::parse(created), "txn");
    for (const auto& odd : odd_entries(used_txn)) {
        auto event = kick_of_first(trial, home);
        odd.change(event);
        const auto text = trial.new_text();
        const auto after = origin.with([&] {
            const auto before = home.latest();
            home.append(event, trial.now());
            home.say(text, trial.now());
            return before;
        });
        expect_slice_taken(trial, home, after, odd.what);
        expect_still_reads(trial, home, text, odd.what);
    }
    // And one without a fault ends it: the oracle sees what it should.
    const auto after = origin.with([&] {
        const auto before = home.latest();
        home.append(kick_of_first(trial, home), trial.now());
        return before;
    });
    static_cast<void>(slice_result(trial, home, after, "a kick without a fault"));
    const auto until = in(entry_read_time);
    while (!trial.accounts().messages(Who::first, home.id()).empty()) {
        if (Clock::now() >= until)
            throw CouldNotRun("a kick without a fault doesn't end the account's reading");
        std::this_thread::sleep_for(entry_read_step);
    }
    trial.expect_still_serves();
}

// Contents that are no JSON of their own, and would be some within what a person's program is
// given: another content of the entry, another entry, or the end of all that can be read.
void contents_that_forge(Trial& trial)
{
    auto& origin = trial.origin();
    auto& home = followed_channel(trial);
    expect_slice_taken(trial, home, 0, "the control");
    const auto forged = trial.new_text();
    const auto object = nlohmann::json{{"salt", base64url(random_octets(16))}, {"text", forged}};
    const auto victim = nlohmann::json{{"sender", trial.accounts().user(Who::first)}};
    const std::vector<std::pair<std::string, std::string>> contents = {
        {"a second entry", "{}},{\"seq\":1,\"id\":\"" + event_id(forged) +
                               "\",\"event\":" + victim.dump() + ",\"content\":" + object.dump()},
        {"a second content", "null,\"marks\":[],\"content\":" + object.dump()},
        {"a bracket", "]"},
        {"a text that doesn't end", "{\"salt\":\"x"},
        {"nothing", ""},
    };
    for (const auto& [what, content] : contents) {
        const auto text = trial.new_text();
        const auto event = make_event(
            {{"type", "message.create"}, {"channel", home.id()}, {"sender", home.owner()}}, content,
            trial.now());
        const auto after = origin.with([&] {
            const auto before = home.latest();
            home.append(event, trial.now());
            home.say(text, trial.now());
            return before;
        });
        expect_slice_taken(trial, home, after, "a content that is " + what);
        expect_still_reads(trial, home, text, "a content that is " + what);
        const auto read = trial.accounts().messages(Who::first, home.id());
        trial.expect(std::none_of(read.begin(), read.end(),
                                  [&](const Message& one) { return one.text == forged; }),
                     "no-effect",
                     "a content that is " + what + ": it is read as another message's");
    }
    trial.expect_still_serves();
}

// Events of which not even the author can be told, or beyond the sizes: each in a channel of its
// own, since it ends there.
void unproven_in_slices(Trial& trial)
{
    auto& origin = trial.origin();
    const auto padded = [](Event& event) {
        const std::string empty = R"("pad":"",)";
        event.octets.insert(
            1, R"("pad":")" + std::string(2'049 - event.octets.size() - empty.size(), 'x') + "\",");
    };
    const std::vector<OddEntry> all = {
        {"no sender",
         [](Event& event) {
             auto members = nlohmann::json::parse(event.octets);
             members.erase("sender");
             event.octets = members.dump();
         }},
        {"two senders",
         [](Event& event) { inserting(R"("sender":"somebody@else.example")")(event.octets); }},
        {"no object", [](Event& event) { event.octets = "[" + event.octets + "]"; }},
        {"2,049 octets", padded},
        {"a content of another hash", [](Event& event) { event.content.insert(1, " "); }},
    };
    for (const auto& odd : all) {
        auto& home = followed_channel(trial);
        expect_slice_taken(trial, home, 0, "the control");
        const auto text = trial.new_text();
        auto event = home.message(home.owner(), text, trial.now());
        odd.change(event);
        const auto after = origin.with([&] {
            const auto before = home.latest();
            home.append(event, trial.now());
            return before;
        });
        expect_result(trial, slice_result(trial, home, after, odd.what), odd.what, "refused",
                      {"malformed", "too-large", "signature-invalid"});
        const auto read = trial.accounts().messages(Who::first, home.id());
        trial.expect(std::none_of(read.begin(), read.end(),
                                  [&](const Message& one) { return one.text == text; }),
                     "no-effect", odd.what + ": the target's account can read it");
    }
    // Other channels are unharmed.
    trial.control();
    trial.expect_still_serves();
}

}  // namespace

std::vector<Case> event_way_cases()
{
    return {
        {.id = "evt-85",
         .clause = "INBOX-4",
         .proves = "A direct event that breaks a rule of form is refused, and leaves no trace",
         .run = direct_forms,
         .mutants = {{"event-v-ignored", "refused"}, {"direct-place-ignored", "refused"}}},
        {.id = "evt-86",
         .clause = "INBOX-4",
         .proves = "A direct event by a sender of another server than the request's is forbidden",
         .run = direct_of_another_sender,
         .mutants = {{"any-direct-sender", "refused"}}},
        {.id = "evt-87",
         .clause = "INBOX-4",
         .proves = "A direct event is applied once per origin and txn",
         .run = direct_again,
         .mutants = {{"direct-repeats", "once"}}},
        {.id = "evt-88",
         .clause = "INBOX-4",
         .proves = "A direct event of an unknown type is ignored",
         .run = direct_of_unknown_type,
         .mutants = {{"direct-unknown-refused", "ignored"}},
         .negative = false},
        {.id = "evt-89",
         .clause = "INBOX-4",
         .proves =
             "A direct event 31 days old or two hours ahead is malformed; 90 s ahead, it waits",
         .run = direct_times,
         .mutants = {{"direct-age-ignored", "refused"}}},
        {.id = "evt-90",
         .clause = "LOG-1",
         .proves = "An entry that breaks a rule of form is taken in a slice, and has no effect",
         .run = form_breaks_in_slices,
         .mutants = {{"slice-form-ignored", "no-effect"}, {"slice-form-refused", "taken"}}},
        {.id = "evt-91",
         .clause = "LOG-1",
         .proves = "A content that is no JSON is taken in a slice, and forges nothing that is read",
         .run = contents_that_forge,
         .mutants = {{"contents-shown-raw", "no-effect"}, {"slice-form-refused", "taken"}}},
        {.id = "evt-92",
         .clause = "LOG-1",
         .proves = "A slice with an event whose author can't be told, or over its size, is refused",
         .run = unproven_in_slices,
         .mutants = {{"slice-any-event", "refused"}}},
    };
}

}  // namespace entente::conformance
