// Seals: whose, over which events, in which order, for which channel, and how old [EVT-1, EVT-7,
// INBOX-3, INBOX-11].
#include "conformance/cases/events.hpp"
#include "conformance/judge/follower.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr std::int64_t seal_minute = 60'000;

nlohmann::json& first_seal(nlohmann::json& body)
{
    return body["submissions"][0]["seal"];
}

std::vector<std::string> sealed_ids(nlohmann::json& body)
{
    return first_seal(body)["events"].get<std::vector<std::string>>();
}

std::string first_channel(const nlohmann::json& body)
{
    return body["submissions"][0]["channel"].get<std::string>();
}

// The only root becomes one of `server` over `leaf` alone.
void put_root(nlohmann::json& body, const std::string& server, const SigningKey& key,
              const std::string& leaf, std::int64_t at)
{
    body["roots"][0] = signed_root(server, key, {leaf}, at);
}

// The seal lists `ids` in place of the submission's events, and is right for that.
void seal_these(Trial& trial, nlohmann::json& body, const std::vector<std::string>& ids)
{
    first_seal(body)["events"] = ids;
    put_root(body, trial.origin().name(), trial.origin().key(), seal_leaf(first_channel(body), ids),
             trial.now());
}

using SealChange = std::function<void(Trial&, nlohmann::json&)>;

Run refuses_seal(SealChange change, Codes codes)
{
    return [change = std::move(change), codes = std::move(codes)](Trial& trial) {
        trial.rejects_event([&](nlohmann::json& body) { change(trial, body); }, codes);
    };
}

const Codes seal_unproven = {"signature-invalid"};

void seal_of_another_server(Trial& trial, nlohmann::json& body)
{
    auto& other = trial.another();
    put_root(body, other.name(), other.key(), seal_leaf(first_channel(body), sealed_ids(body)),
             trial.now());
}

void seal_by_a_strangers_key(Trial& trial, nlohmann::json& body)
{
    // It names the origin's own key, and is signed by another one.
    const auto leaf = seal_leaf(first_channel(body), sealed_ids(body));
    const nlohmann::json header = {{"alg", "Ed25519"},
                                   {"kid", trial.origin().name() + "#" + trial.origin().key().id()},
                                   {"typ", "entente-root"}};
    const nlohmann::json payload = {
        {"root", base64url(tree_hash({leaf}))}, {"size", 1}, {"at", trial.now()}};
    body["roots"][0] = jws_of(header.dump(), payload.dump(), SigningKey::random());
}

void seal_for_another_channel(Trial& trial, nlohmann::json& body)
{
    const auto elsewhere = time_uuid(trial.now()) + "@" + trial.target();
    put_root(body, trial.origin().name(), trial.origin().key(),
             seal_leaf(elsewhere, sealed_ids(body)), trial.now());
}

void seals_other_ids(Trial& trial)
{
    trial.rejects_event(
        [&](nlohmann::json& body) { seal_these(trial, body, {event_id("another")}); },
        seal_unproven);
    trial.rejects_event(
        [&](nlohmann::json& body) {
            auto ids = sealed_ids(body);
            ids.push_back(event_id("another"));
            seal_these(trial, body, ids);
        },
        seal_unproven);
    trial.rejects_event([&](nlohmann::json& body) { seal_these(trial, body, {}); }, seal_unproven);
}

void seals_another_order(Trial& trial)
{
    trial.control();
    const auto first = trial.new_text();
    const auto second = trial.new_text();
    const auto one = trial.message_of(trial.user(), trial.channel(), first);
    const auto two = trial.message_of(trial.user(), trial.channel(), second);
    auto body = trial.submitting({one, two});
    seal_these(trial, body, {two.id(), one.id()});
    const auto response =
        trial.transact(trial.origin(), std::move(body), {}, "the other way round");
    trial.expect_ok(response);
    expect_result(trial, result_of(response, 0), "the first event", "rejected", seal_unproven);
    expect_result(trial, result_of(response, 1), "the second event", "rejected", seal_unproven);
    trial.expect_absent(first);
    trial.expect_absent(second);
    trial.expect_still_serves();
}

