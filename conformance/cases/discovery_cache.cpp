// Discovery: how often a target asks, what it remembers of it [DISC-4], and what it publishes
// itself [DISC-1, DISC-5].
#include <atomic>
#include <set>
#include <thread>

#include "conformance/cases/discovery_parts.hpp"
#include "conformance/judge/follower.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr int waiting_crowd = 20;
constexpr Millis crowd_pause{400};
constexpr Millis lost_time{10'000};
// Within it a target that tries anew, and remembers nothing, tries twice.
constexpr Millis failure_quiet{3'500};
// From being heard from to the delivery that waited: well below the 10 s of a failure.
constexpr Millis heard_time{6'000};

void fetches_once_for_many(Trial& trial)
{
    auto& other = trial.another();
    other.on(at_discovery([text = other.document().dump()](const Request&) {
        auto reply = reply_json(200, text);
        reply.pause = crowd_pause;
        return reply;
    }));
    trial.control();
    std::vector<std::string> requests;
    for (int n = 0; n < waiting_crowd; ++n) {
        const auto event = trial.message_of(other.user(), trial.channel(), trial.new_text());
        const auto body = trial.submitting(other, trial.channel(), {event});
        std::string base;
        std::string signature;
        requests.push_back(
            trial.octets_of(other, "POST", "/federation/v1/inbox", body, {}, base, signature));
    }
    const auto door = trial.world().door().from_own_address();
    std::atomic<int> served{0};
    {
        std::vector<std::jthread> threads;
        for (const auto& octets : requests)
            threads.emplace_back([&door, &served, &octets] {
                Connection own(door);
                if (own.ask_octets(octets).answer.status == 200) ++served;
            });
    }
    trial.expect(fetches_of(other) == 1, "one-fetch",
                 "the document was fetched " + std::to_string(fetches_of(other)) + " times");
    trial.expect(
        served == waiting_crowd, "accepted",
        std::to_string(served) + " of " + std::to_string(waiting_crowd) + " were answered 200");
    trial.expect_still_serves();
}

bool brings_a_join(const Received& one)
{
    return is_inbox(one) && one.request.body.find("member.join") != std::string::npos;
}

// A person of the target wants to join a channel of a server whose document can't be had.
Origin& lost_server(Trial& trial)
{
    trial.control();
    auto& other = trial.another();
    other.on(at_discovery([](const Request&) { return reply_json(503, "{}"); }));
    const auto channel = other.make_channel().id();
    trial.accounts().join(Who::first, channel);
    if (!other.wait_for(is_discovery, in(lost_time)))
        throw CouldNotRun("a join to another server's channel made the target ask nobody");
    return other;
}

void remembers_a_failure(Trial& trial)
{
    auto& other = lost_server(trial);
    const auto again = other.wait_for(is_discovery, in(failure_quiet), 1);
    trial.expect(!again, "remembered",
                 "it asked again for a document that it had failed to get just before");
    trial.expect_still_serves();
}

void forgets_a_failure_when_heard(Trial& trial)
{
    auto& other = lost_server(trial);
    other.forget_handlers();
    // The fetch that fails may be under way still, and whoever comes shares it.
    auto arrival = arrive(trial, other);
    if (arrival.response.status() == 503) arrival = arrive(trial, other);
    expect_taken_in(trial, arrival);
    trial.expect(other.wait_for(brings_a_join, in(heard_time)).has_value(), "comes-at-once",
                 "the server was heard from, but what is owed to it doesn't come");
}

// The text has come to the home of the channel.
bool has_come(Origin& home, const std::string& text)
{
    return home
        .wait_for(
            [&](const Received& one) {
                return is_inbox(one) && one.request.body.find(text) != std::string::npos;
            },
            in(lost_time))
        .has_value();
}

void holds_a_document_for_a_minute(Trial& trial)
{
    auto& origin = trial.origin();
    auto document = origin.document();
    document["max_age"] = 0;
    origin.publish(document);
    const auto channel = Follower(trial).id();
    const auto before = fetches_of(origin);
    for (int n = 0; n < 3; ++n) {
        const auto text = trial.new_text();
        trial.accounts().post(Who::first, channel, text);
        if (!has_come(origin, text))
            throw CouldNotRun("what the target's account says in a channel homed here never came");
    }
    trial.expect(fetches_of(origin) == before, "held",
                 "a document that it got within the minute was fetched again");
}

void holds_a_document_while_it_cant_be_had(Trial& trial)
{
    auto& origin = trial.origin();
    const auto channel = Follower(trial).id();
    origin.on(at_discovery([](const Request&) { return reply_json(503, "{}"); }));
    trial.hook("restart");
    trial.wait_until_served(Millis(30'000));
    const auto text = trial.new_text();
    trial.accounts().post(Who::first, channel, text);
    trial.expect(has_come(origin, text), "held",
                 "nothing is delivered while the document of a known server can't be had");
    trial.control();
}

void publishes_a_usable_document(Trial& trial)
{
    trial.world().fetch_document();
    const auto document = trial.world().document();
    const auto usable = [&](bool holds, const std::string& what) {
        trial.expect(holds, "usable", "the target's own document: " + what);
    };
    usable(document.dump().size() <= 65'536, "is over 64 KiB");
    usable(document.value("server", "") == trial.target(), "names another server");
    bool is_origin = true;
    try {
        static_cast<void>(split_origin(document.value("api", "")));
    } catch (const TargetError&) {
        is_origin = false;
    }
    usable(is_origin, "its api is no https origin");
    const auto versions = document.value("versions", nlohmann::json::array());
    usable(std::find(versions.begin(), versions.end(), "1") != versions.end(),
           "versions doesn't hold \"1\"");
    const auto keys = document.value("keys", nlohmann::json::array());
    const auto old_keys = document.value("old_keys", nlohmann::json::array());
    usable(!keys.empty() && keys.size() <= 32 && old_keys.size() <= 256, "too few or many keys");
    std::set<std::string> seen;
    auto all = keys;
    all.insert(all.end(), old_keys.begin(), old_keys.end());
    for (const auto& key : all) {
        const auto octets = from_base64url(key.value("x", "")).value_or("");
        usable(key.value("kty", "") == "OKP" && key.value("crv", "") == "Ed25519" &&
                   octets.size() == 32,
               "a key is no Ed25519 key");
        usable(key.value("kid", "") == thumbprint(octets), "a kid isn't its key's thumbprint");
        usable(key.contains("from"), "a key has no from");
        usable(seen.insert(octets).second, "a key stands twice");
    }
    const auto recovery = document.value("recovery", nlohmann::json::object());
    const auto octets = from_base64url(recovery.value("x", "")).value_or("");
    usable(octets.size() == 32 && recovery.value("kid", "") == thumbprint(octets),
           "the recovery key is missing or none");
}

void publishes_its_keys_as_a_set(Trial& trial)
{
    trial.world().fetch_document();
    Request request;
    request.method = "GET";
    request.target = "/.well-known/http-message-signatures-directory";
    request.fields = {{"Host", trial.door().authority()}};
    const auto response = trial.send_octets(serialise(request), "directory of keys");
    trial.expect(response.status() == 200, "key-directory", "the answer is " + response.text());
    const auto type = field_of(response.answer.fields, "content-type").value_or("");
    trial.expect(type.starts_with("application/http-message-signatures-directory+json"),
                 "key-directory", "its media type is " + type);
    std::set<std::string> published;
    std::set<std::string> in_document;
    for (const auto& key : response.json.value("keys", nlohmann::json::array()))
        published.insert(key.value("x", "") + " " + key.value("kid", ""));
    const auto document = trial.world().document();
    for (const auto& key : document.value("keys", nlohmann::json::array()))
        in_document.insert(key.value("x", "") + " " + key.value("kid", ""));
    trial.expect(!published.empty() && published == in_document, "key-directory",
                 "it doesn't hold the keys of the server document, and them alone");
}

}  // namespace

std::vector<Case> discovery_cache_cases()
{
    return {
        {.id = "disc-37",
         .clause = "DISC-4",
         .proves = "However many requests of a new server wait, its document is fetched once",
         .run = fetches_once_for_many,
         .mutants = {{"fetch-per-request", "one-fetch"}},
         .negative = false},
        {.id = "disc-38",
         .clause = "DISC-4",
         .proves = "A fetch that has failed isn't tried again within seconds for the target's own "
                   "needs",
         .run = remembers_a_failure,
         .mutants = {{"failures-forgotten", "remembered"}},
         .waits = true},
        {.id = "disc-39",
         .clause = "DISC-4",
         .proves = "A proven request of a server ends the memory that its document couldn't be had",
         .run = forgets_a_failure_when_heard,
         .mutants = {{"heard-ends-no-failure", "comes-at-once"}},
         .negative = false},
        {.id = "disc-40",
         .clause = "DISC-4",
         .proves = "A document is held for a minute at least, whatever its max_age",
         .run = holds_a_document_for_a_minute,
         .mutants = {{"max-age-unclamped", "held"}},
         .negative = false},
        {.id = "disc-41",
         .clause = "DISC-4",
         .profile = Profile::durable,
         .proves = "A server's document is held for as long as it can't be fetched, over a restart",
         .run = holds_a_document_while_it_cant_be_had,
         .mutants = {{"pins-not-durable", "held"}},
         .hooks = {"restart"},
         .alone = true,
         .negative = false},
        {.id = "disc-42",
         .clause = "DISC-1",
         .proves = "The target's own document is one that others can use",
         .run = publishes_a_usable_document,
         .mutants = {{"own-document-unusable", "usable"}},
         .negative = false},
        {.id = "disc-43",
         .clause = "DISC-5",
         .proves = "The target's keys stand in its directory of HTTP message signatures",
         .run = publishes_its_keys_as_a_set,
         .mutants = {{"no-key-directory", "key-directory"}},
         .negative = false},
    };
}

}  // namespace entente::conformance
