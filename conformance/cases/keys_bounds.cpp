// Keys: how often a target asks for keys because somebody names one that it doesn't know, what it
// says then, and that nobody else is harmed [KEY-5, KEY-8, DISC-4].
#include <atomic>
#include <mutex>
#include <thread>

#include "conformance/cases/keys_parts.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr std::size_t most_refetches = 5;
constexpr int strange_requests = 12;
constexpr std::size_t most_first_contacts = 30;
// One address is many servers' at some hosters.
constexpr std::size_t least_first_contacts = 20;
constexpr int contacts_tried = 42;
constexpr int few_strangers = 2'000;
constexpr int many_strangers = 100'000;
// Their numbers have as many digits as this one.
constexpr int first_stranger = 1'000'000;
constexpr int requests_of_a_connection = 25;
constexpr std::int64_t most_growth = 128LL << 20;

const std::vector<Refusal> nothing_known = {{401, "unknown-key"}, {503, "key-unavailable"}};

void expect_retry_after(Trial& trial, const Response& response)
{
    trial.expect(field_of(response.answer.fields, "retry-after").has_value(), "retry-after",
                 "the answer " + response.text() + " has no Retry-After");
}

// What one address may cause is less than what these cases look for, or would be missing elsewhere.
void check_has_addresses(const Trial& trial)
{
    if (!trial.door().has_own_address())
        throw NotApplicable("all of this run comes from one address, and the target bounds that");
}

void says_unknown_after_a_look(Trial& trial)
{
    trial.control();
    const auto before = fetches_of(trial.origin());
    const auto said = say(trial, {.key = SigningKey::random()});
    trial.expect(fetches_of(trial.origin()) == before + 1, "looked",
                 "a request under an unknown key made it fetch the document " +
                     std::to_string(fetches_of(trial.origin()) - before) + " times");
    expect_unheard(trial, said, {{401, "unknown-key"}});
}

void says_unavailable_without_a_look(Trial& trial)
{
    trial.control();
    trial.origin().on([](const Request& request) -> std::optional<Reply> {
        if (request.target != "/.well-known/entente") return std::nullopt;
        return reply_json(500, "{}");
    });
    const auto said = say(trial, {.key = SigningKey::random()});
    expect_unheard(trial, said, {{503, "key-unavailable"}});
    expect_retry_after(trial, said.response);
}

// The server's host is gone altogether; its key is known.
void serves_a_pinned_key_without_discovery(Trial& trial)
{
    trial.control();
    trial.origin().set_down(true);
    // A fetch that was under way before may serve the first.
    static_cast<void>(say(trial));
    expect_heard(trial, say(trial));
}

void bounds_refetches_of_a_server(Trial& trial)
{
    check_has_addresses(trial);
    trial.control();
    const auto before = fetches_of(trial.origin());
    Said last;
    for (int n = 0; n < strange_requests; ++n) {
        last = say(trial, {.key = SigningKey::random()});
        trial.expect_refused(last.response, nothing_known);
    }
    const auto fetches = fetches_of(trial.origin()) - before;
    trial.expect(fetches >= 1, "looked", "it never looked for a key that it doesn't know");
    trial.expect(fetches <= most_refetches, "bounded",
                 std::to_string(strange_requests) + " requests under unknown keys made it fetch " +
                     std::to_string(fetches) + " times within a minute");
    expect_unheard(trial, last, {{503, "key-unavailable"}});
    expect_retry_after(trial, last.response);
}

// From one address, unknown keys of two servers that are pinned.
void bounds_refetches_for_a_source(Trial& trial)
{
    trial.control();
    auto& other = trial.another();
    expect_taken_in(trial, arrive(trial, other));
    const auto door = trial.world().door().from_own_address();
    Connection own(door);
    const auto ask = [&](Origin& origin) {
        const auto event = trial.message_of(origin.user(), trial.channel(), trial.new_text());
        return trial.transact(origin, trial.submitting(origin, trial.channel(), {event}),
                              {.key = SigningKey::random()}, "an unknown key", &own);
    };
    const auto before = fetches_of(trial.origin()) + fetches_of(other);
    trial.expect_refused(ask(trial.origin()), nothing_known);
    const auto second = ask(other);
    const auto fetches = fetches_of(trial.origin()) + fetches_of(other) - before;
    trial.expect(fetches <= 1, "bounded",
                 "one address made it fetch " + std::to_string(fetches) +
                     " documents of servers that it knows within a minute");
    trial.expect_refused(second, {{503, "key-unavailable"}});
    expect_retry_after(trial, second);
    trial.expect_still_serves();
}

