// Keys: until when a key counts [KEY-2, KEY-3, KEY-9, KEY-11], and whose key it is.
#include <utility>

#include "conformance/cases/keys_parts.hpp"

namespace entente::conformance {

namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t day_ms = 24 * hour_ms;
const std::vector<Refusal> revoked = {{401, "key-revoked"}};

// The origin's first key was replaced so long ago, and the target has learned it; the first key.
SigningKey rotated_since(Trial& trial, std::int64_t age)
{
    auto& origin = trial.origin();
    auto document = origin.document();
    document["keys"][0]["from"] = trial.now() - 30 * day_ms;
    origin.publish(document);
    trial.control();
    const auto first = origin.key();
    const auto next = SigningKey::random();
    const auto at = trial.now() - age;
    origin.publish(
        succeeded(document, next, at, {rotation(origin.name(), first.id(), next, at, first)}));
    origin.use_key(next);
    const auto said = say(trial);
    if (said.response.status() != 200)
        throw CouldNotRun("a rotation that prepares the case isn't followed: " +
                          said.response.text());
    return first;
}

std::function<void(Trial&)> takes_old_key(std::int64_t age)
{
    return [=](Trial& trial) {
        trial.origin().use_key(rotated_since(trial, age));
        expect_heard(trial, say(trial));
    };
}

void refuses_an_old_key(Trial& trial)
{
    const auto first = rotated_since(trial, 8 * day_ms);
    expect_unheard(trial, say(trial, {.key = first}), revoked);
}

// The request is right, but its root is signed by a key that doesn't count any more.
void expect_seal_refused(Trial& trial, const SigningKey& key)
{
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    const auto event = trial.message_of(trial.user(), trial.channel(), text);
    const auto body = submitting(origin.name(), key, trial.channel(), {event}, trial.now());
    const auto response = trial.transact(origin, body, {}, "a seal by a key that doesn't count");
    trial.expect_ok(response);
    const nlohmann::json::json_pointer place("/submissions/0/events/0");
    const auto result =
        response.json.contains(place) ? response.json[place] : nlohmann::json::object();
    trial.expect(result.value("status", "") == "rejected", "refused",
                 "the event's result is " + result.dump());
    trial.expect_absent(text);
    trial.expect_still_serves();
}

void refuses_an_old_keys_seal(Trial& trial)
{
    const auto first = rotated_since(trial, 8 * day_ms);
    expect_seal_refused(trial, first);
}

// The origin signs with a spare key; the first one is revoked by `signer`, or by nobody who may.
SigningKey revoked_by(Trial& trial, const std::function<SigningKey(const Origin&)>& signer)
{
    auto& origin = trial.origin();
    const auto spare = add_spare_key(origin);
    trial.control();
    const auto first = origin.key();
    auto document = origin.document();
    document["statements"].push_back(
        revocation(origin.name(), first.id(), trial.now() - hour_ms, signer(origin)));
    origin.publish(document);
    // Under a key that nobody knows, so that the target looks.
    const auto looked = say(trial, {.key = SigningKey::random()});
    if (looked.response.code() != "unknown-key")
        throw CouldNotRun("a request under an unknown key is answered " + looked.response.text());
    origin.use_key(spare);
    return first;
}

SigningKey by_recovery(const Origin& origin)
{
    return origin.recovery();
}

void refuses_a_revoked_key(Trial& trial)
{
    const auto first = revoked_by(trial, by_recovery);
    expect_unheard(trial, say(trial, {.key = first}), revoked);
}

void refuses_a_key_revoked_by_itself(Trial& trial)
{
    const auto first = revoked_by(trial, [](const Origin& origin) { return origin.key(); });
    expect_unheard(trial, say(trial, {.key = first}), revoked);
}

void refuses_a_revoked_keys_seal(Trial& trial)
{
    const auto first = revoked_by(trial, by_recovery);
    expect_seal_refused(trial, first);
}

void ignores_a_strangers_revocation(Trial& trial)
{
    const auto first = revoked_by(trial, [](const Origin&) { return SigningKey::random(); });
    trial.origin().use_key(first);
    expect_heard(trial, say(trial));
}

// One of a server's signing keys revokes another of them.
void ignores_a_siblings_revocation(Trial& trial)
{
    const auto sibling = add_spare_key(trial.origin());
    const auto first = revoked_by(trial, [&](const Origin&) { return sibling; });
    trial.origin().use_key(first);
    expect_heard(trial, say(trial));
}

// At first contact the document already shows the key as revoked.
void refuses_a_key_that_came_revoked(Trial& trial)
{
    trial.control();
    auto& other = trial.another();
    const auto old = SigningKey::random();
    auto document = other.document();
    auto jwk = document_key(old, trial.now() - 3 * day_ms);
    jwk["until"] = trial.now() - 2 * day_ms;
    jwk["revoked_at"] = trial.now() - 2 * day_ms;
    document["old_keys"] = nlohmann::json::array({jwk});
    other.publish(document);
    expect_turned_away(trial, arrive(trial, other, {.key = old}), false, revoked);
}

// The same by a statement of the recovery key, which first contact applies too.
void refuses_a_key_that_came_with_its_revocation(Trial& trial)
{
    trial.control();
    auto& other = trial.another();
    const auto leaked = add_spare_key(other);
    auto document = other.document();
    document["statements"].push_back(
        revocation(other.name(), leaked.id(), trial.now() - hour_ms, other.recovery()));
    other.publish(document);
    expect_turned_away(trial, arrive(trial, other, {.key = leaked}), false, revoked);
}

// A signs with B's key, which the target knows as B's.
void refuses_anothers_key(Trial& trial)
{
    trial.control();
    auto& other = trial.another();
    expect_taken_in(trial, arrive(trial, other));
    expect_unheard(trial, say(trial, {.key = other.key()}), {{401, "unknown-key"}});
}

// B signs with its own key and names A: A's key id doesn't fit the signature.
void refuses_a_signature_by_another(Trial& trial)
{
    trial.control();
    auto& other = trial.another();
    expect_taken_in(trial, arrive(trial, other));
    const auto keyid = trial.origin().name() + "#" + trial.origin().key().id();
    expect_unheard(trial,
                   say(trial, {.before_signing =
                                   [=](Request&, SignatureInput& input) {
                                       input.set("keyid", conformance::quoted(keyid));
                                   },
                               .key = other.key()}),
                   {{401, "signature-invalid"}});
}

// Requests are signed by signing keys alone.
void refuses_the_recovery_keys_request(Trial& trial)
{
    trial.control();
    expect_unheard(trial, say(trial, {.key = trial.origin().recovery()}), {{401, "unknown-key"}});
}

}  // namespace

