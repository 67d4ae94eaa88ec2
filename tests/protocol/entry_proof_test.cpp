// Proofs of an entry: what they prove, to whom, and that nothing can be changed in one.
#include "protocol/entry_proof.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/protocol/log_support.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

const ServerName home = ServerName::trusted("a.example");
const ServerName elsewhere = ServerName::trusted("b.example");
constexpr Millis numbered_at = 1'763'683'200'456;

const SigningKey& home_key()
{
    static const auto key = key_from(1);
    return key;
}
const SigningKey& author_key()
{
    static const auto key = key_from(2);
    return key;
}

// The last entry's hash, where `proof` is right.
std::string end_of(const EntryProof& proof)
{
    auto seq = proof.seq;
    auto hash = entry_hash(proof.channel, proof.epoch, seq, proof.at, proof.previous,
                           event_id(proof.event));
    for (const auto& link : proof.chain)
        hash = entry_hash(proof.channel, proof.epoch, ++seq, link.at, hash, link.event);
    return hash;
}

void sign_checkpoint(EntryProof& proof, const SigningKey& key, const ServerName& server)
{
    auto& checkpoint = proof.checkpoint;
    checkpoint.epoch = proof.epoch;
    checkpoint.seq = proof.seq + static_cast<std::int64_t>(proof.chain.size());
    checkpoint.hash = end_of(proof);
    RootBuilder leaves;
    leaves.add("another leaf of the same transaction");
    checkpoint.proof.index = leaves.add(
        checkpoint_leaf(proof.channel, checkpoint.epoch, checkpoint.seq, checkpoint.hash));
    auto root = leaves.sign(key, server, numbered_at + 10);
    checkpoint.proof.path = root.paths[checkpoint.proof.index];
    proof.roots.resize(std::max<std::size_t>(proof.roots.size(), 1));
    proof.roots[0] = root.jws;
}

void sign_seal(EntryProof& proof, const SigningKey& key, const ServerName& server,
               const Hash& event)
{
    RootBuilder leaves;
    Seal seal;
    seal.events = {sha256("an event before"), event};
    seal.proof.root = 1;
    leaves.add(seal_leaf(proof.channel, seal.events));
    auto root = leaves.sign(key, server, numbered_at - 10);
    seal.proof.path = root.paths[0];
    proof.seal = std::move(seal);
    proof.roots.resize(2);
    proof.roots[1] = root.jws;
}

void sign_seal(EntryProof& proof, const SigningKey& key, const ServerName& server)
{
    sign_seal(proof, key, server, event_id(proof.event));
}

// Entry 7 of a channel of a.example, by bob@b.example, two entries before a checkpoint.
EntryProof sealed_proof()
{
    EntryProof proof;
    proof.channel = golden::channel;
    proof.seq = 7;
    proof.previous = to_base64url(sha256("entry 6"));
    proof.at = numbered_at;
    proof.event = golden::event;
    proof.content = std::string(golden::content);
    proof.chain = {{numbered_at, sha256("event 8")}, {numbered_at + 5, sha256("event 9")}};
    sign_checkpoint(proof, home_key(), home);
    sign_seal(proof, author_key(), elsewhere);
    proof.keys = {{home, home_key().public_key(), {}},
                  {elsewhere, author_key().public_key(), {"a statement"}}};
    return proof;
}

// Entry 1, by alice of the home itself.
EntryProof own_proof()
{
    EntryProof proof;
    proof.channel = golden::channel;
    proof.seq = 1;
    proof.at = numbered_at;
    proof.event = replaced(golden::event, "bob@b.example", "alice@a.example");
    sign_checkpoint(proof, home_key(), home);
    proof.keys = {{home, home_key().public_key(), {}}};
    return proof;
}

Result<ProvenEntry> judged(const EntryProof& proof, const std::vector<KeyRef>& given = {})
{
    auto read = parse_entry_proof(write_entry_proof(proof), {});
    if (!read) return fail(read);
    return verify_entry_proof(*read, given, {});
}

