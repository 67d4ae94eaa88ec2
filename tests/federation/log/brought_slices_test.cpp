// What another server than the home can do with a slice that the home has signed: bring a
// follower further, and nothing else [SUC-6, LOG-3, KEY-7].
#include "tests/federation/log/succession_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::OutgoingTransaction;
using protocol::SliceResult;
using protocol::SliceStatus;

class BroughtSlices : public SuccessionTest {
 protected:
    BroughtSlices()
    {
        EXPECT_TRUE(a.post("alice", channel, "one"));
        rest();
        held = row(b).seq;
    }

    // By c.example, which has a member.
    SliceResult bring(Server& to, const OutgoingTransaction& made)
    {
        return to.receive(c, made).logs.at(0);
    }

    std::int64_t held = 0;
};

// [SUC-6]
TEST_F(BroughtSlices, SayNothingOfWhoHoldsWhat)
{
    ASSERT_TRUE(a.post("alice", channel, "two"));
    constexpr std::int64_t beyond = 9'000'000'000;
    auto made = slice(a, channel, held - 1, all_entries);
    made.logs[0].latest = beyond;
    made.logs[0].acks = {{"a.example", beyond}, {"b.example", beyond}, {"c.example", beyond}};
    EXPECT_EQ(bring(b, made).status, SliceStatus::ok);
    EXPECT_EQ(bring(a, made).status, SliceStatus::ok);
    EXPECT_EQ(a.cursor(channel, b)->seq, held);
    ASSERT_TRUE(b.cursor(channel, c));
    EXPECT_LE(b.cursor(channel, c)->seq, held);
    ASSERT_TRUE(a.post("alice", channel, "three"));
    rest();
    EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
    EXPECT_EQ(texts(b), (std::vector<std::string>{"one", "two", "three"}));
}

// [SUC-6] [LOG-4]
TEST_F(BroughtSlices, OfAnotherHistoryFreezeAFollowerAndNotTheHome)
{
    const auto refused = bring(a, rewritten(a, channel, held - 2));
    EXPECT_EQ(refused.status, SliceStatus::refused);
    ASSERT_TRUE(refused.problem);
    EXPECT_EQ(refused.problem->code, Code::equivocation);
    EXPECT_FALSE(a.image(channel)->frozen);
    EXPECT_TRUE(a.post("alice", channel, "two"));
    EXPECT_EQ(bring(b, rewritten(a, channel, held - 2)).status, SliceStatus::fork);
}

// [SUC-6] [MEM-4] The home's signature doesn't cover contents.
TEST_F(BroughtSlices, LackNoContentButWhatTheyShowToBeDeleted)
{
    const auto message = a.event(channel, {"message.create", "alice@a.example", hello});
    ASSERT_TRUE(a.append(message));
    const auto whole = slice(a, channel, held, all_entries);
    auto made = whole;
    made.logs[0].entries.at(0).content.reset();
    for (const std::int64_t by : {std::int64_t{0}, held, held + 2, held + 9'000}) {
        made.logs[0].entries[0].deleted_by = by;
        EXPECT_EQ(bring(b, made).status, SliceStatus::refused) << by;
    }
    made.logs[0].entries[0].deleted_by = 0;
    made.logs[0].entries[0].expired = true;
    EXPECT_EQ(bring(b, made).status, SliceStatus::refused);
    EXPECT_EQ(row(b).seq, held);

    // Of what is deleted nobody has a content.
    ASSERT_TRUE(a.append(a.event(channel, {"message.delete", "alice@a.example", "{}", std::nullopt,
                                           a.entries(channel, held).at(0).event_id})));
    made = slice(a, channel, held, all_entries);
    ASSERT_FALSE(made.logs[0].entries.at(0).content);
    EXPECT_EQ(made.logs[0].entries[0].deleted_by, held + 2);
    EXPECT_EQ(bring(b, made).status, SliceStatus::ok);
    EXPECT_EQ(row(b).seq, held + 2);
}

// [MEM-4] What the home itself leaves out is marked, where nothing says by whose right.
TEST_F(BroughtSlices, OfTheHomeMayLackContentsAndThatIsMarked)
{
    ASSERT_TRUE(a.post("alice", channel, "two"));
    auto made = slice(a, channel, held, all_entries);
    made.logs[0].entries.at(0).content.reset();
    made.logs[0].entries[0].deleted_by = 9'000'000;
    EXPECT_EQ(deliver(a, b, made).status, SliceStatus::ok);
    const auto marks = b.entries(channel, held).at(0).entry.marks;
    EXPECT_EQ(marks, protocol::bit(protocol::Mark::withheld));
}

// [SUC-6] [KEY-7]
TEST_F(BroughtSlices, UnderAKeyOfTheHomesThatWasRevokedProveNothing)
{
    ASSERT_TRUE(a.post("alice", channel, "stolen"));
    const auto made = slice(a, channel, held, all_entries);
    const auto newest = made.logs[0].entries.back().at;
    const auto revoke_at = [&](Millis when) {
        auto pinned = *b.ring->find(a.identity.name);
        pinned.keys[0].status = trust::KeyStatus::revoked;
        pinned.keys[0].revoked_at = when;
        b.ring->load(pinned);
    };
    revoke_at(newest);
    const auto refused = bring(b, made);
    EXPECT_EQ(refused.status, SliceStatus::refused);
    EXPECT_EQ(row(b).seq, held);
    // What is older than the revocation counts for ever.
    revoke_at(servers.world.clock.now_ms() + 1);
    EXPECT_EQ(bring(b, made).status, SliceStatus::ok);
    EXPECT_EQ(row(b).seq, held + 1);
}

// [SUC-6] [KEY-7]
TEST_F(BroughtSlices, UnderAnOwnKeyThatWasRevokedAddNothingToAnOwnLog)
{
    // Who has stolen the key goes on with the log that it knows.
    auto made = slice(a, channel, held - 1, all_entries);
    auto& entries = made.logs[0].entries;
    entries.push_back(entries.back());
    const auto forged = a.event(channel, {"message.create", "alice@a.example", hello});
    entries.back().event = forged.event;
    entries.back().content = forged.content;
    rechain(made.logs[0]);
    sign_anew(a, made);
    const auto now = servers.world.clock.now_ms();
    a.identity.old_keys.push_back({a.identity.key.public_key(), 0, now, now});
    a.identity.key = protocol::SigningKey::generate(servers.world.random);
    EXPECT_EQ(bring(a, made).status, SliceStatus::refused);
    EXPECT_EQ(row(a).seq, held);
}

}  // namespace
}  // namespace entente::federation::log_rig
