// What a message costs where many follow: rows, counted in the database itself.
#include <deque>

#include "storage/outgoing_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

constexpr int followers = 1000;

using RowCounts = std::map<std::string, std::int64_t>;

std::string server_name(int number)
{
    return "s" + std::to_string(number) + ".example";
}

class Growth : public ::testing::Test {
 protected:
    // A user of each of so many servers joins, so that these follow.
    void join_from(const ChannelId& channel, int count)
    {
        std::vector<EventAndContent> joins;
        for (int i = 0; i < count; ++i)
            joins.push_back(a.event(channel, {"member.join", "user@" + server_name(i)}));
        auto joined = a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            auto live = a.store->find(transaction.db(), channel);
            if (!live) return fail(live);
            for (const auto& join : joins) {
                auto event = protocol::parse_channel_event(join.event, a.identity.names);
                if (!event) return fail(event);
                auto appended = a.home->append(transaction, **live, *event, join.content);
                if (!appended) return fail(appended);
            }
            return {};
        });
        ASSERT_TRUE(joined) << joined.error().detail;
    }
    // Every follower has everything.
    void acknowledge_all(const ChannelId& channel)
    {
        auto done = a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            auto live = a.store->find(transaction.db(), channel);
            if (!live) return fail(live);
            for (const auto& server : (*live)->followers) {
                auto id = a.store->server_id(transaction.db(), server);
                if (!id) return fail(id);
                auto set = storage::set_cursor(transaction.db(), (*live)->id, *id, (*live)->seq);
                if (!set) return set;
            }
            return {};
        });
        ASSERT_TRUE(done) << done.error().detail;
    }
    std::size_t owed()
    {
        return a
            .read(
                [&](storage::Connection& db) { return storage::owed_servers(db, a.identity.name); })
            .value()
            .size();
    }
    // Rows inserted, changed or deleted since the writer was opened.
    std::int64_t written()
    {
        return a
            .write([](storage::WriteTransaction& transaction) -> Result<std::int64_t> {
                return transaction.db().written();
            })
            .value();
    }
    RowCounts rows()
    {
        return a.read([&](storage::Connection& db) { return count_rows(db); }).value();
    }
    // Of every table there is. A statement is cached by its text's address: each keeps its own.
    Result<RowCounts> count_rows(storage::Connection& db)
    {
        constexpr char tables[] = "SELECT name FROM sqlite_master WHERE type = 'table'";
        std::vector<std::string> names;
        auto query = storage::Query::prepare(db, tables);
        if (!query) return fail(query);
        for (;;) {
            auto row = (*query)->step();
            if (!row) return fail(row);
            if (!*row) break;
            names.emplace_back((*query)->text(0));
        }
        RowCounts counts;
        for (const auto& name : names) {
            auto& text = texts_.emplace_back("SELECT count(*) FROM " + name);
            auto count = storage::Query::prepare(db, text.c_str());
            if (!count) return fail(count);
            auto row = (*count)->step();
            if (!row) return fail(row);
            counts[name] = (*count)->integer(0);
        }
        return counts;
    }

    Servers servers;
    Server& a = servers.a;

 private:
    std::deque<std::string> texts_;
};

TEST_F(Growth, AMessageToFollowersOn1000ServersWritesNoRowBeyondItsOwn)
{
    const auto lonely = a.create("alice", "all", true);
    const auto crowded = a.create("alice", "all", true);
    join_from(crowded, followers);
    acknowledge_all(crowded);
    ASSERT_EQ(owed(), 0U);

    auto before = written();
    ASSERT_TRUE(a.post("alice", lonely, "hello"));
    const auto own = written() - before;

    const auto rows_before = rows();
    before = written();
    ASSERT_TRUE(a.post("alice", crowded, "hello"));
    EXPECT_EQ(written() - before, own);
    EXPECT_EQ(own, 3);  // its run, its txn, the head
    EXPECT_EQ(owed(), static_cast<std::size_t>(followers));

    auto expected = rows_before;
    expected["run"] += 1;
    expected["dedup"] += 1;
    EXPECT_EQ(rows(), expected);
}

}  // namespace
}  // namespace entente::federation::log_rig
