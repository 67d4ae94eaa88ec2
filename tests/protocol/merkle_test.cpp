#include "protocol/merkle.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

// The leaves and hashes that implementations of RFC 6962 have shared since its first.
const std::vector<std::string>& reference_leaves()
{
    static const std::vector<std::string> leaves = [] {
        std::vector<std::string> made;
        for (const auto* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                                "606162636465666768696a6b6c6d6e6f"}) {
            made.push_back(from_hex(hex));
        }
        return made;
    }();
    return leaves;
}

MerkleTree reference_tree(std::size_t size)
{
    std::vector<Hash> leaves;
    for (std::size_t i = 0; i < size; ++i) leaves.push_back(merkle_leaf(reference_leaves()[i]));
    return MerkleTree{std::move(leaves)};
}

Hash hash_of(const char* hex)
{
    const std::string octets = from_hex(hex);
    Hash hash;
    std::copy(octets.begin(), octets.end(), hash.begin());
    return hash;
}

// Section 2.1 as it is written: split at the largest power of two below the size.
Hash root_by_definition(const std::vector<Hash>& leaves, std::size_t first, std::size_t size)
{
    if (size == 1) return leaves[first];
    std::size_t split = 1;
    while (split * 2 < size) split *= 2;
    return merkle_node(root_by_definition(leaves, first, split),
                       root_by_definition(leaves, first + split, size - split));
}

std::vector<Hash> some_leaves(std::size_t size)
{
    std::vector<Hash> leaves;
    for (std::size_t i = 0; i < size; ++i) leaves.push_back(merkle_leaf(std::to_string(i)));
    return leaves;
}

TEST(MerkleTree, HasTheReferenceRoots)
{
    const char* const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    for (std::size_t size = 0; size <= 8; ++size) {
        EXPECT_EQ(reference_tree(size).root(), hash_of(roots[size])) << size;
    }
}

TEST(MerkleTree, HasTheReferencePaths)
{
    const Hash pair_01 =
        hash_of("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    const Hash pair_23 =
        hash_of("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e");
    const Hash leaf_1 = hash_of("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
    const Hash leaf_4 = hash_of("bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
    const Hash pair_67 =
        hash_of("ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
    const Hash four = hash_of("d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
    const Hash upper = hash_of("6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
    EXPECT_EQ(reference_tree(1).path(0), std::vector<Hash>{});
    EXPECT_EQ(reference_tree(8).path(0), (std::vector<Hash>{leaf_1, pair_23, upper}));
    EXPECT_EQ(reference_tree(8).path(5), (std::vector<Hash>{leaf_4, pair_67, four}));
    EXPECT_EQ(reference_tree(3).path(2), (std::vector<Hash>{pair_01}));
    EXPECT_EQ(reference_tree(5).path(1),
              (std::vector<Hash>{merkle_leaf(reference_leaves()[0]), pair_23, leaf_4}));
}

// [EVT-11]
TEST(MerklePaths, OfOverlongTreesAreRefused)
{
    const Hash leaf = merkle_leaf("x");
    for (const std::size_t length : {std::size_t{32}, std::size_t{33}}) {
        Hash root = leaf;
        const std::vector<Hash> path(length, leaf);
        for (std::size_t i = 0; i < length; ++i) root = merkle_node(root, leaf);
        EXPECT_EQ(leads_to_root(leaf, 0, std::uint64_t{1} << length, path, root), length == 32);
    }
    EXPECT_FALSE(leads_to_root(leaf, 0, 0, {}, leaf));
    EXPECT_TRUE(leads_to_root(leaf, 0, 1, {}, leaf));
    EXPECT_FALSE(leads_to_root(leaf, 1, 1, {}, leaf));
}

// [EVT-11] Else one leaf could be shown at several places, or in trees of any size.
TEST(MerklePaths, HaveTheLengthOfTheirPlaceWhateverTheHashes)
{
    const Hash leaf = merkle_leaf("x");
    const Hash pair = merkle_node(leaf, leaf);
    EXPECT_TRUE(leads_to_root(leaf, 0, 2, {leaf}, pair));
    EXPECT_FALSE(leads_to_root(leaf, 0, 2, {}, leaf));
    EXPECT_FALSE(leads_to_root(leaf, 0, 1, {leaf}, pair));
    EXPECT_FALSE(leads_to_root(leaf, 0, 4, {leaf}, pair));
}

RC_GTEST_PROP(MerkleTree, HasTheRootOfTheDefinition, ())
{
    const auto size = *rc::gen::inRange<std::size_t>(1, 200);
    const auto leaves = some_leaves(size);
    RC_ASSERT(MerkleTree{leaves}.root() == root_by_definition(leaves, 0, size));
}

// [EVT-11]
RC_GTEST_PROP(MerklePaths, LeadToTheRootFromTheirOwnPlaceAlone, ())
{
    const auto size = *rc::gen::inRange<std::size_t>(1, 200);
    const auto leaves = some_leaves(size);
    const MerkleTree tree{leaves};
    const auto index = *rc::gen::inRange<std::size_t>(0, size);
    const auto path = tree.path(index);
    RC_ASSERT(leads_to_root(leaves[index], index, size, path, tree.root()));

    const auto other = *rc::gen::inRange<std::size_t>(0, size + 1);
    if (other != index) RC_ASSERT(!leads_to_root(leaves[index], other, size, path, tree.root()));
    auto longer = path;
    longer.push_back(leaves[0]);
    RC_ASSERT(!leads_to_root(leaves[index], index, size, longer, tree.root()));
    if (path.empty()) return;
    auto changed = path;
    changed[*rc::gen::inRange<std::size_t>(0, path.size())][0] ^= 1U;
    RC_ASSERT(!leads_to_root(leaves[index], index, size, changed, tree.root()));
    auto shorter = path;
    shorter.pop_back();
    RC_ASSERT(!leads_to_root(leaves[index], index, size, shorter, tree.root()));
}

}  // namespace
}  // namespace entente::protocol