Code proof_code(const EntryProof& proof, const std::vector<KeyRef>& given = {})
{
    const auto result = judged(proof, given);
    EXPECT_FALSE(result);
    return result ? Code::internal : result.error().code;
}

TEST(EntryProof, ProvesAnotherServersUsersEntryByHomeAndAuthor)
{
    const auto proven = judged(sealed_proof());
    ASSERT_TRUE(proven) << proven.error().detail;
    EXPECT_EQ(proven->followed.event.sender.text, "bob@b.example");
    EXPECT_EQ(proven->followed.event.id, *hash_from_base64url(golden::event_id));
    EXPECT_EQ(proven->home.key, (KeyRef{home, home_key().id()}));
    EXPECT_EQ(proven->home.at, numbered_at + 10);
    EXPECT_TRUE(proven->is_home_by_name);
    ASSERT_TRUE(proven->author);
    EXPECT_EQ(proven->author->key, (KeyRef{elsewhere, author_key().id()}));
    EXPECT_EQ(proven->author->at, numbered_at - 10);
    EXPECT_TRUE(proven->content_matches);
    EXPECT_FALSE(proven->home.is_given);
    EXPECT_FALSE(proven->author->is_given);
}

TEST(EntryProof, ProvesTheHomesOwnUsersEntryByTheHomeAlone)
{
    const auto proven = judged(own_proof());
    ASSERT_TRUE(proven) << proven.error().detail;
    EXPECT_EQ(proven->followed.event.sender.text, "alice@a.example");
    EXPECT_FALSE(proven->author);
    EXPECT_FALSE(proven->content_matches);
}

TEST(EntryProof, WhatIsWrittenIsReadBackTheSame)
{
    for (const auto& proof : {sealed_proof(), own_proof()}) {
        const auto text = write_entry_proof(proof);
        const auto read = parse_entry_proof(text, {});
        ASSERT_TRUE(read) << read.error().detail;
        EXPECT_EQ(write_entry_proof(*read), text);
    }
}

// [PRF-5]
TEST(EntryProof, KeysThatTheAskerKnowsMustBeThose)
{
    const KeyRef of_home{home, home_key().id()};
    const KeyRef of_author{elsewhere, author_key().id()};
    const auto proven = judged(sealed_proof(), {of_home});
    ASSERT_TRUE(proven);
    EXPECT_TRUE(proven->home.is_given);
    EXPECT_FALSE(proven->author->is_given);
    const auto both = judged(sealed_proof(), {{home, author_key().id()}, of_author, of_home});
    ASSERT_TRUE(both);
    EXPECT_TRUE(both->home.is_given);
    EXPECT_TRUE(both->author->is_given);
    EXPECT_EQ(proof_code(sealed_proof(), {{home, author_key().id()}}), Code::unknown_key);
    EXPECT_EQ(proof_code(sealed_proof(), {of_home, {elsewhere, home_key().id()}}),
              Code::unknown_key);
}

// [PRF-3]
TEST(EntryProof, AnotherServerThanTheHomeProvesNoEntry)
{
    auto proof = own_proof();
    sign_checkpoint(proof, author_key(), elsewhere);
    proof.keys = {{elsewhere, author_key().public_key(), {}}};
    EXPECT_EQ(proof_code(proof), Code::not_home);
    // In the home's name, with another key: it is the asker who must know that it isn't.
    sign_checkpoint(proof, author_key(), home);
    proof.keys = {{home, author_key().public_key(), {}}};
    EXPECT_TRUE(judged(proof));
    EXPECT_EQ(proof_code(proof, {{home, home_key().id()}}), Code::unknown_key);
}

