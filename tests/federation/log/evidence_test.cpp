// What a frozen channel keeps, so that others can judge: the evidence of a fork, and of an
// event that somebody else sealed with our key [LOG-4, LOG-11].
#include "federation/log/evidence.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::LogAnswer;
using protocol::OutgoingTransaction;
using protocol::SliceStatus;

class Evidence : public ::testing::Test {
 protected:
    Evidence() : channel(shared_channel(a, b))
    {
        for (int i = 0; i < 5; ++i) {
            EXPECT_TRUE(a.post("alice", channel, "one"));
            settle_all(a, b);
        }
    }

    [[nodiscard]] std::vector<storage::EvidenceRow> kept()
    {
        return b
            .read([&](storage::Connection& db) -> Result<std::vector<storage::EvidenceRow>> {
                auto row = storage::read_channel(db, channel);
                if (!row) return fail(row);
                return storage::evidence_of(db, row->id);
            })
            .value();
    }
    bool thaw()
    {
        return b
            .write([&](storage::WriteTransaction& transaction) {
                return b.follower->thaw(transaction, channel);
            })
            .value();
    }
    // As a third party reads it: the entry hashes lead to a checkpoint of the home's.
    void expect_proven(const std::string& text, LogAnswer& answer)
    {
        auto read = protocol::parse_log_answer(text, b.identity.names);
        ASSERT_TRUE(read) << read.error().detail;
        answer = std::move(*read);
        auto again = answer.slice;
        rechain(again);
        EXPECT_EQ(again.checkpoint.hash, answer.slice.checkpoint.hash);
        const auto& checkpoint = answer.slice.checkpoint;
        auto root =
            protocol::parse_signed_root(answer.roots.at(checkpoint.proof.root), b.identity.names);
        ASSERT_TRUE(root);
        EXPECT_TRUE(protocol::verifies(root->jws, a.identity.key.public_key()));
        EXPECT_TRUE(protocol::proves(
            *root, checkpoint.proof,
            protocol::checkpoint_leaf(channel, checkpoint.epoch, checkpoint.seq, checkpoint.hash)));
        for (const auto& entry : answer.slice.entries) EXPECT_FALSE(entry.content);
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
};

// [LOG-4]
TEST_F(Evidence, OfAForkBothHistoriesAreKeptAndProveThemselves)
{
    const auto end = b.image(channel)->seq;
    ASSERT_EQ(deliver(a, b, rewritten(a, channel, end - 3)).status, SliceStatus::fork);
    EXPECT_EQ(b.fork_kinds, std::vector<std::string>{"fork"});
    b.restart();
    const auto rows = kept();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].kind, "fork");
    EXPECT_EQ(rows[0].home, a.identity.name);
    EXPECT_EQ(rows[0].seq, end - 2);
    LogAnswer held, shown;
    expect_proven(rows[0].held, held);
    expect_proven(rows[0].shown, shown);
    // At the seq where they part each shows another hash.
    EXPECT_EQ(held.slice.after.seq, end - 3);
    EXPECT_EQ(held.slice.after.hash, shown.slice.after.hash);
    EXPECT_NE(held.slice.entries.front().at, shown.slice.entries.front().at);
}

TEST_F(Evidence, OfAnAnchorThatNeverWasTheHeldOneIsKept)
{
    const auto end = b.image(channel)->seq;
    auto made = slice(a, channel, end, all_entries);
    made.logs[0].after.hash = protocol::to_base64url(Hash{});
    rechain(made.logs[0]);
    sign_anew(a, made);
    ASSERT_EQ(deliver(a, b, made).status, SliceStatus::fork);
    ASSERT_EQ(kept().size(), 1U);
    LogAnswer held;
    expect_proven(kept()[0].held, held);
    EXPECT_EQ(held.slice.checkpoint.seq, end);
}

// Found by the simulation: a home that was put back to before somebody left, and has gone on.
// [LOG-4]
TEST_F(Evidence, ALogThatIsNotTheOneThatWasLeftIsAFork)
{
    const auto left = hand_in(b, a, channel, {b.event(channel, {"member.leave", "bob@b.example"})});
    ASSERT_EQ(left.at(0).status, protocol::ItemStatus::accepted);
    settle_all(a, b);
    const auto end = b.image(channel)->seq;
    ASSERT_EQ(end, a.image(channel)->seq);
    EXPECT_EQ(deliver(a, b, slice(a, channel, end - 3, all_entries)).status,
              SliceStatus::not_following);
    EXPECT_EQ(deliver(a, b, rewritten(a, channel, end)).status, SliceStatus::not_following);
    EXPECT_FALSE(b.image(channel)->frozen);

    EXPECT_EQ(deliver(a, b, rewritten(a, channel, end - 3)).status, SliceStatus::fork);
    EXPECT_TRUE(b.image(channel)->frozen);
    ASSERT_EQ(kept().size(), 1U);
    EXPECT_EQ(kept()[0].seq, end - 2);
    EXPECT_EQ(b.fork_kinds, std::vector<std::string>{"fork"});
}

