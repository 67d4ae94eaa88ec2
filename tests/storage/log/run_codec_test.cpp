// A run's two blobs: what is written is read again, and a damaged one is an error, never
// an entry that nobody wrote.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "storage/run_codec.hpp"

namespace entente::storage {
namespace {

using protocol::Entry;
using protocol::Hash;
using protocol::Proof;

rc::Gen<Hash> hashes()
{
    return rc::gen::map(
        rc::gen::container<std::vector<std::uint8_t>>(32, rc::gen::arbitrary<std::uint8_t>()),
        [](const std::vector<std::uint8_t>& octets) {
            Hash hash{};
            std::copy(octets.begin(), octets.end(), hash.begin());
            return hash;
        });
}

std::int64_t some_number()
{
    return *rc::gen::inRange<std::int64_t>(0, (std::int64_t{1} << 53));
}

Entry some_entry()
{
    Entry entry;
    entry.at = some_number();
    entry.event = *rc::gen::string<std::string>();
    switch (*rc::gen::inRange(0, 3)) {
        case 0: entry.content = *rc::gen::string<std::string>(); break;
        case 1: entry.deleted_by = some_number(); break;
        default: entry.expired = true; break;
    }
    entry.marks = static_cast<std::uint8_t>(*rc::gen::inRange(0, 256) & stored_marks);
    return entry;
}

std::string encode_entries(const std::vector<Entry>& entries)
{
    std::string body;
    for (const auto& entry : entries) append_entry(body, entry);
    return body;
}

Proof some_proof(std::size_t roots)
{
    Proof proof;
    proof.root = *rc::gen::inRange<std::size_t>(0, roots);
    proof.index = static_cast<std::uint64_t>(some_number());
    proof.path = *rc::gen::container<std::vector<Hash>>(hashes());
    return proof;
}

RunProofs some_proofs()
{
    RunProofs proofs;
    proofs.roots = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::string>>(rc::gen::string<std::string>()));
    const auto seals = *rc::gen::inRange(0, 4);
    for (int i = 0; i < seals; ++i)
        proofs.seals.push_back(
            {*rc::gen::container<std::vector<Hash>>(hashes()), some_proof(proofs.roots.size())});
    if (*rc::gen::arbitrary<bool>()) {
        protocol::Checkpoint checkpoint;
        checkpoint.epoch = some_number();
        checkpoint.seq = some_number();
        checkpoint.hash = *rc::gen::string<std::string>();
        checkpoint.proof = some_proof(proofs.roots.size());
        proofs.checkpoint = checkpoint;
    }
    return proofs;
}

std::vector<Entry> some_entries()
{
    std::vector<Entry> entries;
    const auto count = *rc::gen::inRange(0, 6);
    for (int i = 0; i < count; ++i) entries.push_back(some_entry());
    return entries;
}

TEST(RunCodec, EntriesAreReadAsTheyWereWritten)
{
    EXPECT_TRUE(rc::check([] {
        const auto entries = some_entries();
        const auto read = decode_entries(encode_entries(entries));
        RC_ASSERT(read.has_value());
        RC_ASSERT(*read == entries);
    }));
}

// [LOG-9]
TEST(RunCodec, ProofsAreReadAsTheyWereWritten)
{
    EXPECT_TRUE(rc::check([] {
        const auto proofs = some_proofs();
        const auto read = decode_proofs(encode_proofs(proofs));
        RC_ASSERT(read.has_value());
        RC_ASSERT(read->roots == proofs.roots);
        RC_ASSERT(read->seals == proofs.seals);
        RC_ASSERT(read->checkpoint == proofs.checkpoint);
    }));
}

// The empty prefix and one that ends between two entries are whole bodies of fewer.
TEST(RunCodec, ABodyCutShortIsDamagedOrHoldsFewerEntries)
{
    EXPECT_TRUE(rc::check([] {
        const auto entries = some_entries();
        const auto body = encode_entries(entries);
        RC_PRE(!body.empty());
        const auto read = decode_entries(
            std::string_view(body).substr(0, *rc::gen::inRange<std::size_t>(0, body.size())));
        if (!read) {
            RC_ASSERT(read.error().code == Code::internal);
        } else {
            RC_ASSERT(read->size() < entries.size());
            RC_ASSERT(std::equal(read->begin(), read->end(), entries.begin()));
        }
    }));
}

TEST(RunCodec, ProofsCutShortOrWithSomethingBehindThemAreDamaged)
{
    EXPECT_TRUE(rc::check([] {
        const auto blob = encode_proofs(some_proofs());
        const auto cut = decode_proofs(
            std::string_view(blob).substr(0, *rc::gen::inRange<std::size_t>(0, blob.size())));
        RC_ASSERT(!cut.has_value());
        RC_ASSERT(cut.error().code == Code::internal);
        RC_ASSERT(!decode_proofs(blob + "x").has_value());
    }));
}

TEST(RunCodec, ArbitraryOctetsNeverDoMoreThanFail)
{
    EXPECT_TRUE(rc::check([](const std::string& octets) {
        const auto entries = decode_entries(octets);
        if (!entries) RC_ASSERT(entries.error().code == Code::internal);
        const auto proofs = decode_proofs(octets);
        if (!proofs) RC_ASSERT(proofs.error().code == Code::internal);
        if (proofs) {
            for (const auto& seal : proofs->seals)
                RC_ASSERT(seal.proof.root < proofs->roots.size());
        }
    }));
}

TEST(RunCodec, AnUnknownKindOfEntryIsDamage)
{
    EXPECT_FALSE(decode_entries(std::string("\x01\x03\x01x", 4)));
    EXPECT_TRUE(decode_entries(std::string("\x01\x02\x01x", 4)));
    EXPECT_FALSE(decode_entries(std::string("\x01\x43\x01\x01x", 5)));
    EXPECT_FALSE(decode_entries(std::string("\x01\x42", 2)));
}

TEST(RunCodec, AnEntryWithoutMarksIsWrittenAsItAlwaysWas)
{
    Entry entry;
    entry.at = 1;
    entry.event = "x";
    entry.expired = true;
    std::string body;
    append_entry(body, entry);
    EXPECT_EQ(body, std::string("\x01\x02\x01x", 4));
    entry.marks = protocol::bit(protocol::Mark::no_effect);
    body.clear();
    append_entry(body, entry);
    EXPECT_EQ(body, std::string("\x01\x42\x08\x01x", 5));
}

TEST(RunCodec, WhatOnlyWhoReadsCanFindIsNotStored)
{
    Entry entry;
    entry.event = "x";
    entry.expired = true;
    entry.marks = protocol::bit(protocol::Mark::unverified);
    std::string body;
    append_entry(body, entry);
    EXPECT_EQ(decode_entries(body).value().at(0).marks, 0);
}

TEST(RunCodec, AProofOfARootThatIsNotThereIsDamage)
{
    RunProofs proofs;
    proofs.roots = {"one"};
    proofs.seals.push_back({{Hash{}}, Proof{1, 0, {}}});
    EXPECT_FALSE(decode_proofs(encode_proofs(proofs)));
    proofs.seals[0].proof.root = 0;
    EXPECT_TRUE(decode_proofs(encode_proofs(proofs)));
}

TEST(RunCodec, ARootIsKeptOnce)
{
    RunProofs proofs;
    EXPECT_EQ(proofs.root_index("one"), 0U);
    EXPECT_EQ(proofs.root_index("two"), 1U);
    EXPECT_EQ(proofs.root_index("one"), 0U);
    EXPECT_EQ(proofs.roots.size(), 2U);
}

}  // namespace
}  // namespace entente::storage
