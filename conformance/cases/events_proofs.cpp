// Roots and proofs: what a JWS must say, and how a leaf leads to it [EVT-10, EVT-11, EVT-12].
#include "conformance/cases/events.hpp"
#include "conformance/judge/follower.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

std::string own_leaf(const nlohmann::json& body)
{
    const auto& submission = body["submissions"][0];
    return seal_leaf(submission["channel"].get<std::string>(),
                     submission["seal"]["events"].get<std::vector<std::string>>());
}

nlohmann::json& own_proof(nlohmann::json& body)
{
    return body["submissions"][0]["seal"]["proof"];
}

// A header as it should be; a case changes it.
nlohmann::json root_header(Trial& trial)
{
    return {{"alg", "Ed25519"},
            {"kid", trial.origin().name() + "#" + trial.origin().key().id()},
            {"typ", "entente-root"}};
}

nlohmann::json root_payload(Trial& trial, const std::string& hash, std::uint64_t size)
{
    return {{"root", base64url(hash)}, {"size", size}, {"at", trial.now()}};
}

std::string root_jws(Trial& trial, const nlohmann::json& header, const nlohmann::json& payload)
{
    return jws_of(header.dump(), payload.dump(), trial.origin().key());
}

// The only root becomes one over `hash` and `size`.
void put_tree(Trial& trial, nlohmann::json& body, const std::string& hash, std::uint64_t size)
{
    body["roots"][0] = root_jws(trial, root_header(trial), root_payload(trial, hash, size));
}

using ProofChange = std::function<void(Trial&, nlohmann::json&)>;

// Each refused alone, with one of `codes`.
Run refuses_proofs(std::vector<ProofChange> changes, Codes codes = {"signature-invalid"})
{
    return [changes = std::move(changes), codes = std::move(codes)](Trial& trial) {
        for (const auto& change : changes)
            trial.rejects_event([&](nlohmann::json& body) { change(trial, body); }, codes);
    };
}

// The whole body is malformed.
Run refuses_body(ProofChange change)
{
    return [change = std::move(change)](Trial& trial) {
        trial.refuses({.body = [&](nlohmann::json& body) { change(trial, body); }},
                      {{400, "malformed"}});
    };
}

ProofChange header_with(const std::string& name, const nlohmann::json& value)
{
    return [=](Trial& trial, nlohmann::json& body) {
        auto header = root_header(trial);
        header[name] = value;
        body["roots"][0] =
            root_jws(trial, header, root_payload(trial, tree_hash({own_leaf(body)}), 1));
    };
}

// The signature's part empty, as the JWS of an `alg` that has none.
void unsigned_root(Trial& trial, nlohmann::json& body)
{
    header_with("alg", "none")(trial, body);
    auto text = body["roots"][0].get<std::string>();
    body["roots"][0] = text.substr(0, text.rfind('.') + 1);
}

ProofChange sized(std::uint64_t size)
{
    return [=](Trial& trial, nlohmann::json& body) {
        put_tree(trial, body, tree_hash({own_leaf(body)}), size);
    };
}

// A place that the tree doesn't have: one leaf, shown at two places.
void beyond_the_tree(Trial&, nlohmann::json& body)
{
    own_proof(body)["index"] = 1;
}

void path_missing(Trial& trial, nlohmann::json& body)
{
    put_tree(trial, body, tree_hash({own_leaf(body), "another leaf"}), 2);
}

// Who only hashes along the path, and doesn't ask the tree's size, is led to the root.
void path_too_long(Trial& trial, nlohmann::json& body)
{
    const std::vector<std::string> two = {own_leaf(body), "another leaf"};
    own_proof(body) = proof_of(two, 0);
    put_tree(trial, body, tree_hash(two), 1);
}

void path_of_another_leaf(Trial& trial, nlohmann::json& body)
{
    const std::vector<std::string> three = {"a leaf", own_leaf(body), "another leaf"};
    own_proof(body) = proof_of(three, 0);
    put_tree(trial, body, tree_hash(three), 3);
}

