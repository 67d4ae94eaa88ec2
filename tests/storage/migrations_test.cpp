#include "storage/migrations.hpp"

#include <array>

#include <gtest/gtest.h>

#include "storage/sqlite/database.hpp"
#include "support.hpp"

namespace entente::storage {
namespace {

constexpr Migration first{1, "first", "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"};
constexpr Migration second{2, "second", "CREATE TABLE b (x INTEGER);"};

class MigrationsTest : public ::testing::Test {
 protected:
    // Empty where it went through, else the sentence.
    std::string open_with(std::span<const Migration> migrations)
    {
        auto database = make_sqlite_database(file_, migrations);
        auto writer = database->open_writer();
        if (!writer) return writer.error().detail;
        applied_ = testing::integers(**writer, "SELECT number FROM migration ORDER BY number");
        return {};
    }

    testing::TemporaryFolder folder_;
    std::string file_ = folder_.file("node.db");
    std::vector<std::int64_t> applied_;
};

TEST_F(MigrationsTest, EachIsAppliedOnce)
{
    EXPECT_EQ(open_with(std::array{first}), "");
    EXPECT_EQ(open_with(std::array{first, second}), "");
    EXPECT_EQ(open_with(std::array{first, second}), "");
    EXPECT_EQ(applied_, (std::vector<std::int64_t>{1, 2}));
}

TEST_F(MigrationsTest, AnEditedOneIsRefusedByName)
{
    ASSERT_EQ(open_with(std::array{first}), "");
    auto edited = first;
    edited.sql = "CREATE TABLE a (y INTEGER);";
    const auto sentence = open_with(std::array{edited});
    EXPECT_NE(sentence.find("migration 1 (first) was edited"), std::string::npos) << sentence;
}

TEST_F(MigrationsTest, ANewerDatabaseIsRefused)
{
    ASSERT_EQ(open_with(std::array{first, second}), "");
    const auto sentence = open_with(std::array{first});
    EXPECT_NE(sentence.find("newer than this program"), std::string::npos) << sentence;
}

TEST_F(MigrationsTest, OneThatComesTooLateIsRefused)
{
    const Migration third{3, "third", "CREATE TABLE c (x INTEGER);"};
    ASSERT_EQ(open_with(std::array{first, third}), "");
    const auto sentence = open_with(std::array{first, second, third});
    EXPECT_NE(sentence.find("another line of versions"), std::string::npos) << sentence;
}

TEST_F(MigrationsTest, AFailingOneLeavesNothingBehind)
{
    const Migration broken{2, "broken",
                           "CREATE TABLE b (x INTEGER); INSERT INTO nowhere VALUES (1);"};
    const auto sentence = open_with(std::array{first, broken});
    EXPECT_NE(sentence.find("migration 2 (broken) failed"), std::string::npos) << sentence;
    // The first stays, and the second's table isn't in the way.
    EXPECT_EQ(open_with(std::array{first, second}), "");
}

TEST_F(MigrationsTest, TheEmbeddedOnesApplyInOrder)
{
    const auto embedded = sqlite_migrations();
    EXPECT_EQ(open_with(embedded), "");
    EXPECT_EQ(applied_.size(), embedded.size());
    for (std::size_t i = 0; i < applied_.size(); ++i) EXPECT_EQ(applied_[i], embedded[i].number);
}

TEST_F(MigrationsTest, WhatWasAppliedOnceStaysKnownWhenItsTableIsMadeAnew)
{
    constexpr std::size_t before_by_time = 4;
    ASSERT_EQ(open_with(sqlite_migrations().first(before_by_time)), "");
    {
        auto writer =
            make_sqlite_database(file_, sqlite_migrations().first(before_by_time))->open_writer();
        ASSERT_TRUE(writer);
        ASSERT_TRUE(
            (*writer)->execute("INSERT INTO dedup (channel, origin, txn, seq) VALUES "
                               "(1, 1, x'02', 7), (1, 2, x'02', 8), (2, 1, x'01', 9)"));
    }
    ASSERT_EQ(open_with(sqlite_migrations()), "");
    auto writer = make_sqlite_database(file_)->open_writer();
    ASSERT_TRUE(writer);
    EXPECT_EQ(testing::integers(**writer, "SELECT seq FROM dedup ORDER BY seq"),
              (std::vector<std::int64_t>{7, 8, 9}));
    EXPECT_EQ(testing::integers(**writer,
                                "SELECT seq FROM dedup WHERE channel = 1 AND origin = 2 "
                                "AND txn = x'02'"),
              (std::vector<std::int64_t>{8}));
}

}  // namespace
}  // namespace entente::storage
