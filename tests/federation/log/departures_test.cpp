// Deleted accounts leave their channels: what can't be left yet is tried again ever more seldom,
// told once, and holds nobody else up.
#include "federation/channels/departures.hpp"

#include <algorithm>

#include "federation/channels/channel_changes.hpp"
#include "storage/account_admin_store.hpp"
#include "storage/account_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

class DeparturesTest : public ::testing::Test {
 protected:
    void remove(const std::string& name)
    {
        ASSERT_TRUE(a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            auto& db = transaction.db();
            auto user = storage::find_user(db, name);
            if (!user) return fail(user);
            auto closed = storage::close_account(db, user->id, servers.world.clock.now_ms());
            if (!closed) return fail(closed);
            return {};
        }));
    }
    void add_users(const std::vector<std::string>& names)
    {
        ASSERT_TRUE(a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            for (const auto& name : names) {
                auto id = storage::create_user(transaction.db(), name, "hash",
                                               storage::AccountRole::user, 0);
                if (!id) return fail(id);
            }
            return {};
        }));
    }
    ChannelId shared_by(const std::vector<std::string>& people)
    {
        auto channel = a.create("alice");
        for (const auto& name : people) {
            EXPECT_TRUE(a.change("alice", channel, changes::invite(a.user(name))));
            EXPECT_TRUE(a.change(name, channel, changes::join()));
        }
        return channel;
    }
    void set_frozen(const ChannelId& channel, bool frozen)
    {
        ASSERT_TRUE(a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            auto found = a.store->find(transaction.db(), channel);
            if (!found) return fail(found);
            if (frozen)
                a.store->freeze(**found);
            else
                a.store->thaw(**found);
            return {};
        }));
    }
    bool is_member(const std::string& name, const ChannelId& channel)
    {
        auto standing = a.read([&](storage::Connection& db) -> Result<storage::Standing> {
            auto row = storage::read_channel(db, channel);
            if (!row) return fail(row);
            auto member = storage::read_member(db, row->id, name + "@a.example");
            if (!member) return fail(member);
            return *member ? (*member)->standing : storage::Standing::left;
        });
        return standing && *standing <= storage::Standing::owner;
    }
    std::size_t departing()
    {
        return a
            .read([](storage::Connection& db) { return storage::departing_accounts(db, 1'000); })
            ->size();
    }
    void step() { ASSERT_TRUE(servers.world.run(departures.step())); }

    Servers servers;
    Server& a = servers.a;
    HeardLog log;
    Departures departures{{*a.channels, *a.commits, log, servers.world.clock, a.identity.name}};
};

TEST_F(DeparturesTest, AFrozenChannelIsTriedAgainEverMoreSeldomAndToldOnce)
{
    const auto channel = shared_by({"carol"});
    set_frozen(channel, true);
    remove("carol");
    auto pause = first_departure_pause_ms;
    step();
    ASSERT_EQ(log.lines.size(), 1U);
    EXPECT_EQ(log.lines[0].fields.at("user"), "carol@a.example");
    // Each try but the last finds it frozen; before its time none is made.
    for (int i = 0; i < 10; ++i) {
        servers.world.clock.now += pause;
        step();
        pause = std::min(2 * pause, longest_departure_pause_ms);
    }
    EXPECT_EQ(pause, longest_departure_pause_ms);
    EXPECT_EQ(log.lines.size(), 1U);
    set_frozen(channel, false);
    servers.world.clock.now += pause - 1;
    step();
    EXPECT_EQ(departing(), 1U);
    EXPECT_TRUE(is_member("carol", channel));
    servers.world.clock.now += 1;
    step();
    EXPECT_EQ(departing(), 0U);
    EXPECT_FALSE(is_member("carol", channel));
}

TEST_F(DeparturesTest, WhoCantLeaveHoldsNobodyUp)
{
    const auto open = shared_by({"dave"});
    std::vector<std::string> stuck;
    for (std::size_t i = 0; i < departures_at_once; ++i) stuck.push_back("u" + std::to_string(i));
    add_users(stuck);
    const auto frozen = shared_by(stuck);
    set_frozen(frozen, true);
    for (const auto& name : stuck) remove(name);
    servers.world.clock.now += 1;
    remove("dave");
    step();
    EXPECT_TRUE(is_member("dave", open)) << "so many at once";
    step();
    EXPECT_FALSE(is_member("dave", open));
    EXPECT_EQ(departing(), departures_at_once);
}

}  // namespace
}  // namespace entente::federation::log_rig
