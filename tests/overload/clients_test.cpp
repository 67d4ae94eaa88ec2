// Clients that write more than a server can store: whoever else writes is served as before.
#include <iostream>
#include <thread>

#include "tests/bench/frame_text.hpp"
#include "tests/overload/overload_test.hpp"
#include "tests/overload/post_flood.hpp"

namespace entente::overload {
namespace {

using e2e::Client;
using e2e::Milliseconds;

// What posts may hold: 64 MiB before they are batches, 128 MiB as jobs, and what is made of
// them; of so few clients a part of it.
constexpr double flood_mib = 160;

class FloodingClients : public OverloadTest {
 protected:
    // `count` people on a.test in one channel.
    void gather(std::size_t count, const std::string& source)
    {
        for (std::size_t i = 0; i < count; ++i) {
            people_.push_back(person("a.test", "flooder" + std::to_string(i), source));
            if (i == 0) {
                channel_ = people_.front()->create_channel("busy");
            } else {
                people_.front()->invite(channel_, people_.back()->user());
                people_.back()->join(channel_);
            }
        }
    }
    [[nodiscard]] std::vector<Client*> people() const
    {
        std::vector<Client*> all;
        for (const auto& one : people_) all.push_back(one.get());
        return all;
    }
    void flood_for(PostFlood& flood, Milliseconds time)
    {
        flood.start();
        std::this_thread::sleep_for(time);
        flood.stop();
    }
    void expect_kept(const PostFlood& flood)
    {
        std::cout << "flood:      " << flood.sent() << " sent, " << flood.acknowledged()
                  << " acknowledged, " << flood.refused() << " refused" << std::endl;
        EXPECT_GT(flood.acknowledged(), 0U);
        EXPECT_EQ(flood.complaint(*people_.front()), "");
    }

    std::vector<std::unique_ptr<Client>> people_;
    std::string channel_;
};

TEST_F(FloodingClients, WhoPostFasterThanTheDiskSyncsHoldUpNobody)
{
    open({"a.test"}, {}, 20);
    gather(4, "127.0.8.2");
    make_bystanders();
    PostFloodPlan plan;
    plan.sockets_each = 2;
    PostFlood flood(world(), people(), channel_, plan);
    endure(flood_mib, [&] { flood_for(flood, scale().flood); });
    expect_kept(flood);
}

TEST_F(FloodingClients, OneBusyChannelLeavesTheQuietOnesAlone)
{
    open({"a.test", "b.test"});
    gather(8, "127.0.8.2");
    make_bystanders();
    PostFloodPlan plan;
    plan.text_octets = 300;
    plan.posts_a_frame = 1;
    plan.most_unanswered = 200;
    PostFlood flood(world(), people(), channel_, plan);
    endure(flood_mib, [&] { flood_for(flood, scale().flood); });
    expect_kept(flood);
}

TEST_F(FloodingClients, ThirtySocketsOfOneUserCountAsOne)
{
    open({"a.test"});
    gather(1, "127.0.8.2");
    make_bystanders();
    PostFloodPlan plan;
    plan.sockets_each = 30;
    plan.most_unanswered = 200;
    PostFlood flood(world(), people(), channel_, plan);
    endure(flood_mib, [&] { flood_for(flood, scale().flood); });
    expect_kept(flood);
}

TEST_F(FloodingClients, PingsAreAnsweredInTurn)
{
    open({"a.test"});
    gather(1, "127.0.8.2");
    make_bystanders();
    const bench::TlsClient tls("a.test", a().port(), world().ca_file());
    bench::LoadSocket socket(tls, "127.0.8.2", people_.front()->open_ticket());
    bench::FrameText ping;
    ping.append(R"({"ping":true})");
    std::string many;
    const auto frame = ping.finish();
    for (int i = 0; i < 1'000; ++i) many += frame;
    std::size_t pongs = 0;
    endure(flood_mib, [&] {
        const auto end = std::chrono::steady_clock::now() + scale().flood;
        while (std::chrono::steady_clock::now() < end) {
            if (socket.wants_to_write()) {
                socket.flush();
            } else {
                socket.send(many);
            }
            socket.read([&](std::string_view) { ++pongs; });
        }
    });
    std::cout << "flood:      " << pongs << " pongs" << std::endl;
    EXPECT_GT(pongs, 0U);
}

}  // namespace
}  // namespace entente::overload
