// What becomes of the word of a key that is revoked: nothing new is taken under it, and what
// stands in a log stays.
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;
using protocol::SliceStatus;

class KeyStatusTest : public ::testing::Test {
 protected:
    KeyStatusTest() : channel(shared_channel(a, b)) {}

    EventAndContent message()
    {
        return b.event(channel, {"message.create", "bob@b.example", R"({"text":"hello"})"});
    }
    // `at` holds b's key as revoked just now.
    void revoke_bs_key(Server& at)
    {
        const auto now = servers.world.clock.now_ms();
        for (auto& pin : at.pins) {
            if (pin.server != b.identity.name) continue;
            for (auto& key : pin.keys) {
                key.status = trust::KeyStatus::revoked;
                key.until = now;
                key.revoked_at = now;
            }
        }
        at.restart();
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
};

// [KEY-7] [KEY-9] A thief would back-date.
TEST_F(KeyStatusTest, AHomeTakesNothingNewUnderARevokedKeyWhateverTimeItsRootClaims)
{
    const auto before = a.image(channel)->seq;
    revoke_bs_key(a);
    for (const Millis ago : {Millis{0}, Millis{1'800'000}}) {
        const auto result =
            a.receive(b, submission(b, channel, {message()}, ago)).submissions.at(0).events.at(0);
        EXPECT_EQ(result.status, ItemStatus::rejected);
        ASSERT_TRUE(result.problem);
        EXPECT_EQ(result.problem->code, Code::key_revoked);
    }
    EXPECT_EQ(a.image(channel)->seq, before);
}

// [KEY-7]
TEST_F(KeyStatusTest, AFollowerTakesEntriesUnderAKeyThatIsRevokedByNow)
{
    const auto open = a.create("alice", "all", true);
    ASSERT_TRUE(b.world.run(b.channels->join(b.actor("bob"), open)));
    ASSERT_TRUE(exchange(b, a));
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), open)));
    ASSERT_TRUE(exchange(c, a));
    ASSERT_EQ(hand_in(b, a, open,
                      {b.event(open, {"message.create", "bob@b.example", R"({"text":"hello"})"})})
                  .at(0)
                  .status,
              ItemStatus::accepted);
    revoke_bs_key(c);
    EXPECT_EQ(deliver(a, c, slice(a, open, 0, all_entries)).status, SliceStatus::ok);
    EXPECT_EQ(c.image(open)->hash, a.image(open)->hash);
    EXPECT_EQ(c.image(open)->state, a.image(open)->state);
}

}  // namespace
}  // namespace entente::federation::log_rig
