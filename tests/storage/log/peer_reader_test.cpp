// What is known of other servers: their names, what they are owed, what is shared.
#include "storage/peer_reader.hpp"

#include "storage/query.hpp"
#include "tests/storage/log/log_rig.hpp"

namespace entente::storage::log_rig {
namespace {

const ServerName b = ServerName::trusted("b.example");
const ServerName c = ServerName::trusted("c.example");
const ChannelId pasture = ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ad@b.example");

constexpr char insert_member[] =
    "INSERT INTO member (channel, user, standing, since) VALUES (?, ?, 0, 1)";
constexpr char update_home[] =
    "UPDATE channel SET home = (SELECT id FROM server WHERE name = ?) WHERE name = ?";

class PeerReader : public ::testing::Test {
 protected:
    void follow(const ChannelId& channel, const ServerName& server, std::int64_t seq)
    {
        ASSERT_TRUE(rig_.with(
            channel, [&](WriteTransaction& transaction, LiveChannel& live) -> Result<void> {
                auto id = rig_.store->server_id(transaction.db(), server);
                if (!id) return fail(id);
                auto started = start_cursor(transaction.db(), live.id, *id, 0);
                if (!started) return started;
                return set_cursor(transaction.db(), live.id, *id, seq);
            }));
    }
    void make_member(const ChannelId& channel, const std::string& user)
    {
        ASSERT_TRUE(rig_.with(channel, [&](WriteTransaction& transaction, LiveChannel& live) {
            return run(transaction.db(), insert_member, live.id, user);
        }));
    }
    // A channel with entries that is homed at `server`.
    void home_at(const ChannelId& channel, const ServerName& server)
    {
        rig_.commit(channel, 1, 2);
        ASSERT_TRUE(rig_.write([&](WriteTransaction& transaction) -> Result<void> {
            auto id = rig_.store->server_id(transaction.db(), server);
            if (!id) return fail(id);
            return run(transaction.db(), update_home, server.str(), channel.str());
        }));
    }
    OwedSummary owed(const ServerName& server)
    {
        auto found = rig_.read([&](Connection& db) { return owed_to(db, home, server); });
        EXPECT_TRUE(found) << found.error().detail;
        return found.value_or(OwedSummary{});
    }
    std::vector<std::string> shared_with(const ServerName& server, std::string_view after = "",
                                         std::size_t limit = 10)
    {
        auto found = rig_.read(
            [&](Connection& db) { return shared_channels(db, home, server, after, limit); });
        EXPECT_TRUE(found) << found.error().detail;
        std::vector<std::string> names;
        for (const auto& each : *found) names.push_back(each.channel.name.str());
        return names;
    }
    std::vector<std::string> peers(std::string_view after = "", std::size_t limit = 10)
    {
        auto found = rig_.read([&](Connection& db) { return known_peers(db, home, after, limit); });
        EXPECT_TRUE(found) << found.error().detail;
        std::vector<std::string> names;
        for (const auto& name : *found) names.push_back(name.str());
        return names;
    }

    Rig rig_{false};
};

TEST_F(PeerReader, CountsWhatAFollowerLacksAndSinceWhen)
{
    rig_.commit(garden, 1, 3);
    rig_.commit(garden, 4, 9);
    rig_.commit(meadow, 20, 22);
    follow(garden, b, 4);
    follow(meadow, b, 1);
    follow(garden, c, 9);
    const auto behind = owed(b);
    EXPECT_EQ(behind.channels, 2);
    EXPECT_EQ(behind.entries, 5 + 2);
    EXPECT_EQ(behind.oldest_at, 5);
    EXPECT_FALSE(behind.is_nothing());
    EXPECT_TRUE(owed(c).is_nothing());
    EXPECT_EQ(owed(c).oldest_at, 0);
}

TEST_F(PeerReader, CountsDirectEventsAndSubmissionsToo)
{
    ASSERT_TRUE(rig_.write([&](WriteTransaction& transaction) -> Result<void> {
        auto id = rig_.store->server_id(transaction.db(), b);
        if (!id) return fail(id);
        if (auto put = put_direct(transaction.db(), *id, "event", "content", 700); !put) return put;
        SubmissionRow row;
        row.channel = pasture;
        row.user = "alice@a.example";
        row.txn = txn(1);
        row.event_id = protocol::event_id("event");
        row.at = 600;
        return put_submission(transaction.db(), row, *id);
    }));
    const auto found = owed(b);
    EXPECT_EQ(found.direct, 1);
    EXPECT_EQ(found.submissions, 1);
    EXPECT_EQ(found.oldest_at, 600);
}

TEST_F(PeerReader, ListsEveryServerThatARowNamesPageByPageAndNotThisOne)
{
    rig_.commit(garden, 1, 1);
    follow(garden, b, 0);
    follow(garden, c, 0);
    EXPECT_EQ(peers(), (std::vector<std::string>{"b.example", "c.example"}));
    EXPECT_EQ(peers("", 1), std::vector<std::string>{"b.example"});
    EXPECT_EQ(peers("b.example", 1), std::vector<std::string>{"c.example"});
    EXPECT_TRUE(peers("c.example").empty());
    const auto known = [&](const ServerName& server) {
        return rig_.read([&](Connection& db) { return is_known_peer(db, server); });
    };
    EXPECT_TRUE(*known(c));
    EXPECT_FALSE(*known(ServerName::trusted("d.example")));
}

TEST_F(PeerReader, AChannelIsSharedWithFollowersHomesAndFellowFollowers)
{
    rig_.commit(garden, 1, 2);
    rig_.commit(meadow, 3, 4);
    follow(garden, b, 1);
    home_at(pasture, b);
    EXPECT_EQ(shared_with(b), std::vector<std::string>{garden.str()});  // nobody here is in pasture
    make_member(pasture, "alice@a.example");
    EXPECT_EQ(shared_with(b), (std::vector<std::string>{garden.str(), pasture.str()}));
    EXPECT_EQ(shared_with(b, garden.str()), std::vector<std::string>{pasture.str()});
    EXPECT_EQ(shared_with(b, "", 1), std::vector<std::string>{garden.str()});
    EXPECT_TRUE(shared_with(c).empty());
    // The end of a name is not a name.
    make_member(pasture, "carol@xc.example");
    EXPECT_TRUE(shared_with(c).empty());
    make_member(pasture, "carol@c.example");
    EXPECT_EQ(shared_with(c), std::vector<std::string>{pasture.str()});

    auto found = rig_.read([&](Connection& db) { return shared_channels(db, home, b, "", 1); });
    ASSERT_TRUE(found);
    ASSERT_TRUE(found->front().cursor);
    EXPECT_EQ(found->front().cursor->seq, 1);
}

TEST_F(PeerReader, ListsChannelsPageByPage)
{
    rig_.commit(garden, 1, 2);
    rig_.commit(meadow, 3, 5);
    const auto page = [&](std::string_view after, std::size_t limit) {
        return rig_.read([&](Connection& db) { return channels_after(db, after, limit); });
    };
    const auto first = page("", 1);
    ASSERT_TRUE(first);
    ASSERT_EQ(first->size(), 1U);
    EXPECT_EQ(first->front().name, garden);
    const auto rest = page(garden.str(), 10);
    ASSERT_EQ(rest->size(), 1U);
    EXPECT_EQ(rest->front().name, meadow);
    EXPECT_EQ(rest->front().seq, 3);
}

}  // namespace
}  // namespace entente::storage::log_rig
