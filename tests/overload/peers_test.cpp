// Other servers that send more than can be stored, answer late, or never: everybody else's
// messages go where they should, as fast as ever.
#include <atomic>
#include <iostream>
#include <thread>

#include "tests/overload/mute_peer.hpp"
#include "tests/overload/overload_test.hpp"
#include "tests/overload/peer_flood.hpp"

namespace entente::overload {
namespace {

using e2e::Client;
using e2e::Forger;
using e2e::Milliseconds;

class BusyPeers : public OverloadTest {
 protected:
    // A channel of alice's on a.test that all forgers' users have joined.
    void share_channel(const std::vector<Forger*>& forgers)
    {
        alice_ = person("a.test", "alice", "127.0.8.2");
        channel_ = alice_->create_channel("shared", {{"public", true}});
        for (auto* forger : forgers) {
            const auto joined = forger->deliver(
                a(), forger->submission(channel_, {forger->event(channel_, "member.join")}));
            ASSERT_EQ(joined.submissions.at(0).events.at(0).status, protocol::ItemStatus::accepted);
        }
    }
    void flood(std::size_t transactions, double most_mib)
    {
        PeerFlood peer(*forger_, a(), channel_, transactions);
        endure(most_mib, [&] {
            peer.start(8);
            peer.finish(scale().flood + Milliseconds(60'000));
        });
        std::cout << "flood:      " << peer.accepted() << " transactions, put off "
                  << peer.put_off() << " times" << std::endl;
        EXPECT_EQ(peer.accepted(), transactions);
        EXPECT_EQ(peer.complaint(*alice_, channel_), "");
    }

    std::unique_ptr<Client> alice_;
    std::unique_ptr<Forger> forger_;
    std::string channel_;
};

// Bodies of 32 MiB from one address, several times over while they are read, checked and
// wait for their commit.
constexpr double peer_flood_mib = 256;

TEST_F(BusyPeers, OneWithLargeTransactionsLeavesTheOthersTheirTurns)
{
    open({"a.test", "b.test"}, {"f.test"});
    forger_ = std::make_unique<Forger>(world(), "f.test");
    share_channel({forger_.get()});
    make_bystanders();
    flood(scale().full ? 200 : 24, peer_flood_mib);
}

TEST_F(BusyPeers, OneThatHandsInMoreThanTheDiskSyncsIsPutOffOrWaits)
{
    open({"a.test"}, {"f.test"}, 20);
    forger_ = std::make_unique<Forger>(world(), "f.test");
    share_channel({forger_.get()});
    make_bystanders();
    flood(scale().full ? 100 : 12, peer_flood_mib);
}

TEST_F(BusyPeers, OneThatAnswersLateAndOneThatNeverReadsKeepNobodyWaiting)
{
    open({"a.test", "b.test"}, {"late.test", "mute.test"});
    Forger late(world(), "late.test");
    std::atomic<std::size_t> taken = 0;
    auto mute = std::make_unique<Forger>(world(), "mute.test");
    share_channel({&late, mute.get()});
    mute.reset();
    const MutePeer never(world(), "mute.test");
    late.on_inbox([&taken](const protocol::Transaction& transaction) {
        std::this_thread::sleep_for(scale().late_answer);
        auto result = Forger::take_everything(transaction);
        for (const auto& log : transaction.logs)
            if (log.value) taken += log.value->entries.size();
        return result;
    });
    make_bystanders();
    constexpr std::size_t messages = 300;
    endure(64, [&] {
        for (std::size_t i = 0; i < messages; ++i) alice_->post(channel_, std::string(8'000, 'l'));
        std::this_thread::sleep_for(scale().flood);
    });
    // What was held back for the late one gets there.
    e2e::wait_until(
        "the late peer has all", [&] { return taken >= messages; },
        5 * scale().late_answer + Milliseconds(10'000));
    EXPECT_GT(never.connections(), 0U);
}

}  // namespace
}  // namespace entente::overload
