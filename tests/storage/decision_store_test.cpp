// Recorded decisions as rows, bounded by number and age.
#include "storage/decision_store.hpp"

#include <gtest/gtest.h>

#include "storage/sqlite/database.hpp"
#include "tests/storage/support.hpp"
#include "trust/policy/rehearsal.hpp"

namespace entente::storage {
namespace {

class DecisionStore : public ::testing::Test {
 protected:
    DecisionStore()
        : database(make_sqlite_database(folder.file("db"))), db(database->open_writer().value())
    {
    }
    Result<void> put(const std::vector<std::string>& records, protocol::Millis now)
    {
        return put_decisions(*db, records, now);
    }
    std::vector<std::string> read(protocol::Millis since, std::int64_t after = 0,
                                  std::size_t limit = 100'000)
    {
        std::vector<std::string> records;
        const auto rows = decisions_since(*db, since, after, limit).value();
        for (const auto& row : rows) records.push_back(row.record);
        return records;
    }
    using Records = std::vector<std::string>;

    testing::TemporaryFolder folder;
    std::unique_ptr<Database> database;
    std::unique_ptr<Connection> db;
};

TEST_F(DecisionStore, GivesThemInOrderFromATimeOn)
{
    ASSERT_TRUE(put({"a", "b"}, 10));
    ASSERT_TRUE(put({"c"}, 20));
    EXPECT_EQ(read(0), (Records{"a", "b", "c"}));
    EXPECT_EQ(read(11), Records{"c"});
    EXPECT_EQ(read(0, 0, 2), (Records{"a", "b"}));
    const auto first = decisions_since(*db, 0, 0, 2).value();
    EXPECT_EQ(read(0, first.back().id), Records{"c"});
    EXPECT_EQ(first.front().at, 10);
}

TEST_F(DecisionStore, TheOldestGoBeyondTheAge)
{
    ASSERT_TRUE(put({"old"}, 1'000));
    ASSERT_TRUE(put({"at the edge"}, 1'000 + max_decision_age_ms));
    EXPECT_EQ(read(0), (Records{"old", "at the edge"}));
    ASSERT_TRUE(put({}, 1'001 + max_decision_age_ms));
    EXPECT_EQ(read(0), Records{"at the edge"});
}

TEST_F(DecisionStore, TheOldestGoBeyondTheNumber)
{
    ASSERT_TRUE(db->begin());
    ASSERT_TRUE(put({"first", "second"}, 1));
    ASSERT_TRUE(put(Records(static_cast<std::size_t>(max_kept_decisions) - 2, "more"), 2));
    EXPECT_EQ(read(0).size(), static_cast<std::size_t>(max_kept_decisions));
    ASSERT_TRUE(put({"last"}, 3));
    const auto kept = read(0);
    EXPECT_EQ(kept.size(), static_cast<std::size_t>(max_kept_decisions));
    EXPECT_EQ(kept.front(), "second");
    EXPECT_EQ(kept.back(), "last");
    ASSERT_TRUE(db->commit());
}

TEST_F(DecisionStore, ARecordThatIsTooLongIsRefusedWithItsBatch)
{
    const std::string longest(trust::policy::max_record_octets, 'x');
    EXPECT_TRUE(put({longest}, 1));
    const auto refused = put({"short", longest + "x"}, 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::too_large);
    EXPECT_EQ(read(2), Records{});
}

}  // namespace
}  // namespace entente::storage
