// Proofs of entries made at the home and at a follower, judged by nothing but their text.
#include "federation/log/log_proof.hpp"

#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

struct ProofTest : ::testing::Test {
    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel = shared_channel(a, b, "all");

    static Result<protocol::EntryProof> prove(Server& server, const ChannelId& channel,
                                              std::int64_t seq, bool with_content = false)
    {
        LogProver prover({server.identity, *server.ring, *server.commits, server.world.clock});
        return server.world.run(prover.prove(channel, seq, with_content));
    }
    static Result<protocol::ProvenEntry> judged(const protocol::EntryProof& proof,
                                                const std::vector<KeyRef>& given)
    {
        auto read = protocol::parse_entry_proof(protocol::write_entry_proof(proof), {});
        if (!read) return fail(read);
        return protocol::verify_entry_proof(*read, given, {});
    }
    [[nodiscard]] std::vector<KeyRef> keys() const
    {
        return {a.identity.key_ref(), b.identity.key_ref()};
    }
    std::int64_t newest(Server& server) { return server.image(channel)->seq; }
};

// [LOG-9]
TEST_F(ProofTest, EveryEntryIsProvenByHomeAndFollower)
{
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(a.post("alice", channel, "from a " + std::to_string(i)));
        ASSERT_TRUE(b.post("bob", channel, "from b " + std::to_string(i)));
        if (i != 2) settle_all(a, b);
    }
    ASSERT_EQ(newest(a), newest(b));
    int sealed = 0;
    for (std::int64_t seq = 1; seq <= newest(a); ++seq) {
        const auto stored = a.entries(channel, seq - 1).front();
        for (auto* server : {&a, &b}) {
            const auto proof = prove(*server, channel, seq, true);
            ASSERT_TRUE(proof) << proof.error().detail;
            const auto proven = judged(*proof, keys());
            ASSERT_TRUE(proven) << proven.error().detail;
            EXPECT_EQ(proven->followed.event.id, stored.event_id);
            EXPECT_EQ(proof->at, stored.entry.at);
            EXPECT_TRUE(proven->home.is_given);
            EXPECT_EQ(proven->home.key.server, a.identity.name);
            EXPECT_TRUE(proven->content_matches);
            const bool is_bobs = proven->followed.event.sender.server == b.identity.name;
            EXPECT_EQ(proven->author.has_value(), is_bobs);
            if (is_bobs) ++sealed;
            if (server == &a) {
                EXPECT_TRUE(proof->chain.empty());
            }
        }
    }
    EXPECT_GE(sealed, 2 * 5);
}

// [PRF-1]
TEST_F(ProofTest, AFollowersProofHasAChainToTheCheckpointBehindTheEntry)
{
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(a.post("alice", channel, std::to_string(i)));
    const auto before = newest(b);
    settle_all(a, b);
    const auto proof = prove(b, channel, before + 1);
    ASSERT_TRUE(proof) << proof.error().detail;
    EXPECT_FALSE(proof->chain.empty());
    EXPECT_TRUE(judged(*proof, keys()));
    EXPECT_FALSE(proof->content);
    const auto last = prove(b, channel, newest(b));
    ASSERT_TRUE(last);
    EXPECT_TRUE(last->chain.empty());
}

TEST_F(ProofTest, WhatIsNotHeldIsNotProven)
{
    EXPECT_EQ(prove(a, channel, newest(a) + 1).error().code, Code::not_found);
    const auto unknown = ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example");
    EXPECT_EQ(prove(a, unknown, 1).error().code, Code::not_found);
    const auto since = shared_channel(a, b);
    ASSERT_TRUE(a.post("alice", since, "behind the floor"));
    settle_all(a, b);
    const auto floor = b.image(since)->floor;
    ASSERT_GT(floor, 0);
    EXPECT_EQ(prove(b, since, floor).error().code, Code::not_found);
    EXPECT_TRUE(prove(b, since, floor + 1));
}

TEST_F(ProofTest, TheContentIsInItOnlyWhereItIsAskedFor)
{
    const auto posted = a.post("alice", channel, "hello");
    ASSERT_TRUE(posted);
    EXPECT_TRUE(prove(a, channel, posted->seq, true)->content);
    EXPECT_FALSE(prove(a, channel, posted->seq, false)->content);
}

TEST_F(ProofTest, AnUnknownKeyIsSaid)
{
    ASSERT_TRUE(b.post("bob", channel, "sealed"));
    settle_all(a, b);
    const auto seq = newest(a);
    const trust::KeyRing nobody;
    LogProver prover({a.identity, nobody, *a.commits, a.world.clock});
    const auto proof = a.world.run(prover.prove(channel, seq, false));
    ASSERT_FALSE(proof);
    EXPECT_EQ(proof.error().code, Code::key_unavailable);
}

}  // namespace
}  // namespace entente::federation::log_rig
