// A follower that was put back to before its last member had left, and that has joined again
// since: what lies between isn't given to it any more, so its log goes on behind a hole [QRY-13].
#include "federation/links/lacked_floors.hpp"
#include "tests/federation/log/link_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::SliceStatus;

// The way to `peer`: its answers to queries for snapshots, and nothing else.
class SnapshotsOnly final : public net::Fetcher {
 public:
    SnapshotsOnly(Server& peer, const Server& from) : peer_(peer), from_(from) {}

    asio::awaitable<Result<net::FetchedResponse>> fetch(net::Fetch fetch) override
    {
        if (fetch.method != "GET") co_return fail(Code::unavailable, "nothing but queries");
        targets.push_back(fetch.target);
        const auto question = fetch.target.find('?');
        const auto path = fetch.target.substr(0, question);
        net::Request request;
        request.method = "GET";
        request.captures = {path.substr(path.rfind('/') + 1)};
        if (question != std::string::npos) request.query = fetch.target.substr(question + 1);
        const Admitted admitted{from_.identity.name, from_.identity.key_ref(), peer_.tier, ""};
        auto response = co_await peer_.queries->snapshot(request, admitted);
        co_return signed_answer(peer_, fetch, response.status, std::move(response.body));
    }

    std::vector<std::string> targets;

 private:
    Server& peer_;
    const Server& from_;
};

class Floor : public ::testing::Test {
 protected:
    Floor() : channel(shared_channel(a, b)), way(a, b)
    {
        auto& c = servers.c;
        EXPECT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, c.user("carol"))));
        settle_all(a, c);
        EXPECT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
        settle_all(c, a);
        settle_all(a, b);
        b.close();
        copy_database(servers.world, "b.example", ".db", ".old");
        b.open();
        EXPECT_TRUE(b.world.run(b.channels->leave(b.actor("bob"), channel)));
        settle_all(b, a);
        settle_all(a, b);
        EXPECT_TRUE(a.post("alice", channel, "not for b"));
        EXPECT_TRUE(
            a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("bob"))).has_value());
        settle_all(a, b);
        EXPECT_TRUE(b.world.run(b.channels->join(b.actor("bob"), channel)));
        settle_all(b, a);
        EXPECT_TRUE(a.post("alice", channel, "before the loss"));
        settle_all(a, b);
        floor = b.image(channel)->floor;
        EXPECT_GT(floor, 5);
        b.close();
        copy_database(servers.world, "b.example", ".old", ".db");
        b.open();
        EXPECT_TRUE(a.post("alice", channel, "after it"));
    }
    SliceStatus send(std::int64_t said_floor)
    {
        auto made = slice(a, channel, a.cursor(channel, b)->seq, all_entries);
        made.logs[0].floor = said_floor;
        return deliver(a, b, made).status;
    }
    // As often as it is noted; until the home has been asked and what came has been dealt with.
    void fetch(int times = 1)
    {
        SignedClient client(b.identity, *b.discovery, way, b.world.clock, b.world.random);
        LackedFloors floors(
            {b.identity, client, *b.settlement, *b.commits, *b.tasks, b.repair_log, b.world.clock});
        for (int i = 0; i < times; ++i) floors.note(channel, a.identity.name, floor);
        b.world.io.restart();
        while (b.tasks->size() > 0) ASSERT_GT(b.world.io.run_one_for(std::chrono::seconds{20}), 0U);
    }
    [[nodiscard]] std::size_t warnings() const
    {
        return static_cast<std::size_t>(std::ranges::count_if(
            b.repair_log.lines,
            [](const auto& line) { return line.level == protocol::LogLevel::warning; }));
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
    SnapshotsOnly way;
    std::int64_t floor = 0;
};

// [QRY-13] Found by the simulation: such a log stood still for ever.
TEST_F(Floor, TheLogGoesOnWhereTheLastJoinWas)
{
    auto settled = exchange(a, b);
    ASSERT_TRUE(settled);
    // It is asked for once more when the follower has had time to fetch what it lacks.
    EXPECT_TRUE(settled->awaiting_snapshot.contains(channel.str()));
    EXPECT_EQ(b.lacked, (std::vector{std::pair{channel, floor}}));

    fetch(2);
    EXPECT_EQ(way.targets, std::vector<std::string>{"/federation/v1/channels/" + channel.str() +
                                                    "?seq=" + std::to_string(floor)});
    EXPECT_EQ(warnings(), 1U);
    // It says where it stands now.
    ASSERT_TRUE(exchange(a, b));
    settle_all(a, b);
    EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
    EXPECT_EQ(b.image(channel)->state, a.image(channel)->state);
    EXPECT_EQ(b.image(channel)->floor, floor);
    EXPECT_EQ(b.texts(channel), (std::vector<std::string>{"before the loss", "after it"}));
}