// New servers that all come from one address.
void bounds_first_contacts_of_a_source(Trial& trial)
{
    check_has_addresses(trial);
    trial.control();
    const auto door = trial.world().door().from_own_address();
    Connection own(door);
    std::size_t fetches = 0;
    const auto began = trial.elapsed();
    for (int n = 0; n < contacts_tried; ++n) {
        auto& other = trial.another("b" + std::to_string(n));
        const auto response = trial.transact(other, arriving(trial, other, trial.new_text()), {},
                                             "a first contact", &own);
        if (fetches_of(other) > 0) {
            ++fetches;
        } else {
            trial.expect_refused(response, {{503, "key-unavailable"}});
            expect_retry_after(trial, response);
        }
    }
    // A budget may fill evenly: what comes back of it meanwhile is no excess.
    const auto refilled = static_cast<std::size_t>((trial.elapsed() - began) / 2'000 + 1);
    trial.expect(fetches <= most_first_contacts + refilled, "bounded",
                 "one address made it fetch " + std::to_string(fetches) +
                     " documents of servers that it never met within seconds");
    // Another address has its own share.
    auto& late = trial.another("late");
    expect_taken_in(trial, arrive(trial, late));
    trial.expect(fetches >= least_first_contacts, "first-contacts-fair",
                 "only " + std::to_string(fetches) + " new servers of one address were met");
}

struct StrangerFlood {
    std::atomic<int> next{0};
    std::atomic<int> answered{0};
    std::mutex mutex;
    // An answer that is neither of those that a stranger gets.
    std::string odd;
};

// Over what stands there.
void write_behind(std::string& octets, const std::string& behind, const std::string& text)
{
    octets.replace(octets.find(behind) + behind.size(), text.size(), text);
}

// Requests of servers that don't exist, each of another one, until `count` of all were sent.
void send_strangers(Trial& trial, Origin& model, int count, StrangerFlood& flood)
{
    const auto key = model.key();
    const auto body =
        trial.submitting(model, trial.channel(),
                         {trial.message_of(model.user(), trial.channel(), "never to be read")});
    const std::string label = "stranger-";
    const auto tail = hex(fresh_octets(6)) + "." + trial.world().file().domain;
    while (flood.next < count) {
        const auto door = trial.world().door().from_own_address();
        Connection own(door);
        // The first's signature is as good as any: nobody has a key to verify it by.
        std::string base;
        std::string signature;
        const auto keyid = label + std::to_string(first_stranger) + "-" + tail + "#" + key.id();
        auto octets = trial.octets_of(model, "POST", "/federation/v1/inbox", body,
                                      {.before_signing =
                                           [&](Request&, SignatureInput& input) {
                                               input.set("keyid", conformance::quoted(keyid));
                                           }},
                                      base, signature);
        for (int n = 0; n < requests_of_a_connection; ++n) {
            const auto number = flood.next++;
            if (number >= count) return;
            write_behind(octets, label, std::to_string(first_stranger + number));
            write_behind(octets, "nonce=\"", base64url(fresh_octets(24)));
            const auto result = own.ask_octets(octets);
            if (!result.error.empty()) continue;
            ++flood.answered;
            const auto status = result.answer.status;
            if (status == 503 || status == 429) continue;
            const std::lock_guard lock(flood.mutex);
            flood.odd = std::to_string(status) + " " + problem_code(result.answer);
        }
    }
}

// Sends them from four threads, while the trial's own origin goes on being served.
void send_flood(Trial& trial, int count)
{
    trial.control();
    auto& model = trial.another();
    StrangerFlood flood;
    {
        // Whatever ends the trial, the threads end before what they use does.
        struct Stop {
            StrangerFlood& flood;
            int count;
            ~Stop() { flood.next = count; }
        };
        std::vector<std::jthread> threads;
        const Stop stop{flood, count};
        for (int n = 0; n < 4; ++n)
            threads.emplace_back([&] { send_strangers(trial, model, count, flood); });
        // Amid them comes one that does exist.
        while (flood.next < count / 4) std::this_thread::sleep_for(Millis(5));
        expect_taken_in(trial, arrive(trial, trial.another("late")));
        while (flood.next < count) {
            trial.expect_still_serves();
            std::this_thread::sleep_for(Millis(100));
        }
    }
    trial.expect(flood.odd.empty(), "refused",
                 "a server that doesn't exist is answered " + flood.odd);
    if (flood.answered < count / 2)
        throw CouldNotRun("only " + std::to_string(flood.answered) + " of " +
                          std::to_string(count) + " requests were answered");
    trial.expect_still_serves();
}

void outlives_a_flood_of_strangers(Trial& trial)
{
    send_flood(trial, few_strangers);
}

// {"rss_bytes":…}, and {"rows":…} where the target counts what it remembers of servers.
std::int64_t figure(const nlohmann::json& metrics, const char* name)
{
    return metrics.is_object() && metrics.contains(name) && metrics[name].is_number_integer()
               ? metrics[name].get<std::int64_t>()
               : -1;
}

void keeps_its_memory_in_a_flood(Trial& trial)
{
    // What a target takes once, at its first strangers, is no growth.
    send_flood(trial, few_strangers);
    const auto before = trial.hook("metrics");
    if (figure(before, "rss_bytes") < 0) throw CouldNotRun("the hook metrics prints no rss_bytes");
    send_flood(trial, many_strangers);
    const auto after = trial.hook("metrics");
    const auto growth = figure(after, "rss_bytes") - figure(before, "rss_bytes");
    trial.expect(growth < most_growth, "bounded",
                 std::to_string(many_strangers) + " strangers made it grow by " +
                     std::to_string(growth >> 20) + " MiB");
    const auto rows = figure(after, "rows") - figure(before, "rows");
    trial.expect(rows < many_strangers / 10, "bounded",
                 std::to_string(many_strangers) + " strangers left " + std::to_string(rows) +
                     " rows behind");
}

}  // namespace

