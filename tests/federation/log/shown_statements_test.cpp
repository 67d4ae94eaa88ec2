// [LOG-6] The keys of an author's server that is gone, as far as its statements lead to them.
#include "protocol/statement.hpp"
#include "storage/vouched_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::SliceStatus;

// carol's server has rotated its key, of which the home has heard, and is gone.
class ShownStatements : public ::testing::Test {
 protected:
    ShownStatements() : channel(shared_channel(a, b))
    {
        auto invited = a.append(a.event(
            channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"}));
        EXPECT_TRUE(invited);
        const auto old = c.identity.key;
        c.identity.key = protocol::SigningKey::generate(c.world.random);
        statement = protocol::make_rotation(c.identity.name, old.id(), c.identity.key,
                                            c.world.clock.now_ms(), old);
        hear(a);
        EXPECT_EQ(hand_in(c, a, channel, {c.event(channel, {"member.join", "carol@c.example"})})
                      .at(0)
                      .status,
                  protocol::ItemStatus::accepted);
    }
    void hear(Server& server)
    {
        const std::vector<std::string> statements = {statement};
        EXPECT_TRUE(
            server.world.run(server.discovery->hear_statements(c.identity.name, statements)));
    }
    SliceStatus send(std::vector<std::string> statements)
    {
        auto made = slice(a, channel, b.image(channel)->seq, all_entries);
        made.logs[0].keys = {
            {c.identity.name, c.identity.key.public_key().x(), std::move(statements)}};
        return deliver(a, b, made).status;
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
    std::string statement;
};

// [LOG-6] Found by the simulation: a channel stood still wherever the author's server had been
// pinned before it rotated its key.
TEST_F(ShownStatements, LeadFromAPinToTheKeyThatSealed)
{
    const auto unshown = slice(a, channel, b.image(channel)->seq, all_entries);
    EXPECT_EQ(deliver(a, b, unshown).status, SliceStatus::need_keys);
    EXPECT_EQ(send({statement}), SliceStatus::ok);
    EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
    // By a proven statement the key is as any other of that server.
    EXPECT_NE(b.ring->find_key(c.identity.key_ref()), nullptr);
}

// [LOG-6]
TEST_F(ShownStatements, OfSomebodyElseHelpNothing)
{
    const auto thief = protocol::SigningKey::generate(c.world.random);
    EXPECT_EQ(send({protocol::make_rotation(c.identity.name, thief.id(), c.identity.key,
                                            c.world.clock.now_ms(), thief),
                    protocol::make_rotation(a.identity.name, a.identity.key.id(), c.identity.key,
                                            a.world.clock.now_ms(), a.identity.key)}),
              SliceStatus::ok);
    // The home alone vouches for it.
    EXPECT_EQ(b.ring->find_key(c.identity.key_ref()), nullptr);
    EXPECT_FALSE(b.read([&](storage::Connection& db) { return storage::vouched_kids(db, "", 10); })
                     .value()
                     .empty());
}

// [INBOX-8] [LOG-6] Whoever shows what proves nothing pays for its being looked at.
TEST_F(ShownStatements, AreChargedFor)
{
    b.tiers.rows.at(static_cast<std::size_t>(b.tier)).events = 1;
    b.restart();
    // What might lead to the key is waited for.
    EXPECT_EQ(send({statement, "x", "y"}), SliceStatus::need_keys);
}

}  // namespace
}  // namespace entente::federation::log_rig
