// What is looked at before anything of a slice or a page is touched.
#include "federation/channels/channel_changes.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::SliceStatus;

class FollowerChecks : public ::testing::Test {
 protected:
    FollowerChecks() : channel(shared_channel(a, b)) {}

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
};

// As where the server was put back, and the device was not.
TEST_F(FollowerChecks, WhoReadsOnFromBeyondTheEndIsToldSo)
{
    const auto page = [&](std::int64_t after) {
        return b.world.run(b.channels->page_after(b.user("bob"), channel, after, {}));
    };
    const auto end = b.image(channel)->seq;
    EXPECT_TRUE(page(end));
    const auto beyond = page(end + 1);
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, Code::conflict);
}

// [INBOX-2]
TEST_F(FollowerChecks, ATargetThatCannotBeLookedUpPutsOffItsSliceAlone)
{
    ASSERT_EQ(deliver(a, b, slice(a, channel, b.image(channel)->seq, all_entries)).status,
              SliceStatus::ok);
    const auto message = a.post("alice", channel, "hello");
    ASSERT_EQ(deliver(a, b, slice(a, channel, b.image(channel)->seq, all_entries)).status,
              SliceStatus::ok);
    ASSERT_TRUE(a.change("alice", channel, changes::react(message->event_id, "+1")));
    b.index->flush();  // none is known but by asking
    b.places->fail_look_ups(true);
    EXPECT_EQ(deliver(a, b, slice(a, channel, b.image(channel)->seq, all_entries)).status,
              SliceStatus::deferred);
    b.places->fail_look_ups(false);
    EXPECT_EQ(deliver(a, b, slice(a, channel, b.image(channel)->seq, all_entries)).status,
              SliceStatus::ok);
    EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
}

}  // namespace
}  // namespace entente::federation::log_rig