// The author's server has sealed the event; somebody else hands it in.
void carried_by_another(Trial& trial)
{
    trial.control();
    auto& author = trial.another();
    trial.join(author, author.user(), trial.channel());
    const auto text = trial.new_text();
    const auto event = trial.message_of(author.user(), trial.channel(), text);
    const auto body = trial.submitting(author, trial.channel(), {event});
    const auto response =
        trial.transact(trial.origin(), body, {}, "another server's submission, handed in by us");
    trial.expect_ok(response);
    expect_result(trial, result_of(response), "another server's event", "rejected",
                  {"signature-invalid", "forbidden"});
    trial.expect_absent(text);
    trial.expect_still_serves();
}

// A batch whose second event is by a user of a third server: it fails alone.
void sender_of_a_third_server(Trial& trial)
{
    trial.control();
    auto& third = trial.another();
    trial.join(third, third.user(), trial.channel());
    const auto before = trial.new_text();
    const auto forged = trial.new_text();
    const auto behind = trial.new_text();
    const auto response =
        trial.transact(trial.origin(),
                       trial.submitting({trial.message_of(trial.user(), trial.channel(), before),
                                         trial.message_of(third.user(), trial.channel(), forged),
                                         trial.message_of(trial.user(), trial.channel(), behind)}),
                       {}, "a batch with an event of a third server's user");
    trial.expect_ok(response);
    expect_result(trial, result_of(response, 1), "the third server's event", "rejected",
                  {"forbidden"});
    trial.expect_absent(forged);
    expect_taken(trial, result_of(response, 0), "the event before it");
    expect_taken(trial, result_of(response, 2), "the event behind it");
    trial.expect_once(before);
    trial.expect_once(behind);
}

void without_seal(Trial& trial)
{
    trial.rejects_event([](nlohmann::json& body) { body["submissions"][0].erase("seal"); },
                        {"malformed"});
    trial.rejects_event([](nlohmann::json& body) { first_seal(body).erase("proof"); },
                        {"malformed"});
    trial.rejects_event([](nlohmann::json& body) { first_seal(body).erase("events"); },
                        {"malformed"});
}

// A leaf of this kind would be proven by the checkpoint of a home.
void checkpoint_shown_as_seal(Trial& trial, nlohmann::json& body)
{
    auto leaf = seal_leaf(first_channel(body), sealed_ids(body));
    const std::string prefix = "entente-seal-v1";
    leaf.replace(0, prefix.size(), "entente-checkpoint-v1");
    put_root(body, trial.origin().name(), trial.origin().key(), leaf, trial.now());
}

// The other way round, to a follower: the leaf of a checkpoint, but for its first line.
void seal_shown_as_checkpoint(Trial& trial)
{
    Follower follower(trial);
    const auto text = follower.say();
    const auto latest = trial.origin().with([&] { return follower.home().latest(); });
    const std::string prefix = "entente-checkpoint-v1";
    const auto result =
        follower.send(follower.home(), follower.have(), latest, [&](HomeChannel::Slice& slice) {
            slice.leaf.replace(0, prefix.size(), "entente-seal-v1");
        });
    follower.expect_refused(result, seal_unproven);
    follower.expect_unread(text);
    // The same entry, proven: it comes once, and nothing of it was there before.
    follower.catch_up();
    follower.expect_read(text);
}

// Sealed so many ms from the target's clock.
nlohmann::json sealed_at(Trial& trial, const Event& event, std::int64_t from_now)
{
    return submitting(trial.origin().name(), trial.origin().key(), trial.channel(), {event},
                      trial.now() + from_now);
}

void seal_out_of_time(Trial& trial)
{
    trial.control();
    const std::vector<std::pair<std::string, std::int64_t>> times = {
        {"a root of two hours ago", -120 * seal_minute},
        {"a root two minutes ahead", 2 * seal_minute}};
    for (const auto& [what, from_now] : times) {
        const auto text = trial.new_text();
        const auto event = trial.message_of(trial.user(), trial.channel(), text);
        const auto response =
            trial.transact(trial.origin(), sealed_at(trial, event, from_now), {}, what);
        trial.expect_ok(response);
        const auto result = result_of(response);
        expect_result(trial, result, what, "deferred");
        trial.expect(result.contains("retry_after") && result["retry_after"] == 1, "retry-after",
                     what + ": retry_after isn't 1: " + result.dump());
        trial.expect_absent(text);
        // It was deferred, not refused: sealed anew it is taken.
        expect_taken(trial, hand_in(trial, trial.origin(), trial.channel(), event, "sealed anew"),
                     "the same event, sealed anew");
        trial.expect_once(text);
    }
}