// [LOG-2] Whoever only lacks entries gets them from where its log ends.
TEST_F(Floor, WithoutAFloorBeyondItsEndItIsAGap)
{
    EXPECT_EQ(send(0), SliceStatus::gap);
    EXPECT_EQ(send(b.image(channel)->seq), SliceStatus::gap);
    EXPECT_TRUE(b.lacked.empty());
    EXPECT_EQ(send(b.image(channel)->seq + 1), SliceStatus::need_snapshot);
}

// [SUC-6] [QRY-13] A hole is the home's to make.
TEST_F(Floor, FromAnotherServerItSaysNothing)
{
    // By carol's, who b knows has a member.
    auto brought = slice(a, channel, a.cursor(channel, b)->seq, all_entries);
    brought.logs[0].floor = floor;
    EXPECT_EQ(deliver(servers.c, b, brought).status, SliceStatus::gap);
    EXPECT_TRUE(b.lacked.empty());
}

// [QRY-13]
TEST_F(Floor, BeyondWhereTheSliceBeginsItIsMalformed)
{
    const auto after = a.cursor(channel, b)->seq;
    EXPECT_EQ(send(after + 1), SliceStatus::refused);
    EXPECT_EQ(send(after), SliceStatus::need_snapshot);
}

// [MEM-3] The result of the join says where the log begins.
TEST_F(Floor, WhileAJoinIsOutstandingNoSnapshotIsAskedFor)
{
    ASSERT_TRUE(b.world.run(b.channels->leave(b.actor("bob"), channel)));
    ASSERT_TRUE(b.world.run(b.channels->join(b.actor("bob"), channel)));
    EXPECT_EQ(send(floor), SliceStatus::need_snapshot);
    EXPECT_TRUE(b.lacked.empty());
}

// [QRY-13] Much may have happened until the snapshot comes.
TEST_F(Floor, ALogThatHasReachedItMeanwhileIsLeftAsItIs)
{
    const auto before = b.image(channel);
    SignedClient client(b.identity, *b.discovery, way, b.world.clock, b.world.random);
    auto answer = b.world.run(fetch_snapshot(client, *b.commits, b.identity.names, a.identity.name,
                                             channel.str(), floor));
    ASSERT_TRUE(answer);
    auto begun = b.world.run(b.settlement->begin_again(a.identity.name, *answer, before->seq));
    ASSERT_TRUE(begun);
    EXPECT_FALSE(*begun);
    EXPECT_EQ(b.image(channel)->seq, before->seq);
    EXPECT_EQ(b.image(channel)->floor, before->floor);
}

// [LOG-4, MEM-13] What is frozen is evidence.
TEST_F(Floor, NoSnapshotGoesOverAFrozenLog)
{
    const auto held = b.image(channel);
    EXPECT_EQ(deliver(a, b, rewritten(a, channel, held->seq - 1)).status, SliceStatus::fork);
    EXPECT_EQ(send(floor), SliceStatus::fork);
    EXPECT_TRUE(b.lacked.empty());
    fetch();
    EXPECT_EQ(way.targets.size(), 1U);
    EXPECT_EQ(b.image(channel)->seq, held->seq);
    EXPECT_TRUE(b.image(channel)->frozen);
    EXPECT_EQ(warnings(), 0U);
}

// [SUC-2] [QRY-13] Whoever was the home once has no say in where the log goes on.
TEST_F(Floor, NoSnapshotOfAnotherServerThanTheHomeIsTaken)
{
    SignedClient client(b.identity, *b.discovery, way, b.world.clock, b.world.random);
    auto answer = b.world.run(fetch_snapshot(client, *b.commits, b.identity.names, a.identity.name,
                                             channel.str(), floor));
    ASSERT_TRUE(answer);
    auto state = protocol::parse_state(answer->snapshot.state, {});
    ASSERT_TRUE(state);
    const auto begin = [&](const ServerName& home, std::int64_t epoch) {
        auto snapshot = answer->snapshot;
        snapshot.epoch = epoch;
        auto named = *state;
        named.home = home.str();
        return b
            .write([&, snapshot, named](storage::WriteTransaction& transaction) {
                return b.follower->begin_again(transaction, snapshot, named, floor, home);
            })
            .value_or(true);
    };
    EXPECT_FALSE(begin(servers.c.identity.name, 1));
    EXPECT_FALSE(begin(b.identity.name, 1));
    EXPECT_LT(b.image(channel)->floor, floor);
    EXPECT_TRUE(begin(a.identity.name, 1));
    EXPECT_EQ(b.image(channel)->floor, floor);
}

}  // namespace
}  // namespace entente::federation::log_rig