// The leaf's octets without the 0x00 before them, as an inner node would be hashed.
void leaf_without_prefix(Trial& trial, nlohmann::json& body)
{
    put_tree(trial, body, sha256(own_leaf(body)), 1);
}

void path_of_33(Trial&, nlohmann::json& body)
{
    for (int step = 0; step < 33; ++step)
        own_proof(body)["path"].push_back(base64url(random_octets(32)));
}

// Of a second submission; the first one uses the only root that there is.
void root_beyond(Trial& trial, nlohmann::json& body)
{
    auto second = trial.submitting({trial.message()})["submissions"][0];
    second["seal"]["proof"]["root"] = 1;
    body["submissions"].push_back(std::move(second));
}

void root_unused(Trial& trial, nlohmann::json& body)
{
    body["roots"].push_back(signed_root(trial.origin().name(), trial.origin().key(),
                                        {"nothing points at it"}, trial.now()));
}

// A heartbeat weighs one item; with two seals it points at three roots, and none is unused.
void more_roots_than_items(Trial& trial)
{
    Follower follower(trial);
    const auto& home = follower.home();
    auto& origin = trial.origin();
    const auto key = origin.key();
    const auto leaf = seal_leaf(home.id(), {event_id("anything")});
    const auto body = origin.with([&] {
        auto slice = home.slice(home.latest(), home.latest());
        slice.body["seals"] = nlohmann::json::array();
        for (const std::size_t root : {1U, 2U}) {
            slice.body["seals"].push_back(
                {{"events", {event_id("anything")}}, {"proof", proof_of({leaf}, 0, root)}});
            slice.seal_roots.push_back(signed_root(origin.name(), key, {leaf}, trial.now()));
        }
        return home.transaction(slice, key, trial.now());
    });
    const auto response = trial.transact(origin, body, {}, "three roots for one item");
    trial.expect_refused(response, {{400, "malformed"}});
    trial.control();
    trial.expect_still_serves();
}

// A seal is the last of five leaves: its place in a tree that is no power of two.
void unbalanced_tree(Trial& trial)
{
    trial.accepts({.body = [&](nlohmann::json& body) {
        const std::vector<std::string> five = {"1", "2", "3", "4", own_leaf(body)};
        own_proof(body) = proof_of(five, 4);
        put_tree(trial, body, tree_hash(five), 5);
    }});
    trial.accepts({.body = [&](nlohmann::json& body) {
        const std::vector<std::string> six = {"1", "2", "3", own_leaf(body), "5", "6"};
        own_proof(body) = proof_of(six, 3);
        put_tree(trial, body, tree_hash(six), 6);
    }});
}

// A submission that can't be read, or whose proof can't be found, uses roots all the same.
void unreadable_neighbour(Trial& trial)
{
    trial.control();
    const std::vector<std::function<void(nlohmann::json&)>> breaks = {
        [](nlohmann::json& submission) { submission.erase("events"); },
        [](nlohmann::json& submission) { submission.erase("seal"); },
    };
    for (const auto& make_unreadable : breaks) {
        const auto lost = trial.new_text();
        const auto text = trial.new_text();
        auto body = trial.submitting({trial.message_of(trial.user(), trial.channel(), lost)});
        auto right = trial.submitting({trial.message_of(trial.user(), trial.channel(), text)});
        right["submissions"][0]["seal"]["proof"]["root"] = 1;
        make_unreadable(body["submissions"][0]);
        body["roots"].push_back(right["roots"][0]);
        body["submissions"].push_back(right["submissions"][0]);
        const auto response = trial.transact(trial.origin(), std::move(body), {},
                                             "a submission beside one that can't be read");
        trial.expect_ok(response);
        expect_taken(trial, result_of(response, 0, 1), "the readable submission's event");
        trial.expect_once(text);
        trial.expect_absent(lost);
    }
}

}  // namespace

