// What one transaction may cost whoever is shown keys, roots and consents [LOG-6, SUC-2], as
// counts of signatures and of texts that are kept.
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::OutgoingTransaction;

// As many keys as a slice may show.
constexpr std::size_t most_keys = 64;

// carol of c.example has posted in a channel of a.example, and b.example, which follows,
// doesn't know her server.
class ShownKeysTest : public ::testing::Test {
 protected:
    ShownKeysTest() : channel(shared_channel(a, b, "all"))
    {
        EXPECT_TRUE(a.append(a.event(
            channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"})));
        settle_all(a, b);
        held = b.image(channel)->seq;
        EXPECT_EQ(hand_in(c, a, channel, {c.event(channel, {"member.join", "carol@c.example"})})
                      .at(0)
                      .status,
                  protocol::ItemStatus::accepted);
        b.close();
        std::erase_if(b.pins, [&](const trust::PinnedServer& pinned) {
            return pinned.server == c.identity.name;
        });
        b.open();
    }

    // Her join, with the key of her server as often as a slice may show one.
    [[nodiscard]] OutgoingTransaction shown()
    {
        auto made = slice(a, channel, held, all_entries);
        made.logs[0].keys.assign(most_keys, {c.identity.name, c.identity.key.public_key().x(), {}});
        return made;
    }
    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
    std::int64_t held = 0;
};

// Else each of a thousand heartbeats would hold a megabyte of roots.
TEST_F(ShownKeysTest, ASliceKeepsTheRootsThatItNames)
{
    const auto made = shown();
    auto texts = made.roots;
    texts.resize(40, "no root, but long");
    const auto roots = b.world.run(b.verifier->check_roots(texts));
    const auto check = [&](protocol::Slice shown_slice) {
        protocol::Read<protocol::Slice> read;
        read.value = std::move(shown_slice);
        return b.verifier->check_slice(std::move(read), roots, a.identity.name);
    };
    EXPECT_EQ(check(made.logs[0]).roots.size(), 2U);
    auto unproven = made.logs[0];
    unproven.latest = 0;
    const auto refused = check(unproven);
    EXPECT_TRUE(refused.problem);
    EXPECT_EQ(refused.roots.size(), 0U);
}

}  // namespace
}  // namespace entente::federation::log_rig