std::vector<Case> key_status_cases()
{
    return {
        {.id = "key-21",
         .clause = "KEY-2",
         .proves = "A key that was replaced an hour ago is served",
         .run = takes_old_key(hour_ms),
         .mutants = {{"old-key-refused", "accepted"}},
         .negative = false},
        {.id = "key-22",
         .clause = "KEY-2",
         .proves = "A key that was replaced six days ago is served",
         .run = takes_old_key(6 * day_ms),
         .mutants = {{"old-key-refused", "accepted"}},
         .negative = false},
        {.id = "key-23",
         .clause = "KEY-2",
         .proves = "A key that was replaced eight days ago signs no request",
         .run = refuses_an_old_key,
         .mutants = {{"old-key-for-ever", "refused"}}},
        {.id = "key-24",
         .clause = "KEY-2",
         .proves = "A key that was replaced eight days ago signs no seal",
         .run = refuses_an_old_keys_seal,
         .mutants = {{"old-key-seals", "refused"}}},
        {.id = "key-25",
         .clause = "KEY-3",
         .proves = "A key that the recovery key has revoked signs no request",
         .run = refuses_a_revoked_key,
         .mutants = {{"revocations-ignored", "refused"}}},
        {.id = "key-26",
         .clause = "KEY-3",
         .proves = "A key that has revoked itself signs no request",
         .run = refuses_a_key_revoked_by_itself,
         .mutants = {{"own-revocations-ignored", "refused"}}},
        {.id = "key-27",
         .clause = "KEY-9",
         .proves = "A key that was revoked signs no seal, whatever time its root claims",
         .run = refuses_a_revoked_keys_seal,
         .mutants = {{"revoked-key-seals", "refused"}}},
        {.id = "key-28",
         .clause = "KEY-3",
         .proves = "A revocation by a key that isn't the server's counts for nothing",
         .run = ignores_a_strangers_revocation,
         .mutants = {{"revocation-signer-unchecked", "accepted"}},
         .negative = false},
        {.id = "key-29",
         .clause = "KEY-3",
         .proves = "A signing key revokes no other signing key",
         .run = ignores_a_siblings_revocation,
         .mutants = {{"revocation-by-siblings", "accepted"}},
         .negative = false},
        {.id = "key-30",
         .clause = "KEY-1",
         .proves = "A key that the document of a first contact shows as revoked signs no request",
         .run = refuses_a_key_that_came_revoked,
         .mutants = {{"old-key-status-ignored", "refused"}}},
        {.id = "key-31",
         .clause = "KEY-1",
         .proves = "A key that a statement of a first contact revokes signs no request",
         .run = refuses_a_key_that_came_with_its_revocation,
         .mutants = {{"revocations-ignored", "refused"}}},
        {.id = "key-32",
         .clause = "KEY-5",
         .proves = "Another server's key isn't this one's",
         .run = refuses_anothers_key,
         .mutants = {{"keys-of-all-servers", "refused"}}},
        {.id = "key-33",
         .clause = "SIG-7",
         .proves = "Another server's signature under this one's key id is invalid",
         .run = refuses_a_signature_by_another,
         .mutants = {{"no-signature-check", "refused"}}},
        {.id = "key-34",
         .clause = "KEY-2",
         .proves = "The recovery key signs no requests",
         .run = refuses_the_recovery_keys_request,
         .mutants = {{"recovery-key-signs-requests", "refused"}}},
    };
}

}  // namespace entente::conformance