std::vector<Case> event_proof_cases()
{
    const Codes either = {"malformed", "signature-invalid"};
    return {
        {.id = "evt-13",
         .clause = "EVT-1",
         .proves =
             "An event under a root whose JWS has the typ entente-rotation or JWT is rejected",
         .run = refuses_proofs({header_with("typ", "entente-rotation"), header_with("typ", "JWT")},
                               either),
         .mutants = {{"root-typ-ignored", "refused"}}},
        {.id = "evt-14",
         .clause = "EVT-1",
         .proves = "An event under a root whose JWS has the alg none, with a signature or without, "
                   "is rejected",
         .run = refuses_proofs({header_with("alg", "none"), unsigned_root}, either),
         .mutants = {{"root-alg-none", "refused"}},
         .descends_from = "CVE-2022-23540"},
        {.id = "evt-15",
         .clause = "EVT-1",
         .proves = "An event under a root whose protected header has a further member, crit or "
                   "jku, is rejected",
         .run = refuses_proofs({header_with("crit", nlohmann::json::array({"b64"})),
                                header_with("jku", "https://a.test/")},
                               either),
         .mutants = {{"root-header-any-member", "refused"}},
         .descends_from = "CVE-2018-0114"},
        {.id = "evt-16",
         .clause = "EVT-11",
         .proves = "An event is rejected where its root gives its tree of one leaf the size 2 or "
                   "0, or its proof names the index 1 there",
         .run = refuses_proofs({sized(2), sized(0), beyond_the_tree}, either),
         .mutants = {{"tree-size-ignored", "refused"}}},
        {.id = "evt-17",
         .clause = "EVT-11",
         .proves = "An event is rejected where its proof's path is a hash too short for a tree of "
                   "that size",
         .run = refuses_proofs({path_missing}),
         .mutants = {{"no-proof-check", "refused"}}},
        {.id = "evt-18",
         .clause = "EVT-11",
         .proves = "An event is rejected where its proof's path is a hash too long for a tree of "
                   "that size",
         .run = refuses_proofs({path_too_long}),
         .mutants = {{"tree-size-ignored", "refused"}}},
        {.id = "evt-19",
         .clause = "EVT-11",
         .proves =
             "An event whose proof has the index and path of another leaf of the tree is rejected",
         .run = refuses_proofs({path_of_another_leaf}),
         .mutants = {{"no-proof-check", "refused"}}},
        {.id = "evt-20",
         .clause = "EVT-11",
         .proves = "An event is rejected where the root was made of the leaf without the octet "
                   "0x00 before it",
         .run = refuses_proofs({leaf_without_prefix}),
         .mutants = {{"no-proof-check", "refused"}},
         .descends_from = "RFC 6962 section 2.1"},
        {.id = "evt-21",
         .clause = "EVT-11",
         .proves = "A transaction with a proof whose path has 33 hashes is refused whole, as "
                   "malformed (400)",
         .run = refuses_body(path_of_33),
         .mutants = {{"path-unbounded", "refused"}}},
        {.id = "evt-22",
         .clause = "EVT-12",
         .proves = "A transaction with a proof that points beyond its roots is refused whole, as "
                   "malformed (400)",
         .run = refuses_body(root_beyond),
         .mutants = {{"root-index-unchecked", "refused"}}},
        {.id = "evt-23",
         .clause = "EVT-12",
         .proves = "A transaction with a root that no proof points at is refused whole, as "
                   "malformed (400)",
         .run = refuses_body(root_unused),
         .mutants = {{"unused-roots-allowed", "refused"}}},
        {.id = "evt-24",
         .clause = "EVT-12",
         .proves = "A transaction of one item that points at three roots is refused whole, as "
                   "malformed (400)",
         .run = more_roots_than_items,
         .mutants = {{"roots-unbounded", "refused"}}},
        {.id = "evt-25",
         .clause = "EVT-11",
         .proves =
             "Events whose seals are the last of five leaves, and the fourth of six, are taken",
         .run = unbalanced_tree,
         .mutants = {{"single-leaf-trees-only", "accepted"}},
         .negative = false},
        {.id = "evt-26",
         .clause = "EVT-12",
         .proves = "Beside a submission that can't be read, whose proof uses a root all the same, "
                   "another one's event is taken",
         .run = unreadable_neighbour,
         .mutants = {{"unreadable-uses-no-roots", "accepted"}},
         .negative = false},
    };
}

}  // namespace entente::conformance