void seal_just_in_time(Trial& trial)
{
    trial.control();
    for (const auto from_now : {-58 * seal_minute, 55 * seal_minute / 60}) {
        const auto text = trial.new_text();
        const auto event = trial.message_of(trial.user(), trial.channel(), text);
        const auto what = "a root " + std::to_string(from_now / 1000) + " s from now";
        const auto response =
            trial.transact(trial.origin(), sealed_at(trial, event, from_now), {}, what);
        trial.expect_ok(response);
        expect_taken(trial, result_of(response), what);
        trial.expect_once(text);
    }
}

}  // namespace

std::vector<Case> event_seal_cases()
{
    return {
        {.id = "evt-01",
         .clause = "EVT-1",
         .proves = "An event whose seal another server than its sender's has signed is rejected as "
                   "signature-invalid",
         .run = refuses_seal(seal_of_another_server, seal_unproven),
         .mutants = {{"any-root-server", "refused"}}},
        {.id = "evt-02",
         .clause = "EVT-1",
         .proves = "An event whose seal names its server's key, but was signed by another key, is "
                   "rejected as signature-invalid",
         .run = refuses_seal(seal_by_a_strangers_key, seal_unproven),
         .mutants = {{"root-unverified", "refused"}}},
        {.id = "evt-03",
         .clause = "INBOX-11",
         .proves = "An event is rejected as signature-invalid where the seal lists another event's "
                   "id, one id more, or none",
         .run = seals_other_ids,
         .mutants = {{"seal-ids-ignored", "refused"}}},
        {.id = "evt-04",
         .clause = "INBOX-11",
         .proves = "Two events are rejected as signature-invalid where the seal lists them in the "
                   "other order",
         .run = seals_another_order,
         .mutants = {{"seal-order-ignored", "refused"}}},
        {.id = "evt-05",
         .clause = "INBOX-3",
         .proves =
             "An event whose seal was made for another channel is rejected as signature-invalid",
         .run = refuses_seal(seal_for_another_channel, seal_unproven),
         .mutants = {{"seal-channel-ignored", "refused"}}},
        {.id = "evt-06",
         .clause = "INBOX-3",
         .proves = "A submission that its author's server has sealed is rejected where another "
                   "server hands it in",
         .run = carried_by_another,
         .mutants = {{"any-submitter", "refused"}}},
        {.id = "evt-07",
         .clause = "INBOX-11",
         .proves = "Of three events in a submission the one by a third server's user is rejected "
                   "as forbidden, and the others are taken",
         .run = sender_of_a_third_server,
         .mutants = {{"any-sender-server", "refused"}, {"one-bad-fails-all", "accepted"}}},
        {.id = "evt-08",
         .clause = "INBOX-1",
         .proves = "Where a submission has no seal, or a seal without proof or events, its event "
                   "is rejected as malformed, in an answer that is 200",
         .run = without_seal,
         .mutants = {{"seal-optional", "refused"}}},
        {.id = "evt-09",
         .clause = "EVT-1",
         .proves = "An event whose proof leads from a leaf that begins with entente-checkpoint-v1 "
                   "is rejected: a checkpoint is no seal",
         .run = refuses_seal(checkpoint_shown_as_seal, seal_unproven),
         .mutants = {{"leaf-kind-ignored", "refused"}}},
        {.id = "evt-10",
         .clause = "LOG-1",
         .proves = "A slice whose checkpoint's proof leads from a leaf that begins with "
                   "entente-seal-v1 is refused: a seal is no checkpoint",
         .run = seal_shown_as_checkpoint,
         .mutants = {{"leaf-kind-ignored", "refused"}}},
        {.id = "evt-11",
         .clause = "EVT-7",
         .proves = "An event under a root two hours old, or two minutes ahead, is deferred with "
                   "retry_after 1, and taken once it is sealed anew",
         .run = seal_out_of_time,
         .mutants = {{"seal-age-ignored", "refused"}}},
        {.id = "evt-12",
         .clause = "EVT-7",
         .proves = "An event under a root 58 minutes old, or 55 s ahead, is taken",
         .run = seal_just_in_time,
         .mutants = {{"seal-age-too-narrow", "accepted"}},
         .negative = false},
    };
}

}  // namespace entente::conformance
