// Keys: rotations. A key that isn't pinned counts only if statements lead to it from one that is
// [KEY-1, KEY-2, KEY-4, KEY-12]. The other parts are in keys_status.cpp, keys_documents.cpp and
// keys_bounds.cpp.
#include <iterator>
#include <utility>

#include "conformance/cases/keys_parts.hpp"
#include "conformance/judge/follower.hpp"

namespace entente::conformance {

namespace {

constexpr std::int64_t rotation_minute = 60'000;
const std::vector<Refusal> conflicting = {{403, "key-conflict"}};

struct Succession {
    const Origin& origin;
    const SigningKey& first;
    const SigningKey& next;
    std::int64_t now;
};
// What the document says of the succession.
using Statements = std::function<std::vector<std::string>(const Succession&)>;

void publish_succession(Trial& trial, const SigningKey& next, const Statements& statements)
{
    auto& origin = trial.origin();
    const auto said = statements({origin, origin.key(), next, trial.now()});
    origin.publish(succeeded(origin.document(), next, trial.now() - rotation_minute, said));
}

std::function<void(Trial&)> takes_succession(const Statements& statements)
{
    return [=](Trial& trial) {
        trial.control();
        const auto next = SigningKey::random();
        publish_succession(trial, next, statements);
        trial.origin().use_key(next);
        expect_heard(trial, say(trial));
    };
}

// The request is signed by the new key, and by nothing else: its seal is the old key's, which
// counts as before.
std::function<void(Trial&)> refuses_succession(const Statements& statements)
{
    return [=](Trial& trial) {
        trial.control();
        const auto next = SigningKey::random();
        publish_succession(trial, next, statements);
        const auto said = say(trial, {.key = next});
        expect_unheard(trial, said, conflicting);
    };
}

std::vector<std::string> by_the_key(const Succession& of)
{
    return {rotation(of.origin.name(), of.first.id(), of.next, of.now - rotation_minute, of.first)};
}

std::vector<std::string> by_the_recovery_key(const Succession& of)
{
    return {rotation(of.origin.name(), of.first.id(), of.next, of.now - rotation_minute,
                     of.origin.recovery())};
}

std::vector<std::string> by_nobody(const Succession&)
{
    return {};
}

std::vector<std::string> by_way_of_another(const Succession& of)
{
    const auto between = SigningKey::random();
    const auto& name = of.origin.name();
    // The later one first: their order says nothing.
    return {rotation(name, between.id(), of.next, of.now - rotation_minute, between),
            rotation(name, of.first.id(), between, of.now - 2 * rotation_minute, of.first)};
}

std::vector<std::string> by_a_stranger(const Succession& of)
{
    return {rotation(of.origin.name(), of.first.id(), of.next, of.now - rotation_minute,
                     SigningKey::random())};
}

std::vector<std::string> by_the_new_key(const Succession& of)
{
    return {rotation(of.origin.name(), of.first.id(), of.next, of.now - rotation_minute, of.next)};
}

std::vector<std::string> from_a_key_nobody_knows(const Succession& of)
{
    const auto unknown = SigningKey::random();
    return {rotation(of.origin.name(), unknown.id(), of.next, of.now - rotation_minute, unknown)};
}

// `previous` and the signer are right; the new key has signed other members.
std::vector<std::string> without_the_new_keys_word(const Succession& of)
{
    const auto& name = of.origin.name();
    auto members = rotation_members(name, of.first.id(), of.next, of.now - rotation_minute);
    auto others = members;
    others["at"] = of.now - 2 * rotation_minute;
    members["proof"] = rotation_proof(name, others, of.next);
    return {jws(name, "entente-rotation", members.dump(), of.first)};
}

std::vector<std::string> without_any_proof(const Succession& of)
{
    const auto& name = of.origin.name();
    const auto members = rotation_members(name, of.first.id(), of.next, of.now - rotation_minute);
    return {jws(name, "entente-rotation", members.dump(), of.first)};
}

// Signed in the name of another server.
std::vector<std::string> in_anothers_name(const Succession& of)
{
    return {rotation("other." + of.origin.name(), of.first.id(), of.next, of.now - rotation_minute,
                     of.first)};
}

// All is right but the type, under which the payload means nothing.
std::vector<std::string> under_another_type(const Succession& of)
{
    const auto& name = of.origin.name();
    auto members = rotation_members(name, of.first.id(), of.next, of.now - rotation_minute);
    members["proof"] = rotation_proof(name, members, of.next);
    return {jws(name, "entente-root", members.dump(), of.first)};
}

std::vector<std::string> from_the_future(const Succession& of)
{
    return {
        rotation(of.origin.name(), of.first.id(), of.next, of.now + 5 * rotation_minute, of.first)};
}

// The key has been replaced by two others at once: which of them stands nobody can know.
std::vector<std::string> twice(const Succession& of)
{
    const auto& name = of.origin.name();
    return {
        rotation(name, of.first.id(), of.next, of.now - rotation_minute, of.first),
        rotation(name, of.first.id(), SigningKey::random(), of.now - rotation_minute, of.first)};
}

// The key is revoked, and has signed a rotation since.
void refuses_a_revoked_keys_rotation(Trial& trial)
{
    auto& origin = trial.origin();
    const auto spare = add_spare_key(origin);
    trial.control();
    const auto first = origin.key();
    const auto next = SigningKey::random();
    const auto now = trial.now();
    auto document = succeeded(
        origin.document(), next, now - rotation_minute,
        {revocation(origin.name(), first.id(), now - 2 * rotation_minute, origin.recovery()),
         rotation(origin.name(), first.id(), next, now - rotation_minute, first)});
    keep_current(document, spare);
    origin.publish(document);
    origin.use_key(spare);
    expect_unheard(trial, say(trial, {.key = next}), {{403, "key-conflict"}, {401, "key-revoked"}});
}

// The recovery key has been replaced, and its successor signs.
void takes_a_new_recovery_keys_rotation(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto recovery_key = SigningKey::random();
    const auto next = SigningKey::random();
    const auto now = trial.now();
    auto document = succeeded(
        origin.document(), next, now - rotation_minute,
        {recovery(origin.name(), origin.recovery(), recovery_key, now - 2 * rotation_minute),
         rotation(origin.name(), origin.key().id(), next, now - rotation_minute, recovery_key)});
    document["recovery"] = recovery_key.jwk();
    origin.publish(document);
    origin.use_key(next);
    expect_heard(trial, say(trial));
}

// The recovery key's word stands against the key's own. The document shows the one that stands;
// the other counts as revoked.
void prefers_the_recovery_key(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto stolen = SigningKey::random();
    const auto next = SigningKey::random();
    publish_succession(trial, next, [&](const Succession& of) -> std::vector<std::string> {
        return {rotation(of.origin.name(), of.first.id(), stolen, of.now - 2 * rotation_minute,
                         of.first),
                by_the_recovery_key(of).front()};
    });
    origin.use_key(next);
    expect_heard(trial, say(trial));
    expect_unheard(trial, say(trial, {.key = stolen}), {{401, "key-revoked"}});
}

void refuses_another_recovery_key(Trial& trial)
{
    trial.control();
    auto document = trial.origin().document();
    document["recovery"] = SigningKey::random().jwk();
    trial.origin().publish(document);
    // A key that nobody knows makes the target look.
    expect_unheard(trial, say(trial, {.key = SigningKey::random()}), conflicting);
}

void ends_a_conflict(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto right = origin.document();
    const auto next = SigningKey::random();
    publish_succession(trial, next, by_nobody);
    expect_unheard(trial, say(trial, {.key = next}), conflicting);
    origin.publish(right);
    // It looks again, and finds what agrees with its pins.
    expect_unheard(trial, say(trial, {.key = next}), {{401, "unknown-key"}});
    publish_succession(trial, next, by_the_key);
    origin.use_key(next);
    expect_heard(trial, say(trial));
}

// Where what is said goes while the document, out of the pins' reach, names another api.
void keeps_the_api_in_a_conflict(Trial& trial)
{
    auto& origin = trial.origin();
    const auto home = Follower(trial).id();
    trial.control();
    auto& thief = trial.another("c");
    const auto next = SigningKey::random();
    publish_succession(trial, next, by_nobody);
    auto document = origin.document();
    document["api"] = "https://" + thief.name();
    origin.publish(document);
    expect_unheard(trial, say(trial, {.key = next}), conflicting);
    const auto text = trial.new_text();
    trial.accounts().post(Who::first, home, text);
    const auto came = origin.wait_for(
        [&](const Received& one) {
            return is_inbox(one) && one.request.body.find(text) != std::string::npos;
        },
        in(Millis(10'000)));
    trial.expect(thief.connections() == 0, "api-stays",
                 "it has connected to the api of a document that contradicts the pins");
    trial.expect(came.has_value(), "api-stays", "nothing goes to the api of before any more");
}

void keeps_pins_over_a_kill(Trial& trial)
{
    trial.control();
    // Before the kill: what the target fetches afterwards for its own needs is this too.
    const auto next = SigningKey::random();
    publish_succession(trial, next, by_nobody);
    trial.hook("kill9");
    trial.wait_until_served(Millis(30'000));
    expect_unheard(trial, say(trial, {.key = next}), conflicting);
}

Case succession_taken(const char* id, const char* clause, const char* proves,
                      const Statements& statements, const char* flag)
{
    return {.id = id,
            .clause = clause,
            .proves = proves,
            .run = takes_succession(statements),
            .mutants = {{flag, "accepted"}},
            .negative = false};
}

Case succession_refused(const char* id, const char* clause, const char* proves,
                        const Statements& statements, const char* flag)
{
    return {.id = id,
            .clause = clause,
            .proves = proves,
            .run = refuses_succession(statements),
            .mutants = {{flag, "refused"}}};
}

}  // namespace

Said say_once(Trial& trial, const Defect& defect, Connection& connection)
{
    Said said;
    said.text = trial.new_text();
    const auto event = trial.message_of(trial.user(), trial.channel(), said.text);
    said.response = trial.transact(trial.origin(), trial.submitting({event}), defect, "the message",
                                   &connection);
    return said;
}

Said say(Trial& trial, const Defect& defect)
{
    const auto door = trial.world().door().from_own_address();
    Connection own(door);
    Said said;
    const auto response = patiently(trial, trial.origin(), [&] {
        said = say_once(trial, defect, own);
        return said.response;
    });
    said.response = response;
    return said;
}

void expect_heard(Trial& trial, const Said& said)
{
    trial.expect_ok(said.response);
    const nlohmann::json::json_pointer place("/submissions/0/events/0");
    const auto& json = said.response.json;
    const auto result = json.contains(place) ? json[place] : nlohmann::json::object();
    trial.expect(result.value("status", "") == "accepted", "accepted",
                 "the event isn't accepted: " + result.dump());
    trial.expect_once(said.text);
}

void expect_unheard(Trial& trial, const Said& said, const std::vector<Refusal>& allowed)
{
    trial.expect_refused(said.response, allowed);
    trial.expect_absent(said.text);
    trial.expect_still_serves();
}

nlohmann::json document_key(const SigningKey& key, std::int64_t from)
{
    auto jwk = key.jwk();
    jwk["from"] = from;
    return jwk;
}

nlohmann::json succeeded(const nlohmann::json& document, const SigningKey& next, std::int64_t at,
                         const std::vector<std::string>& statements)
{
    auto succeeding = document;
    for (auto old : document["keys"]) {
        old["until"] = at;
        succeeding["old_keys"].push_back(std::move(old));
    }
    succeeding["keys"] = nlohmann::json::array({document_key(next, at)});
    for (const auto& statement : statements) succeeding["statements"].push_back(statement);
    return succeeding;
}

SigningKey add_spare_key(Origin& origin)
{
    const auto spare = SigningKey::random();
    auto document = origin.document();
    document["keys"].push_back(document_key(spare, document["keys"][0]["from"]));
    origin.publish(document);
    return spare;
}

void keep_current(nlohmann::json& document, const SigningKey& key)
{
    auto& old_keys = document["old_keys"];
    for (std::size_t place = 0; place < old_keys.size(); ++place) {
        if (old_keys[place]["kid"] != key.id()) continue;
        old_keys[place].erase("until");
        document["keys"].push_back(old_keys[place]);
        old_keys.erase(place);
        return;
    }
}

std::vector<Case> key_rotation_cases()
{
    return {
        succession_taken("key-01", "KEY-2",
                         "A key to which a rotation by the pinned key leads is served", by_the_key,
                         "rotations-ignored"),
        succession_refused("key-02", "KEY-4",
                           "A key that no statement leads to is a key conflict, and the pinned key "
                           "is served as before",
                           by_nobody, "repins"),
        succession_taken("key-03", "KEY-2",
                         "A key to which a rotation by the recovery key leads is served",
                         by_the_recovery_key, "recovery-rotations-ignored"),
        succession_taken("key-04", "KEY-2",
                         "A key to which a chain of two rotations leads is served",
                         by_way_of_another, "rotation-chains-ignored"),
        succession_refused("key-05", "KEY-2",
                           "A rotation by a key that isn't the server's counts for nothing",
                           by_a_stranger, "rotation-signer-unchecked"),
        succession_refused("key-06", "KEY-2",
                           "A rotation that the new key alone has signed counts for nothing",
                           by_the_new_key, "rotation-signer-unchecked"),
        succession_refused("key-07", "KEY-2",
                           "A rotation that begins at a key nobody knows counts for nothing",
                           from_a_key_nobody_knows, "rotation-previous-unchecked"),
        succession_refused("key-08", "KEY-2",
                           "A rotation whose proof is over other members counts for nothing",
                           without_the_new_keys_word, "rotation-proof-unchecked"),
        succession_refused("key-09", "KEY-2", "A rotation without a proof counts for nothing",
                           without_any_proof, "rotation-proof-unchecked"),
        succession_refused("key-10", "KEY-2",
                           "A rotation in the name of another server counts for nothing",
                           in_anothers_name, "statement-server-unchecked"),
        succession_refused("key-11", "KEY-2", "A rotation under another typ counts for nothing",
                           under_another_type, "statement-type-unchecked"),
        succession_refused("key-12", "KEY-12",
                           "A rotation that is dated five minutes ahead isn't taken yet",
                           from_the_future, "statement-time-unchecked"),
        succession_refused("key-13", "KEY-2",
                           "Two rotations of one key that come at once are a key conflict", twice,
                           "rotation-rivals-ignored"),
        {.id = "key-14",
         .clause = "KEY-2",
         .proves = "A rotation by a key that had been revoked by then counts for nothing",
         .run = refuses_a_revoked_keys_rotation,
         .mutants = {{"rotation-after-revocation", "refused"}}},
        {.id = "key-15",
         .clause = "KEY-3",
         .proves = "A recovery key that a recovery by the old one names signs rotations",
         .run = takes_a_new_recovery_keys_rotation,
         .mutants = {{"recoveries-ignored", "accepted"}},
         .negative = false},
        {.id = "key-16",
         .clause = "KEY-2",
         .proves = "The recovery key's rotation stands against one by the key itself, whose key "
                   "counts as revoked",
         .run = prefers_the_recovery_key,
         .mutants = {{"recovery-has-no-precedence", "accepted"}},
         .negative = false},
        {.id = "key-17",
         .clause = "KEY-4",
         .proves = "Another recovery key without a recovery is a key conflict",
         .run = refuses_another_recovery_key,
         .mutants = {{"recovery-key-unpinned", "refused"}}},
        {.id = "key-18",
         .clause = "KEY-4",
         .proves = "A key conflict ends when a later document agrees with the pins",
         .run = ends_a_conflict,
         .mutants = {{"conflicts-for-ever", "refused"}}},
        {.id = "key-19",
         .clause = "KEY-4",
         .proves = "In a key conflict what is sent goes to the api of before",
         .run = keeps_the_api_in_a_conflict,
         .mutants = {{"api-follows-conflict", "api-stays"}}},
        {.id = "key-20",
         .clause = "KEY-1",
         .profile = Profile::durable,
         .proves = "Pins outlive a kill -9: a document with other keys is a conflict still",
         .run = keeps_pins_over_a_kill,
         .mutants = {{"pins-not-durable", "refused"}},
         .hooks = {"kill9"},
         .alone = true},
    };
}

std::vector<Case> key_cases()
{
    std::vector<Case> all;
    for (auto part : {key_rotation_cases, key_status_cases, key_document_cases, key_bound_cases}) {
        auto cases = part();
        std::move(cases.begin(), cases.end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace entente::conformance
