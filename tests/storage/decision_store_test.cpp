// Recorded decisions as rows, bounded by number and age.
#include "storage/decision_store.hpp"

#include <algorithm>

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
    using Action = trust::policy::Action;
    using Outcome = trust::policy::Outcome;
    Result<void> put(const std::vector<std::string>& texts, protocol::Millis now,
                     Action action = Action::message_create, Outcome outcome = Outcome::permitted)
    {
        std::vector<trust::policy::Record> records;
        for (const auto& text : texts) records.push_back({action, outcome, text});
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

// However often one thing is asked about, it takes no other's place.
TEST_F(DecisionStore, WhatThereIsMostOfGoesFirst)
{
    const auto most = static_cast<std::size_t>(max_kept_decisions);
    ASSERT_TRUE(db->begin());
    ASSERT_TRUE(put({"joined"}, 1, Action::member_join));
    ASSERT_TRUE(put({"wrote"}, 1));
    ASSERT_TRUE(put(Records(most, "flood"), 2, Action::message_create, Outcome::denied));
    auto kept = read(0);
    ASSERT_EQ(kept.size(), most);
    EXPECT_EQ(kept[0], "joined");
    EXPECT_EQ(kept[1], "wrote");
    ASSERT_TRUE(put(Records(most / 2, "second"), 3, Action::key_claim, Outcome::denied));
    ASSERT_TRUE(put(Records(500, "third"), 4, Action::key_claim, Outcome::denied));
    kept = read(0);
    ASSERT_EQ(kept.size(), most);
    EXPECT_EQ(kept[0], "joined");
    EXPECT_EQ(kept[1], "wrote");
    EXPECT_EQ(std::count(kept.begin(), kept.end(), "flood"),
              static_cast<std::ptrdiff_t>(most / 2) - 1);
    EXPECT_EQ(std::count(kept.begin(), kept.end(), "third"), 500);
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