// [LOG-4]
TEST_F(Evidence, AnAdministratorLetsTheChannelGoOnBehindWhatIsHeld)
{
    const auto before = *b.image(channel);
    ASSERT_EQ(deliver(a, b, rewritten(a, channel, before.seq - 1)).status, SliceStatus::fork);
    ASSERT_TRUE(a.post("alice", channel, "more"));
    EXPECT_EQ(deliver(a, b, slice(a, channel, before.seq, all_entries)).status, SliceStatus::fork);
    EXPECT_TRUE(thaw());
    EXPECT_FALSE(thaw());
    EXPECT_EQ(b.thawed, std::vector<std::string>{channel.str()});
    EXPECT_EQ(deliver(a, b, slice(a, channel, before.seq, all_entries)).status, SliceStatus::ok);
    EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
}

TEST_F(Evidence, OfOneChannelNoMoreIsKeptThanProves)
{
    for (std::int64_t i = 0; i < storage::max_evidence_per_channel + 2; ++i) {
        ASSERT_EQ(deliver(a, b, rewritten(a, channel, b.image(channel)->seq - 1)).status,
                  SliceStatus::fork);
        ASSERT_EQ(static_cast<std::int64_t>(kept().size()),
                  std::min(i + 1, storage::max_evidence_per_channel));
        ASSERT_TRUE(thaw());
    }
}

// [LOG-11]
TEST_F(Evidence, AnEventInOurUsersNameThatSomebodyElseSealedFreezesTheChannel)
{
    const auto before = *b.image(channel);
    const auto forged = b.event(channel, {"message.create", "bob@b.example", hello});
    const auto taken = a.receive(b, sealed(b, channel, {forged}));
    ASSERT_EQ(taken.submissions.at(0).events.at(0).status, protocol::ItemStatus::accepted);
    EXPECT_EQ(deliver(a, b, slice(a, channel, before.seq, all_entries)).status, SliceStatus::fork);
    EXPECT_EQ(b.fork_kinds, std::vector<std::string>{"unsealed"});
    EXPECT_TRUE(b.image(channel)->frozen);
    EXPECT_EQ(b.image(channel)->hash, before.hash);
    ASSERT_EQ(kept().size(), 1U);
    EXPECT_EQ(kept()[0].seq, before.seq + 1);
    LogAnswer shown;
    expect_proven(kept()[0].shown, shown);
    EXPECT_EQ(shown.slice.entries.front().event, forged.event);
    EXPECT_EQ(shown.slice.seals.size(), 1U);
    // Who lets it go on believes what was sealed so far.
    servers.world.clock.now += 1;
    ASSERT_TRUE(thaw());
    EXPECT_EQ(deliver(a, b, slice(a, channel, before.seq, all_entries)).status, SliceStatus::ok);
    const auto later = b.event(channel, {"message.create", "bob@b.example", hello});
    const auto after = b.image(channel)->seq;
    ASSERT_EQ(a.receive(b, sealed(b, channel, {later})).submissions.at(0).events.at(0).status,
              protocol::ItemStatus::accepted);
    EXPECT_EQ(deliver(a, b, slice(a, channel, after, all_entries)).status, SliceStatus::fork);
}

// [LOG-11] What a thief dates back to before that is believed nowhere else.
TEST_F(Evidence, ToLetOneChannelGoOnChangesNothingInOthers)
{
    const auto other = shared_channel(a, b);
    const auto before = *b.image(other);
    const auto forged = b.event(other, {"message.create", "bob@b.example", hello});
    ASSERT_EQ(a.receive(b, sealed(b, other, {forged})).submissions.at(0).events.at(0).status,
              protocol::ItemStatus::accepted);
    ASSERT_EQ(deliver(a, b, rewritten(a, channel, b.image(channel)->seq - 1)).status,
              SliceStatus::fork);
    servers.world.clock.now += 1;
    ASSERT_TRUE(thaw());
    EXPECT_EQ(deliver(a, b, slice(a, other, before.seq, all_entries)).status, SliceStatus::fork);
}

// [LOG-20]
TEST_F(Evidence, WhatWasSealedBeforeOurMemoryBeganIsNotCalledForged)
{
    const auto before = *b.image(channel);
    const auto old = b.event(channel, {"message.create", "bob@b.example", hello});
    ASSERT_EQ(a.receive(b, sealed(b, channel, {old})).submissions.at(0).events.at(0).status,
              protocol::ItemStatus::accepted);
    servers.world.clock.now += 1000;
    ASSERT_TRUE(b.write([&](storage::WriteTransaction& transaction) {
        return storage::set_fact(transaction.db(), sealed_since_fact,
                                 std::to_string(servers.world.clock.now));
    }));
    b.restart();
    EXPECT_EQ(deliver(a, b, slice(a, channel, before.seq, all_entries)).status, SliceStatus::ok);
}

TEST_F(Evidence, OurOwnEventsComeBackHoweverOftenTheyAreSent)
{
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(b.post("bob", channel, "mine"));
    ASSERT_TRUE(exchange(b, a));
    const auto held = b.image(channel)->seq;
    EXPECT_EQ(deliver(a, b, slice(a, channel, held, 2)).status, SliceStatus::ok);
    b.restart();
    EXPECT_EQ(deliver(a, b, slice(a, channel, held, all_entries)).status, SliceStatus::ok);
    EXPECT_EQ(deliver(a, b, slice(a, channel, held, all_entries)).status, SliceStatus::ok);
    EXPECT_TRUE(b.forked.empty());
}

}  // namespace
}  // namespace entente::federation::log_rig
