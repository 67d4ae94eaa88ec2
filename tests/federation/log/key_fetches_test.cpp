// Whose keys a transaction makes a server fetch, and how many: eight in all, wherever in it
// the servers are named that nobody knows.
#include "tests/federation/log/succession_rig.hpp"

namespace entente::federation::log_rig {
namespace {

class KeyFetches : public SuccessionTest {
 protected:
    struct Stranger {
        ServerName name;
        protocol::SigningKey key;
    };
    Stranger stranger()
    {
        return {ServerName::trusted("s" + std::to_string(++strangers_) + ".example"),
                protocol::SigningKey::generate(servers.world.random)};
    }
    // A submission of a.example with so many moves, each to another stranger.
    protocol::OutgoingTransaction moves(std::size_t count)
    {
        std::vector<EventAndContent> events;
        for (std::size_t i = 0; i < count; ++i) {
            const auto to = stranger();
            const auto consent = protocol::make_consent(to.key, to.name, channel, row(a).epoch + 1);
            events.push_back(a.event(
                channel, {"channel.move", "alice@a.example",
                          R"({"home":")" + to.name.str() + R"(","consent":")" + consent + "\"}"}));
        }
        return sealed(a, channel, std::move(events));
    }
    // Seals under the roots of so many strangers, in the first slice.
    void add_seals(protocol::OutgoingTransaction& transaction, std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i) {
            const auto by = stranger();
            protocol::Seal seal;
            seal.events = {protocol::event_id(by.name.str())};
            protocol::RootBuilder leaves;
            leaves.add(protocol::seal_leaf(channel, seal.events));
            seal.proof.root = transaction.roots.size();
            transaction.roots.push_back(
                leaves.sign(by.key, by.name, servers.world.clock.now_ms()).jws);
            transaction.logs.front().seals.push_back(std::move(seal));
        }
    }
    std::uint64_t fetched_for(const protocol::OutgoingTransaction& transaction)
    {
        const auto before = c.discovery->figures().fetches;
        static_cast<void>(c.receive(a, transaction));
        return c.discovery->figures().fetches - before;
    }

 private:
    int strangers_ = 0;
};

TEST_F(KeyFetches, RootsAndConsentsOfATransactionTogetherCauseEightAtMost)
{
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(a.post("alice", channel, "a message"));
    auto transaction = slice(a, channel, c.image(channel)->seq, all_entries);
    auto handed_in = moves(6);
    handed_in.submissions.front().seal.proof.root = transaction.roots.size();
    transaction.roots.push_back(handed_in.roots.front());
    transaction.submissions = handed_in.submissions;
    add_seals(transaction, 6);
    EXPECT_EQ(fetched_for(transaction), most_fetches);
}

TEST_F(KeyFetches, EachKindAloneIsBoundedToo)
{
    EXPECT_EQ(fetched_for(moves(3)), 3U);
    EXPECT_EQ(fetched_for(moves(12)), most_fetches);
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(a.post("alice", channel, "a message"));
    auto transaction = slice(a, channel, c.image(channel)->seq, all_entries);
    add_seals(transaction, 12);
    EXPECT_EQ(fetched_for(transaction), most_fetches);
}

// The root of a submission is its origin's own, whose key the gate has found.
TEST_F(KeyFetches, ASubmissionWithoutAMoveCausesNone)
{
    const auto other = stranger();
    auto transaction =
        sealed(a, channel, {a.event(channel, {"message.create", "alice@a.example", hello})});
    protocol::RootBuilder leaves;
    leaves.add(protocol::seal_leaf(channel, transaction.submissions.front().seal.events));
    transaction.roots = {leaves.sign(other.key, other.name, servers.world.clock.now_ms()).jws};
    EXPECT_EQ(fetched_for(transaction), 0U);
}

}  // namespace
}  // namespace entente::federation::log_rig