// [PRF-3]
TEST(EntryProof, InALaterEpochTheHomeIsNotKnownByTheChannelsName)
{
    auto proof = own_proof();
    proof.epoch = 2;
    proof.event = golden::event;
    sign_checkpoint(proof, author_key(), elsewhere);
    proof.keys = {{elsewhere, author_key().public_key(), {}}};
    const auto proven = judged(proof);
    ASSERT_TRUE(proven) << proven.error().detail;
    EXPECT_FALSE(proven->is_home_by_name);
    EXPECT_FALSE(proven->author);
}

// [PRF-2]
TEST(EntryProof, WithoutTheAuthorsSealAnotherServersEntryIsNotProven)
{
    auto proof = sealed_proof();
    proof.seal.reset();
    proof.roots.pop_back();
    proof.keys.pop_back();
    EXPECT_EQ(proof_code(proof), Code::signature_invalid);

    proof = sealed_proof();
    sign_seal(proof, home_key(), home);
    proof.keys.pop_back();
    EXPECT_EQ(proof_code(proof), Code::signature_invalid);

    proof = sealed_proof();
    sign_seal(proof, author_key(), elsewhere, sha256("another event"));
    EXPECT_EQ(proof_code(proof), Code::signature_invalid);
}

// [PRF-4]
TEST(EntryProof, WhatNothingNeedsIsRefused)
{
    auto proof = own_proof();
    proof.keys.push_back({elsewhere, author_key().public_key(), {}});
    EXPECT_EQ(proof_code(proof), Code::malformed);

    proof = own_proof();
    sign_seal(proof, home_key(), home);
    EXPECT_EQ(proof_code(proof), Code::malformed);

    proof = own_proof();
    proof.roots.push_back(proof.roots.front());
    EXPECT_EQ(proof_code(proof), Code::malformed);
}

// [PRF-2]
TEST(EntryProof, AChainThatGoesBackInTimeIsRefused)
{
    auto proof = own_proof();
    proof.chain = {{numbered_at - 1, sha256("event 2")}};
    sign_checkpoint(proof, home_key(), home);
    EXPECT_EQ(proof_code(proof), Code::malformed);
}

// [PRF-2]
TEST(EntryProof, AContentOfAnotherEventIsRefused)
{
    auto proof = sealed_proof();
    proof.content = replaced(golden::content, "hello", "hallo");
    EXPECT_EQ(proof_code(proof), Code::malformed);
}

// [PRF-2]
TEST(EntryProof, AnEntryOfAnotherChannelIsRefused)
{
    auto proof = own_proof();
    proof.event = replaced(proof.event, golden::channel.str(),
                           "0192f0c1-7b1a-7c3d-8e4f-ba9876543210@a.example");
    sign_checkpoint(proof, home_key(), home);
    EXPECT_EQ(proof_code(proof), Code::malformed);
}

// [PRF-2]
TEST(EntryProof, WhatDoesNotLeadToASignatureIsRefused)
{
    auto proof = sealed_proof();
    proof.previous = to_base64url(sha256("another entry 6"));
    EXPECT_EQ(proof_code(proof), Code::malformed);

    proof = sealed_proof();
    proof.checkpoint.epoch = 2;
    EXPECT_EQ(proof_code(proof), Code::malformed);

    proof = sealed_proof();
    proof.checkpoint.proof.index = 0;
    EXPECT_EQ(proof_code(proof), Code::signature_invalid);

    for (const std::size_t root : {0U, 1U}) {
        proof = sealed_proof();
        auto& jws = proof.roots[root];
        auto& inside = jws[jws.size() - 10];
        inside = inside == 'A' ? 'B' : 'A';
        EXPECT_EQ(proof_code(proof), Code::signature_invalid);
    }
}

