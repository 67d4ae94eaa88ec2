// The driver's contract on SQLite, and what is SQLite's own: modes, WAL, result codes.
#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>

#include "storage/sqlite/database.hpp"
#include "support.hpp"

namespace entente::storage {
namespace {

constexpr std::array plain_schema = {
    Migration{1, "item",
              "CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB, name TEXT UNIQUE);"
              "CREATE TABLE part (item INTEGER NOT NULL REFERENCES item (id));"}};
constexpr const char* plain_insert_sql = "INSERT INTO item (id, body, name) VALUES (?, ?, ?)";
constexpr const char* plain_ids_sql = "SELECT id FROM item ORDER BY id";

class SqliteTest : public ::testing::Test {
 protected:
    void SetUp() override { writer_ = std::move(database_->open_writer().value()); }

    Result<void> insert(std::int64_t id, std::string_view body, std::string_view name)
    {
        auto query = Query::prepare(*writer_, plain_insert_sql);
        if (!query) return fail(query);
        (*query)->bind(0, id).bind_blob(1, body).bind_text(2, name);
        return (*query)->run();
    }
    [[nodiscard]] std::uintmax_t wal_size() const
    {
        return std::filesystem::file_size(file_ + "-wal");
    }

    [[nodiscard]] std::string file_text(const std::string& suffix) const
    {
        std::ifstream file(file_ + suffix, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }

    testing::TemporaryFolder folder_;
    std::string file_ = folder_.file("node.db");
    std::unique_ptr<Database> database_ = make_sqlite_database(file_, plain_schema);
    std::unique_ptr<Connection> writer_;
};

TEST_F(SqliteTest, TheFilesAreTheOwnersAlone)
{
    ASSERT_TRUE(insert(1, "x", "n"));
    for (const auto* suffix : {"", "-wal", "-shm"}) {
        struct stat found{};
        ASSERT_EQ(::stat((file_ + suffix).c_str(), &found), 0) << suffix;
        EXPECT_EQ(found.st_mode & 0777U, 0600U) << suffix;
    }
}

TEST_F(SqliteTest, TheSettingsThatDurabilityRestsOn)
{
    EXPECT_EQ(testing::integers(*writer_, "PRAGMA synchronous").at(0), 2);
    EXPECT_EQ(testing::integers(*writer_, "PRAGMA secure_delete").at(0), 1);
    EXPECT_EQ(testing::integers(*writer_, "PRAGMA foreign_keys").at(0), 1);
    EXPECT_EQ(testing::integers(*writer_, "PRAGMA wal_autocheckpoint").at(0), 0);
    auto query = Query::prepare(*writer_, "PRAGMA journal_mode");
    ASSERT_TRUE(query.value()->step().value());
    EXPECT_EQ(query.value()->text(0), "wal");
}

RC_GTEST_FIXTURE_PROP(SqliteTest, OctetsComeBackAsTheyWere,
                      (const std::string& body, const std::string& name))
{
    SetUp();
    RC_ASSERT(insert(1, body, name).has_value());
    auto query = Query::prepare(*writer_, "SELECT body, name, body IS NULL FROM item");
    RC_ASSERT(query.value()->step().value());
    RC_ASSERT(query.value()->blob(0) == body);
    RC_ASSERT(query.value()->text(1) == name);
    RC_ASSERT(query.value()->integer(2) == 0);
}

TEST_F(SqliteTest, NullIsNotTheEmptyText)
{
    auto query = Query::prepare(*writer_, plain_insert_sql);
    query.value()->bind(0, 1).bind_null(1).bind_text(2, "");
    ASSERT_TRUE(query.value()->run());
    auto row = Query::prepare(*writer_, "SELECT body, name FROM item");
    ASSERT_TRUE(row.value()->step().value());
    EXPECT_TRUE(row.value()->is_null(0));
    EXPECT_FALSE(row.value()->is_null(1));
}

TEST_F(SqliteTest, AStatementHandedOutAgainIsAsNew)
{
    ASSERT_TRUE(insert(1, "x", "n"));
    auto query = Query::prepare(*writer_, plain_insert_sql);
    query.value()->bind(0, 2);
    ASSERT_TRUE(query.value()->run());
    auto row = Query::prepare(*writer_, "SELECT name FROM item WHERE id = 2");
    ASSERT_TRUE(row.value()->step().value());
    EXPECT_TRUE(row.value()->is_null(0));
}

TEST_F(SqliteTest, AWrongParameterIsToldAtTheStep)
{
    auto query = Query::prepare(*writer_, plain_insert_sql);
    query.value()->bind(7, 1);
    EXPECT_FALSE(query.value()->run());
}

TEST_F(SqliteTest, BrokenConstraintsAreConflicts)
{
    ASSERT_TRUE(insert(1, "x", "n"));
    EXPECT_EQ(insert(1, "x", "m").error().code, Code::conflict);
    EXPECT_EQ(insert(2, "x", "n").error().code, Code::conflict);
    EXPECT_EQ(writer_->execute("INSERT INTO part VALUES (99)").error().code, Code::conflict);
    EXPECT_FALSE(database_->is_broken());
}

TEST_F(SqliteTest, AFullDatabaseIsUnavailableAndWhole)
{
    ASSERT_TRUE(writer_->execute("PRAGMA max_page_count=20"));
    ASSERT_TRUE(writer_->begin());
    ASSERT_TRUE(insert(1, "x", "n"));
    auto refused = insert(2, std::string(200'000, 'x'), "m");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unavailable);
    writer_->rollback();
    EXPECT_FALSE(database_->is_broken());
    EXPECT_TRUE(testing::integers(*writer_, plain_ids_sql).empty());
}

TEST_F(SqliteTest, AFailedSyncBreaksTheDatabase)
{
    ASSERT_TRUE(writer_->begin());
    ASSERT_TRUE(insert(1, "x", "n"));
    testing::syncs_fail = true;
    auto committed = writer_->commit();
    testing::syncs_fail = false;
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code, Code::unavailable);
    EXPECT_TRUE(database_->is_broken());
    writer_->rollback();
}

TEST_F(SqliteTest, AFailedSyncOfACheckpointBreaksItToo)
{
    ASSERT_TRUE(writer_->begin());
    ASSERT_TRUE(insert(1, std::string(5'000'000, 'x'), "n"));
    ASSERT_TRUE(writer_->commit());
    testing::syncs_fail = true;
    database_->maintain();
    testing::syncs_fail = false;
    EXPECT_TRUE(database_->is_broken());
}

TEST_F(SqliteTest, AReaderSeesCommitsAndWritesNothing)
{
    auto reader = std::move(database_->open_reader().value());
    ASSERT_TRUE(writer_->begin());
    ASSERT_TRUE(insert(1, "x", "n"));
    EXPECT_TRUE(testing::integers(*reader, plain_ids_sql).empty());
    ASSERT_TRUE(writer_->commit());
    EXPECT_EQ(testing::integers(*reader, plain_ids_sql).size(), 1U);
    EXPECT_FALSE(reader->execute("DELETE FROM item"));
}

TEST_F(SqliteTest, TheWalStopsGrowingThoughAReaderLooksOn)
{
    auto reader = std::move(database_->open_reader().value());
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(writer_->begin());
        ASSERT_TRUE(insert(i, std::string(1'000'000, 'x'), std::to_string(i)));
        ASSERT_TRUE(writer_->commit());
        ASSERT_EQ(testing::integers(*reader, plain_ids_sql).size(),
                  static_cast<std::size_t>(i) + 1);
        database_->maintain();
    }
    EXPECT_LT(wal_size(), 40'000'000U);
}

// While much is written its file stays: a sync then has nothing of it but octets to write.
TEST_F(SqliteTest, AFullWalIsBegunAnewInPlace)
{
    const auto write_megabytes = [this](int first, int last) {
        for (int i = first; i < last; ++i)
            ASSERT_TRUE(insert(i, std::string(1'000'000, 'x'), std::to_string(i)));
    };
    write_megabytes(0, 40);
    const auto size = wal_size();
    EXPECT_GT(size, 40'000'000U);
    database_->maintain();
    EXPECT_EQ(wal_size(), size);
    write_megabytes(40, 79);
    EXPECT_EQ(wal_size(), size);
    EXPECT_EQ(testing::integers(*writer_, plain_ids_sql).size(), 79U);
    // And where nothing more comes it is emptied.
    database_->maintain();
    for (int i = 0; i < 22; ++i) database_->maintain();
    EXPECT_EQ(wal_size(), 0U);
}

TEST_F(SqliteTest, AWalThatGrewBehindAReaderIsEmptiedOnceItIsGone)
{
    auto reader = std::move(database_->open_reader().value());
    ASSERT_TRUE(reader->begin());
    ASSERT_TRUE(testing::integers(*reader, plain_ids_sql).empty());
    for (int i = 0; i < 70; ++i) {
        ASSERT_TRUE(insert(i, std::string(1'000'000, 'x'), std::to_string(i)));
    }
    database_->maintain();
    EXPECT_GT(wal_size(), 70'000'000U);
    EXPECT_TRUE(testing::integers(*reader, plain_ids_sql).empty());
    reader->rollback();
    database_->maintain();
    EXPECT_EQ(wal_size(), 0U);
}

TEST_F(SqliteTest, AWriterThatNeverPausesDoesNotKeepTheWalFromBeingEmptied)
{
    std::atomic<bool> has_ended{false};
    std::thread maintenance([&] {
        while (!has_ended) database_->maintain();
    });
    std::uintmax_t largest = 0;
    for (int i = 0; i < 800; ++i) {
        ASSERT_TRUE(writer_->begin());
        ASSERT_TRUE(writer_->execute("INSERT INTO item (body) VALUES (zeroblob(100000))"));
        ASSERT_TRUE(writer_->commit());
        largest = std::max(largest, wal_size());
    }
    has_ended = true;
    maintenance.join();
    EXPECT_LT(largest, 60'000'000U);
    EXPECT_EQ(testing::integers(*writer_, "SELECT count(*) FROM item").at(0), 800);
}

TEST_F(SqliteTest, AWalAtRestIsEmptied)
{
    ASSERT_TRUE(insert(1, "what is to be erased", "n"));
    ASSERT_TRUE(writer_->execute("DELETE FROM item"));
    EXPECT_GT(wal_size(), 0U);
    for (int i = 0; i < 22; ++i) database_->maintain();
    EXPECT_EQ(wal_size(), 0U);
}

TEST_F(SqliteTest, WhatWasErasedLeavesTheWalThoughTheWriterNeverRests)
{
    const std::string secret = "what is to be erased";
    const auto commit = [&](std::int64_t id) {
        ASSERT_TRUE(writer_->begin());
        ASSERT_TRUE(insert(id, "later", std::to_string(id)));
        ASSERT_TRUE(writer_->commit());
    };
    ASSERT_TRUE(insert(1, secret, "n"));
    // Without the word nothing is in a hurry.
    for (std::int64_t i = 2; i < 30; ++i) {
        commit(i);
        database_->maintain();
    }
    EXPECT_FALSE(database_->wants_maintenance());
    EXPECT_NE(file_text("-wal").find(secret), std::string::npos);

    ASSERT_TRUE(writer_->begin());
    writer_->erase_traces();
    ASSERT_TRUE(writer_->execute("DELETE FROM item WHERE id = 1"));
    ASSERT_TRUE(writer_->commit());
    EXPECT_TRUE(database_->wants_maintenance());
    std::int64_t calls = 0;
    for (; database_->wants_maintenance() && calls < 100; ++calls) {
        commit(100 + calls);
        database_->maintain();
    }
    EXPECT_EQ(calls, 8);
    EXPECT_EQ(file_text("-wal").find(secret), std::string::npos);
    EXPECT_EQ(file_text("").find(secret), std::string::npos);
}

TEST_F(SqliteTest, AnErasureThatIsRolledBackHurriesNobody)
{
    ASSERT_TRUE(insert(1, "x", "n"));
    ASSERT_TRUE(writer_->begin());
    writer_->erase_traces();
    ASSERT_TRUE(writer_->execute("DELETE FROM item"));
    writer_->rollback();
    EXPECT_FALSE(database_->wants_maintenance());
    ASSERT_TRUE(writer_->begin());
    ASSERT_TRUE(insert(2, "y", "m"));
    ASSERT_TRUE(writer_->commit());
    EXPECT_FALSE(database_->wants_maintenance());
}

TEST_F(SqliteTest, AReaderThatLooksOnPutsTheEmptyingOffUntilItIsGone)
{
    auto reader = std::move(database_->open_reader().value());
    ASSERT_TRUE(insert(1, "what is to be erased", "n"));
    ASSERT_TRUE(reader->begin());
    ASSERT_FALSE(testing::integers(*reader, plain_ids_sql).empty());
    ASSERT_TRUE(writer_->begin());
    writer_->erase_traces();
    ASSERT_TRUE(writer_->execute("DELETE FROM item"));
    ASSERT_TRUE(writer_->commit());
    for (int i = 0; i < 9; ++i) database_->maintain();
    EXPECT_TRUE(database_->wants_maintenance());
    reader->rollback();
    for (int i = 0; i < 8; ++i) database_->maintain();
    EXPECT_FALSE(database_->wants_maintenance());
    EXPECT_EQ(wal_size(), 0U);
}

TEST(SqliteOpening, AMissingFolderIsASentence)
{
    auto database = make_sqlite_database("/nonexistent/node.db", plain_schema);
    auto writer = database->open_writer();
    ASSERT_FALSE(writer);
    EXPECT_NE(writer.error().detail.find("/nonexistent/node.db"), std::string::npos);
}

}  // namespace
}  // namespace entente::storage
