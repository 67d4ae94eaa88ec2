// Group commit without threads: the same batches, commits and rollbacks, in the turns that
// whoever runs the executor gives.
#include <array>
#include <deque>

#include <gtest/gtest.h>
#include <boost/asio/detached.hpp>

#include "storage/group_commit.hpp"
#include "storage/sqlite/database.hpp"
#include "support.hpp"

namespace entente::storage {
namespace {

constexpr std::array schema = {Migration{1, "item", "CREATE TABLE item (id INTEGER PRIMARY KEY);"}};
constexpr const char* insert_sql = "INSERT INTO item (id) VALUES (?)";
constexpr const char* ids_sql = "SELECT id FROM item ORDER BY id";

class Turning : public ::testing::Test {
 protected:
    Turning()
    {
        GroupCommitOptions options;
        options.turns = [this](std::function<void()> turn, std::chrono::milliseconds after) {
            (after.count() > 0 ? later_ : turns_).push_back(std::move(turn));
        };
        commit_ = std::make_unique<GroupCommit>(io_.get_executor(),
                                                make_sqlite_database(folder_.file("db"), schema),
                                                options, [this](const Error&) { ++fatal_; });
        EXPECT_TRUE(commit_->start());
    }

    asio::awaitable<void> write(int id)
    {
        auto job = [id](WriteTransaction& transaction) -> Result<int> {
            auto query = Query::prepare(transaction.db(), insert_sql);
            if (!query) return fail(query);
            (*query)->bind(0, id);
            auto done = (*query)->run();
            if (!done) return fail(done);
            return id;
        };
        auto done = co_await commit_->write(std::move(job));
        outcomes_.push_back(done ? *done : -id);
    }
    asio::awaitable<void> read(std::string who)
    {
        auto job = [](Connection& db) -> Result<std::vector<std::int64_t>> {
            return testing::integers(db, ids_sql);
        };
        Cause cause{who, 0};
        auto done = co_await commit_->read(std::move(job), std::move(cause));
        if (done) seen_ = *done;
        ++reads_;
    }
    void spawn(asio::awaitable<void> task) { asio::co_spawn(io_, std::move(task), asio::detached); }
    void poll()
    {
        io_.restart();
        io_.poll();
    }
    // One turn; false where none waits.
    bool turn()
    {
        poll();
        if (turns_.empty()) return false;
        auto next = std::move(turns_.front());
        turns_.pop_front();
        next();
        poll();
        return true;
    }

    testing::TemporaryFolder folder_;
    asio::io_context io_{1};
    std::deque<std::function<void()>> turns_;
    std::deque<std::function<void()>> later_;
    std::vector<int> outcomes_;
    std::vector<std::int64_t> seen_;
    int reads_ = 0;
    int fatal_ = 0;
    std::unique_ptr<GroupCommit> commit_;
};

TEST_F(Turning, WhatWaitsForATurnIsOneCommit)
{
    for (int id = 1; id <= 3; ++id) spawn(write(id));
    poll();
    EXPECT_TRUE(outcomes_.empty());
    ASSERT_EQ(turns_.size(), 1U);
    ASSERT_TRUE(turn());
    EXPECT_EQ(outcomes_, (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(commit_->figures().commits, 1U);
}

TEST_F(Turning, AJobThatFailsHurtsNobodyElse)
{
    for (const int id : {1, 1, 2}) spawn(write(id));
    ASSERT_TRUE(turn());
    EXPECT_EQ(outcomes_, (std::vector<int>{1, -1, 2}));
}

TEST_F(Turning, ReadsHaveTurnsOfTheirOwn)
{
    spawn(write(7));
    while (turn()) {
    }
    spawn(read("a"));
    spawn(read("b"));
    poll();
    ASSERT_EQ(turns_.size(), 2U);
    ASSERT_TRUE(turn());
    EXPECT_EQ(seen_, (std::vector<std::int64_t>{7}));
}

// A turn that finds only jobs that wait for their cause's last one is lost; none of them is.
TEST_F(Turning, ReadsOfOneCauseAllComeUp)
{
    for (int i = 0; i < 3; ++i) spawn(read("a"));
    poll();
    ASSERT_EQ(turns_.size(), 3U);
    // All of them before the first result is taken.
    for (int i = 0; i < 3; ++i) {
        turns_.front()();
        turns_.pop_front();
    }
    while (turn()) {
    }
    EXPECT_EQ(reads_, 3);
}

TEST_F(Turning, MaintenanceComesToRest)
{
    spawn(write(1));
    ASSERT_TRUE(turn());
    int turns = 0;
    for (; !later_.empty() && turns < 1'000; ++turns) {
        auto next = std::move(later_.front());
        later_.pop_front();
        next();
    }
    EXPECT_GT(turns, 1);
    EXPECT_TRUE(later_.empty());
}

TEST_F(Turning, AStopRunsWhatIsQueued)
{
    spawn(write(1));
    for (int i = 0; i < 20; ++i) spawn(read("a"));
    poll();
    commit_->stop();
    poll();
    EXPECT_EQ(outcomes_, (std::vector<int>{1}));
    EXPECT_EQ(seen_, (std::vector<std::int64_t>{1}));
    EXPECT_EQ(reads_, 20);
}

TEST_F(Turning, ATurnThatComesTooLateDoesNothing)
{
    spawn(write(1));
    poll();
    auto late = std::move(turns_.front());
    turns_.pop_front();
    commit_.reset();
    late();
    poll();
    EXPECT_EQ(outcomes_, (std::vector<int>{1}));  // by the stop
}

}  // namespace
}  // namespace entente::storage