// [PRF-6]
TEST(EntryProof, IsBounded)
{
    auto proof = own_proof();
    proof.chain.assign(max_entry_proof_chain, {numbered_at, sha256("event")});
    sign_checkpoint(proof, home_key(), home);
    EXPECT_TRUE(judged(proof));
    proof.chain.push_back({numbered_at, sha256("event")});
    sign_checkpoint(proof, home_key(), home);
    EXPECT_EQ(proof_code(proof), Code::too_large);

    proof = own_proof();
    proof.keys.front().statements.assign(max_entry_proof_statements, "statement");
    EXPECT_TRUE(judged(proof));
    proof.keys.front().statements.push_back("statement");
    EXPECT_EQ(proof_code(proof), Code::malformed);

    auto text = write_entry_proof(own_proof());
    text.resize(max_entry_proof_octets, ' ');
    EXPECT_TRUE(parse_entry_proof(text, {}));
    text.push_back(' ');
    EXPECT_EQ(parse_entry_proof(text, {}).error().code, Code::too_large);
}

// [PRF-4]
TEST(EntryProof, OtherFormsAreMalformed)
{
    const auto text = write_entry_proof(sealed_proof());
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"entente-entry-proof", "entente-other-proof"},
             {R"("v":1,"channel")", R"("v":2,"channel")"},
             {R"("epoch":1,"seq":7)", R"("epoch":0,"seq":7)"},
             {R"("seq":7)", R"("seq":0)"},
             {R"("seq":7)", R"("seq":1)"},
             {R"("kty":"OKP")", R"("kty":"RSA")"},
             {R"("roots":[)", R"("roots":["x","y",)"},
             {R"("chain":[)", R"("chain":[7,)"},
             {R"("keys":[)", R"("keys":[{},)"}}) {
        const auto changed = replaced(text, from, to);
        ASSERT_NE(changed, text) << from;
        const auto read = parse_entry_proof(changed, {});
        ASSERT_FALSE(read) << to;
        EXPECT_EQ(read.error().code, Code::malformed) << to;
    }
}

// Everything that the report of a proof says.
std::set<std::string> claims(const EntryProof& proof, const ProvenEntry& proven)
{
    std::set<std::string> said;
    said.insert("place " + proof.channel.str() + " " + std::to_string(proof.epoch) + " " +
                std::to_string(proof.seq) + " " + std::to_string(proof.at) + " " + proven.hash);
    said.insert("event " + proof.event);
    said.insert("home " + proven.home.key.str() + " " + std::to_string(proven.home.at));
    if (proven.is_home_by_name) said.insert("by name");
    if (proven.author)
        said.insert("author " + proven.author->key.str() + " " + std::to_string(proven.author->at));
    if (proven.content_matches) said.insert("content " + *proof.content);
    return said;
}

RC_GTEST_PROP(EntryProof, AnAlteredOctetIsRefusedOrProvesNoMore, ())
{
    const auto proof = *rc::gen::arbitrary<bool>() ? sealed_proof() : own_proof();
    const auto right = claims(proof, *judged(proof));
    auto text = write_entry_proof(proof);
    const auto at = static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(text.size())));
    text[at] = static_cast<char>(text[at] ^ *rc::gen::inRange(1, 256));
    const auto read = parse_entry_proof(text, {});
    if (!read) return;
    const auto proven = verify_entry_proof(*read, {}, {});
    if (!proven) return;
    const auto said = claims(*read, *proven);
    RC_ASSERT(std::includes(right.begin(), right.end(), said.begin(), said.end()));
}

// Exhaustive over one bit of each octet: what a random walk may miss.
TEST(EntryProof, EveryFlippedBitIsRefusedOrProvesNoMore)
{
    const auto proof = sealed_proof();
    const auto right = claims(proof, *judged(proof));
    const auto text = write_entry_proof(proof);
    std::size_t refused = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto changed = text;
        changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 7)));
        ++refused;
        const auto read = parse_entry_proof(changed, {});
        if (!read) continue;
        const auto proven = verify_entry_proof(*read, {}, {});
        if (!proven) continue;
        --refused;
        const auto said = claims(*read, *proven);
        EXPECT_TRUE(std::includes(right.begin(), right.end(), said.begin(), said.end())) << changed;
    }
    EXPECT_GT(refused, text.size() * 9 / 10);
}

}  // namespace
}  // namespace entente::protocol
