#include "protocol/proofs.hpp"

#include <gtest/gtest.h>

#include "protocol/slice.hpp"
#include "tests/protocol/log_support.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

const ServerName server = ServerName::trusted("a.example");

TEST(Leaves, TheirInputsAreThoseOfAnotherImplementation)
{
    const auto id = *hash_from_base64url(golden::event_id);
    const auto other = *hash_from_base64url(golden::content_id);
    EXPECT_EQ(hex(sha256(seal_leaf(golden::channel, {id, other}))),
              "450b3d60bd25047b0bf1b16df50450453a4e55c2a15af4ddf534ad3bd943ceff");
    EXPECT_EQ(hex(sha256(checkpoint_leaf(golden::channel, 1, 42, golden::entry_42))),
              "09127d2449a62e373f435ec24fcdf239a8c8c6d2fa7807cf74b5931793695de2");
    EXPECT_EQ(hex(sha256(snapshot_leaf(golden::channel, 1, 42, golden::entry_42, 1763683200456,
                                       *hash_from_base64url(golden::state_id)))),
              "d85b915811f44acfc47de52905debfe379a948b59e07f89db80ef3076af6d3b9");
}

TEST(EntryHash, IsThatOfAnotherImplementation)
{
    const auto id = *hash_from_base64url(golden::event_id);
    EXPECT_EQ(entry_hash(golden::channel, 1, 1, 1763683200456, "", id), golden::entry_1);
    EXPECT_EQ(entry_hash(golden::channel, 2, 42, 1763683200456, golden::entry_1, id),
              golden::entry_42);
}

TEST(SignedRoot, CarriesTheRootOfItsLeaves)
{
    const auto key = key_from(1);
    RootBuilder builder;
    EXPECT_TRUE(builder.empty());
    EXPECT_EQ(builder.add("a"), 0U);
    EXPECT_EQ(builder.add("b"), 1U);
    EXPECT_EQ(builder.add("c"), 2U);
    const auto made = builder.sign(key, server, 1763683200456);
    const auto root = parse_signed_root(made.jws, {});
    ASSERT_TRUE(root) << root.error().detail;
    // python: node(node(leaf a, leaf b), leaf c)
    EXPECT_EQ(to_base64url(root->root), "NmQuc8JUCrEh46a_lUWwokmCzYMOsT080Z3jzmwCHsE");
    EXPECT_EQ(root->size, 3U);
    EXPECT_EQ(root->at, 1763683200456);
    EXPECT_EQ(root->jws.key.server, server);
    EXPECT_TRUE(verifies(root->jws, key.public_key()));
    EXPECT_FALSE(verifies(root->jws, key_from(2).public_key()));
}

// [EVT-11]
TEST(SignedRoot, ProvesItsLeavesAndNoOthers)
{
    RootBuilder builder;
    for (int i = 0; i < 7; ++i) builder.add("leaf " + std::to_string(i));
    const auto made = builder.sign(key_from(1), server, 1);
    const auto root = *parse_signed_root(made.jws, {});
    ASSERT_EQ(made.paths.size(), 7U);
    for (std::size_t i = 0; i < 7; ++i) {
        Proof proof{0, i, made.paths[i]};
        EXPECT_TRUE(proves(root, proof, "leaf " + std::to_string(i)));
        EXPECT_FALSE(proves(root, proof, "leaf 9"));
        proof.index = i + 1;
        EXPECT_FALSE(proves(root, proof, "leaf " + std::to_string(i)));
        proof.index = i;
        proof.path.push_back(Hash{});
        EXPECT_FALSE(proves(root, proof, "leaf " + std::to_string(i)));
    }
}

// [EVT-10]
TEST(SignedRoot, OtherTypesAndPayloadsAreMalformed)
{
    const auto key = key_from(1);
    const auto code = [&](std::string_view type, std::string_view payload) {
        const auto root = parse_signed_root(make_jws(key, server, type, payload), {});
        return root ? Code::internal : root.error().code;
    };
    const std::string hash = R"("root":"NmQuc8JUCrEh46a_lUWwokmCzYMOsT080Z3jzmwCHsE")";
    EXPECT_EQ(code("entente-root", "{" + hash + R"(,"size":1,"at":0,"new":[]})"), Code::internal);
    EXPECT_EQ(code("entente-rotation", "{" + hash + R"(,"size":1,"at":0})"), Code::malformed);
    EXPECT_EQ(code("entente-root", "{" + hash + R"(,"size":0,"at":0})"), Code::malformed);
    EXPECT_EQ(code("entente-root", "{" + hash + R"(,"size":1})"), Code::malformed);
    EXPECT_EQ(code("entente-root", "{" + hash + R"(,"size":1,"at":-1})"), Code::malformed);
    EXPECT_EQ(code("entente-root", R"({"root":"x","size":1,"at":0})"), Code::malformed);
    EXPECT_EQ(code("entente-root", R"([])"), Code::malformed);
    EXPECT_FALSE(parse_signed_root("a.b.c", {}));
}

// [LOG-2]
TEST(SliceStatus, EveryOneHasATextThatLeadsBack)
{
    for (int i = 0; i <= static_cast<int>(SliceStatus::refused); ++i) {
        const auto status = static_cast<SliceStatus>(i);
        EXPECT_EQ(slice_status_from(to_text(status)), status);
    }
    EXPECT_EQ(slice_status_from("need_keys"), std::nullopt);
    EXPECT_EQ(to_text(SliceStatus::need_keys), "need-keys");
}

}  // namespace
}  // namespace entente::protocol
