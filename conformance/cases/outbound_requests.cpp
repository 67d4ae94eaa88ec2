// Requests of the target: signed, proven, each under a nonce of its own [SIG-1 … SIG-6, INBOX-3,
// INBOX-7, LOG-1].
#include <algorithm>
#include <set>
#include <thread>

#include "conformance/cases/outbound_parts.hpp"
#include "conformance/judge/follower.hpp"
#include "conformance/judge/verify.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

KeyOf known_keys(Trial& trial)
{
    return [&](const std::string& server, const std::string& kid) {
        return trial.key_of(server, kid);
    };
}

void expect_entry(Origin& origin, const std::string& channel, const Posted& posted)
{
    if (!origin.wait_for_entry(channel, posted.event, in(Millis(10'000))))
        throw Broken("sent", "a message of the target's account hasn't come within 10 s");
}

// Submissions to a home, slices to a follower, and whatever else it has asked meanwhile.
void signs_its_requests(Trial& trial)
{
    Follower follower(trial);
    const auto submitted = post(trial, follower.id());
    const auto logged = post(trial, trial.channel());
    static_cast<void>(wait_for_arrival(trial.origin(), submitted.text, 1, Millis(10'000), "sent"));
    expect_entry(trial.origin(), trial.channel(), logged);
    std::size_t looked_at = 0;
    for (const auto& one : trial.origin().received()) {
        if (!one.request.target.starts_with("/federation/")) continue;
        const auto now = (one.at + trial.now() - system_milliseconds()) / 1000;
        const auto flaw = flaw_of_request(one.request, trial.target(), trial.origin().name(), now,
                                          known_keys(trial));
        trial.expect(flaw.empty(), "signed", one.request.target + ": " + flaw);
        ++looked_at;
    }
    trial.expect(looked_at >= 2, "sent", "there were hardly any requests");
}

// A follower that takes one entry at a time: the home goes on from what it holds.
void take_one_by_one(Origin& origin)
{
    origin.on([&origin](const Request& request) -> std::optional<Reply> {
        if (request.method != "POST") return std::nullopt;
        auto body = nlohmann::json::parse(request.body, nullptr, false);
        if (!body.is_object() || !body.contains("logs")) return std::nullopt;
        for (auto& slice : body["logs"])
            while (slice["entries"].size() > 1) slice["entries"].erase(slice["entries"].size() - 1);
        return origin.signed_json(request, 200, origin.inbox_result(body));
    });
}

void uses_each_nonce_once(Trial& trial)
{
    constexpr std::size_t messages = 250;
    std::vector<Origin*> origins = {&trial.origin()};
    for (const auto* label : {"b", "c", "d"}) origins.push_back(&trial.another(label));
    for (auto* origin : origins) {
        // Small transactions are cheap ones.
        auto document = origin->document();
        document["limits"] = {{"transaction_bytes", 65'536}, {"transaction_items", 5}};
        origin->publish(document);
        take_one_by_one(*origin);
    }
    const std::string channel = trial.channel();
    for (auto* origin : origins)
        if (origin != origins.front()) trial.join(*origin, origin->user(), channel);
    Posted last;
    for (std::size_t n = 0; n < messages; ++n) last = post(trial, channel);
    std::set<std::string> nonces;
    std::size_t requests = 0;
    for (auto* origin : origins) {
        if (!origin->wait_for_entry(channel, last.event, in(Millis(30'000))))
            throw Broken("sent", "a follower that takes one entry at a time isn't sent them all");
        for (const auto& one : origin->received()) {
            const auto nonce = signature_parameter(one.request, "nonce");
            if (nonce.empty()) continue;
            ++requests;
            trial.expect(
                nonces.insert(nonce).second, "unique",
                "the nonce " + nonce + " came twice in " + std::to_string(requests) + " requests");
        }
    }
    trial.expect(requests >= messages * origins.size() / 2, "sent",
                 "there were only " + std::to_string(requests) + " requests");
}

// Entries of the target's and of another server's.
void proves_its_slices(Trial& trial)
{
    const std::string channel = trial.channel();
    auto& author = trial.another();
    trial.join(author, author.user(), channel);
    const auto event = trial.message_of(author.user(), channel, trial.new_text());
    trial.expect_ok(trial.transact(author, trial.submitting(author, channel, {event})));
    const auto last = post(trial, channel);
    for (auto* origin : {&trial.origin(), &author}) {
        expect_entry(*origin, channel, last);
        for (const auto& one : origin->received()) {
            if (!is_inbox(one)) continue;
            const auto flaw = flaw_of_transaction(one.body, trial.target(), known_keys(trial));
            trial.expect(flaw.empty(), "proven", "a transaction of the target: " + flaw);
        }
    }
    if (!trial.origin().wait_for_entry(channel, event.id(), in(Millis(10'000))))
        throw Broken("sent", "what another server's user wrote isn't sent on");
}

void seals_its_submissions(Trial& trial)
{
    Follower follower(trial);
    auto& origin = trial.origin();
    std::vector<Posted> posted;
    for (int n = 0; n < 5; ++n) posted.push_back(post(trial, follower.id()));
    for (const auto& one : posted) {
        const auto came = wait_for_arrival(origin, one.text, 1, Millis(10'000), "sent");
        const auto flaw = flaw_of_transaction(came.body, trial.target(), known_keys(trial));
        trial.expect(flaw.empty(), "proven", "a submission of the target: " + flaw);
    }
    for (const auto& one : posted) expect_standing(trial, one, "accepted", "settled");
    // What the home has numbered comes back by its log.
    follower.catch_up();
    follower.expect_read(posted.back().text);
}

// [INBOX-7] Six channels at once, and a peer that answers late.
void has_four_under_way(Trial& trial)
{
    constexpr Millis late{1'000};
    auto& origin = trial.origin();
    std::vector<std::string> channels = {trial.channel()};
    while (channels.size() < 6) {
        channels.push_back(trial.accounts().create_channel(Who::first, {}));
        trial.join(origin, origin.user(), channels.back());
    }
    origin.on([&origin, late](const Request& request) -> std::optional<Reply> {
        auto body = nlohmann::json::parse(request.body, nullptr, false);
        if (request.method != "POST" || !body.is_object()) return std::nullopt;
        auto reply = origin.signed_json(request, 200, origin.inbox_result(body));
        reply.pause = late;
        return reply;
    });
    // What is owed for the joins comes first, and what comes from here on is answered late.
    std::vector<Posted> before;
    for (const auto& channel : channels) before.push_back(post(trial, channel));
    for (std::size_t n = 0; n < channels.size(); ++n) expect_entry(origin, channels[n], before[n]);
    const auto first = arrivals(origin, "").size();
    std::vector<Posted> posted;
    for (const auto& channel : channels) posted.push_back(post(trial, channel));
    for (std::size_t n = 0; n < channels.size(); ++n) expect_entry(origin, channels[n], posted[n]);
    // None is answered before `late` has gone by: those that came within that were under way
    // together, however busy the machine is.
    const auto all = arrivals(origin, "");
    for (auto from = first; from < all.size(); ++from) {
        const auto together = std::count_if(all.begin(), all.end(), [&](const Received& one) {
            return one.at >= all[from].at && one.at < all[from].at + late.count();
        });
        trial.expect(together <= 4, "at-most-four",
                     std::to_string(together) + " transactions were under way at once");
    }
    for (const auto& one : posted)
        trial.expect(arrivals(origin, one.text).size() == 1, "one-way",
                     "an entry came again while it was under way");
}

}  // namespace

std::vector<Case> outbound_request_cases()
{
    return {
        {.id = "out-01",
         .clause = "SIG-1",
         .proves = "Every request of the target is signed, with all that has to be covered",
         .run = signs_its_requests,
         .mutants = {{"sends-no-query-covered", "signed"}, {"sends-wrong-digest", "signed"}},
         .negative = false},
        {.id = "out-02",
         .clause = "SIG-4",
         .proves = "No two of a thousand requests have one nonce",
         .run = uses_each_nonce_once,
         .mutants = {{"sends-nonces-twice", "unique"}},
         .negative = false},
        {.id = "out-03",
         .clause = "LOG-1",
         .proves = "Slices that the target sends prove their entries, checkpoints and seals",
         .run = proves_its_slices,
         .mutants = {{"sends-no-seals", "proven"}, {"sends-wrong-checkpoint", "proven"}},
         .negative = false},
        {.id = "out-04",
         .clause = "INBOX-3",
         .proves = "Submissions of the target are sealed, and settled by their results",
         .run = seals_its_submissions,
         .mutants = {{"sends-wrong-seal", "proven"}},
         .negative = false},
        {.id = "out-05",
         .clause = "INBOX-7",
         .level = Level::should,
         .proves =
             "At most four transactions for a peer are under way, and a channel on one of them",
         .run = has_four_under_way,
         .mutants = {{"sends-unbounded", "at-most-four"}},
         .negative = false},
    };
}

}  // namespace entente::conformance