std::vector<Case> key_bound_cases()
{
    return {
        {.id = "key-53",
         .clause = "KEY-5",
         .proves = "A key is unknown once the document was fetched and doesn't show it",
         .run = says_unknown_after_a_look,
         .mutants = {{"unknown-without-a-look", "looked"}}},
        {.id = "key-54",
         .clause = "KEY-5",
         .proves = "Where the document can't be had the answer is key-unavailable with Retry-After",
         .run = says_unavailable_without_a_look,
         .mutants = {{"unknown-for-unavailable", "refused"}}},
        {.id = "key-55",
         .clause = "KEY-1",
         .proves = "A pinned key is served while its server can't be reached at all",
         .run = serves_a_pinned_key_without_discovery,
         .mutants = {{"fetches-for-every-request", "accepted"}},
         .negative = false},
        {.id = "key-56",
         .clause = "KEY-5",
         .proves = "Unknown keys of a server make the target look for it at most five times a "
                   "minute",
         .run = bounds_refetches_of_a_server,
         .mutants = {{"refetches-unbounded", "bounded"}}},
        {.id = "key-57",
         .clause = "KEY-8",
         .proves = "One address makes the target look for unknown keys of known servers at most "
                   "once a minute",
         .run = bounds_refetches_for_a_source,
         .mutants = {{"source-refetches-unbounded", "bounded"}}},
        {.id = "key-58",
         .clause = "KEY-8",
         .proves = "One address makes the target meet at most 30 new servers a minute, and another "
                   "address isn't harmed",
         .run = bounds_first_contacts_of_a_source,
         .mutants = {{"first-contacts-unbounded", "bounded"}}},
        {.id = "key-59",
         .clause = "KEY-8",
         .profile = Profile::hardened,
         .proves = "While 2,000 servers that don't exist send requests, those that do are served, "
                   "and a new one is met",
         .run = outlives_a_flood_of_strangers,
         .mutants = {{"strangers-block-all", "accepted"}},
         .alone = true},
        {.id = "key-60",
         .clause = "KEY-8",
         .profile = Profile::hardened,
         .proves = "100,000 servers that don't exist leave next to nothing in the target's memory",
         .run = keeps_its_memory_in_a_flood,
         .mutants = {{"strangers-remembered", "bounded"}},
         .hooks = {"metrics"},
         .alone = true,
         .destructive = true},
    };
}

}  // namespace entente::conformance
