#include "storage/group_commit.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <sqlite3.h>

#include "storage/sqlite/database.hpp"
#include "support.hpp"

namespace entente::storage {
namespace {

constexpr std::array schema = {Migration{1, "item", "CREATE TABLE item (id INTEGER PRIMARY KEY);"}};
constexpr const char* insert_sql = "INSERT INTO item (id) VALUES (?)";
constexpr const char* ids_sql = "SELECT id FROM item ORDER BY id";

Result<int> insert(WriteTransaction& transaction, int id)
{
    auto query = Query::prepare(transaction.db(), insert_sql);
    if (!query) return fail(query);
    (*query)->bind(0, id);
    auto done = (*query)->run();
    if (!done) return fail(done);
    return id;
}

// Counts what it is told; its flush fails while one of `poison` is in the transaction.
class CountingParticipant final : public Participant {
 public:
    Result<void> flush(WriteTransaction& transaction) override
    {
        const auto ids = testing::integers(transaction.db(), ids_sql);
        for (const auto id : poison) {
            if (std::ranges::find(ids, id) != ids.end()) {
                return fail(Code::unavailable, "poisoned");
            }
        }
        return {};
    }
    void rolled_back() override { ++rollbacks; }
    void committed() override { ++commits; }

    std::vector<std::int64_t> poison;
    int rollbacks = 0;
    int commits = 0;
};

// SQLite's files, but who waits for a lock waits at the gate and then no more: how long it
// would have waited is counted.
class WithoutWaits {
 public:
    WithoutWaits() : vfs_(*::sqlite3_vfs_find(nullptr))
    {
        is_open = false;
        waited_us = 0;
        vfs_.zName = "without-waits";
        vfs_.xSleep = [](sqlite3_vfs*, int microseconds) {
            is_open.wait(false);
            waited_us += microseconds;
            return microseconds;
        };
        ::sqlite3_vfs_register(&vfs_, 0);
    }
    ~WithoutWaits() { ::sqlite3_vfs_unregister(&vfs_); }
    WithoutWaits(const WithoutWaits&) = delete;
    WithoutWaits& operator=(const WithoutWaits&) = delete;

    static inline std::atomic<bool> is_open{false};
    static inline std::atomic<std::int64_t> waited_us{0};

 private:
    sqlite3_vfs vfs_;
};

class GroupCommitTest : public ::testing::Test {
 protected:
    void make(GroupCommitOptions options = {}, const std::string& vfs = {})
    {
        commit_ = std::make_unique<GroupCommit>(io_.get_executor(),
                                                make_sqlite_database(file_, schema, vfs), options,
                                                [this](const Error&) { ++fatal_; });
        commit_->add(participant_);
        ASSERT_TRUE(commit_->start());
    }

    // Holds the writer back until all that a test spawns is queued.
    asio::awaitable<void> hold()
    {
        auto job = [this](WriteTransaction&) -> Result<int> {
            started_.release();
            gate_.acquire();
            return 0;
        };
        auto done = co_await commit_->write(std::move(job));
        EXPECT_TRUE(done);
    }
    void spawn_hold()
    {
        asio::co_spawn(io_, hold(), asio::detached);
        while (!started_.try_acquire()) io_.poll();
    }

    template <class Job>
    asio::awaitable<void> write_one(Job job, int index)
    {
        auto done = co_await commit_->write(std::move(job));
        order_.push_back("done " + std::to_string(index));
        results_[static_cast<std::size_t>(index)] = done;
    }
    template <class Job>
    void spawn(Job job)
    {
        results_.emplace_back(fail(Code::timeout, "not completed"));
        asio::co_spawn(io_, write_one(std::move(job), static_cast<int>(results_.size()) - 1),
                       asio::detached);
    }
    void spawn_insert(int id)
    {
        spawn([this, id](WriteTransaction& transaction) -> Result<int> {
            transaction.after_commit(
                [this, id] { order_.push_back("action " + std::to_string(id)); });
            return insert(transaction, id);
        });
    }
    // Queues everything, then lets the writer go and runs to the end.
    void finish()
    {
        io_.restart();
        io_.poll();
        gate_.release();
        io_.restart();
        io_.run();
    }
    std::vector<std::int64_t> stored()
    {
        auto database = make_sqlite_database(file_, schema);
        auto opened = database->open_writer();
        if (!opened) throw std::runtime_error(opened.error().detail);
        auto connection = std::move(*opened);
        return testing::integers(*connection, ids_sql);
    }

    testing::TemporaryFolder folder_;
    std::string file_ = folder_.file("node.db");
    asio::io_context io_{1};
    CountingParticipant participant_;
    std::counting_semaphore<> gate_{0};
    std::counting_semaphore<> started_{0};
    std::vector<Result<int>> results_;
    std::vector<std::string> order_;
    int fatal_ = 0;
    std::unique_ptr<GroupCommit> commit_;
};

TEST_F(GroupCommitTest, ManyJobsShareOneCommit)
{
    make();
    spawn_hold();
    for (int i = 0; i < 300; ++i) spawn_insert(i);
    finish();
    for (int i = 0; i < 300; ++i) EXPECT_EQ(results_[static_cast<std::size_t>(i)].value(), i);
    const auto figures = commit_->figures();
    EXPECT_EQ(figures.commits, 2U);
    EXPECT_EQ(figures.jobs, 301U);
    EXPECT_EQ(figures.queued, 0U);
    EXPECT_EQ(participant_.commits, 2);
    EXPECT_EQ(stored().size(), 300U);
}

TEST_F(GroupCommitTest, ACommitTakesNoMoreThanItsLimit)
{
    GroupCommitOptions options;
    options.max_jobs_per_commit = 10;
    make(options);
    spawn_hold();
    for (int i = 0; i < 100; ++i) spawn_insert(i);
    finish();
    EXPECT_EQ(commit_->figures().commits, 11U);
}

TEST_F(GroupCommitTest, ActionsRunInOrderBeforeAnyCompletion)
{
    make();
    spawn_hold();
    for (int i = 0; i < 3; ++i) spawn_insert(i);
    finish();
    EXPECT_EQ(order_, (std::vector<std::string>{"action 0", "action 1", "action 2", "done 0",
                                                "done 1", "done 2"}));
}

TEST_F(GroupCommitTest, AJobThatRefusesLeavesTheOthersInOneCommit)
{
    make();
    spawn_hold();
    spawn_insert(1);
    spawn([this](WriteTransaction& transaction) -> Result<int> {
        transaction.after_commit([this] { order_.push_back("never"); });
        return fail(Code::forbidden, "no");
    });
    spawn_insert(2);
    finish();
    EXPECT_TRUE(results_[0]);
    EXPECT_EQ(results_[1].error().code, Code::forbidden);
    EXPECT_TRUE(results_[2]);
    EXPECT_EQ(commit_->figures().commits, 2U);
    EXPECT_EQ(participant_.rollbacks, 0);
    EXPECT_EQ(std::ranges::count(order_, "never"), 0);
}

TEST_F(GroupCommitTest, AJobThatFailsHalfWayIsUndoneAlone)
{
    make();
    spawn_hold();
    spawn_insert(1);
    spawn([](WriteTransaction& transaction) -> Result<int> {
        auto written = insert(transaction, 50);
        if (!written) return written;
        return insert(transaction, 50);
    });
    spawn_insert(2);
    finish();
    EXPECT_EQ(results_[1].error().code, Code::conflict);
    EXPECT_EQ(stored(), (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(std::ranges::count(order_, "action 1"), 1);
}

TEST_F(GroupCommitTest, AJobThatThrowsIsOurFaultAlone)
{
    make();
    spawn_hold();
    spawn_insert(1);
    spawn([](WriteTransaction& transaction) -> Result<int> {
        auto written = insert(transaction, 50);
        throw std::runtime_error("a bug " + std::to_string(written.value()));
    });
    spawn_insert(2);
    finish();
    EXPECT_TRUE(results_[0]);
    EXPECT_EQ(results_[1].error().code, Code::internal);
    EXPECT_TRUE(results_[2]);
    EXPECT_EQ(stored(), (std::vector<std::int64_t>{1, 2}));
}

// Another program has begun to write and doesn't end: SQLite waits 5 s for it. The first that
// came and all that came behind it wait so long, not each of them.
TEST_F(GroupCommitTest, WhereNothingCanBeBegunAllThatWaitAreRefusedTogether)
{
    WithoutWaits vfs;
    make({}, "without-waits");
    auto other = make_sqlite_database(file_, schema);
    auto opened = other->open_writer();
    ASSERT_TRUE(opened);
    ASSERT_TRUE((*opened)->begin());
    for (int i = 0; i < 20; ++i) spawn_insert(i);
    io_.restart();
    io_.poll();
    WithoutWaits::is_open = true;
    WithoutWaits::is_open.notify_all();
    io_.restart();
    io_.run();
    for (const auto& result : results_) EXPECT_EQ(result.error().code, Code::unavailable);
    EXPECT_GE(WithoutWaits::waited_us, 4'000'000);
    EXPECT_LE(WithoutWaits::waited_us, 11'000'000);
    (*opened)->rollback();
    spawn_insert(20);
    io_.restart();
    io_.run();
    EXPECT_TRUE(results_.back());
    commit_->stop();
    commit_.reset();
    opened->reset();
    EXPECT_EQ(stored(), (std::vector<std::int64_t>{20}));
}

TEST_F(GroupCommitTest, AFailedFlushIsRunAgainOneByOne)
{
    make();
    spawn_hold();
    for (int i = 0; i < 5; ++i) spawn_insert(i);
    participant_.poison = {3};
    finish();
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(results_[i].has_value(), i != 3) << i;
    EXPECT_EQ(stored(), (std::vector<std::int64_t>{0, 1, 2, 4}));
    // The batch and the poisoned one; each of the others once in a commit of its own.
    EXPECT_EQ(participant_.rollbacks, 2);
    EXPECT_EQ(commit_->figures().commits, 5U);
    EXPECT_EQ(std::ranges::count(order_, "action 3"), 0);
    EXPECT_EQ(std::ranges::count(order_, "action 4"), 1);
}

// [INBOX-2]
TEST_F(GroupCommitTest, AfterAFailedSyncNothingIsAcknowledged)
{
    make();
    spawn_hold();
    for (int i = 0; i < 5; ++i) spawn_insert(i);
    // The held job wrote nothing, so that the first sync is that of the five.
    testing::syncs_fail = true;
    finish();
    testing::syncs_fail = false;
    spawn_insert(6);
    finish();
    for (auto& result : results_) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, Code::unavailable);
    }
    EXPECT_EQ(fatal_, 1);
    EXPECT_EQ(std::ranges::count(order_, "action 0"), 0);
}

TEST_F(GroupCommitTest, ACancelledWaiterReturnsAtOnceAndItsJobStillRuns)
{
    make();
    spawn_hold();
    asio::cancellation_signal signal;
    bool has_ended = false;
    results_.emplace_back(fail(Code::timeout, "not completed"));
    auto job = [](WriteTransaction& transaction) { return insert(transaction, 7); };
    asio::co_spawn(
        io_, write_one(job, 0),
        asio::bind_cancellation_slot(
            signal.slot(), [&has_ended](const std::exception_ptr&) { has_ended = true; }));
    io_.restart();
    io_.poll();
    signal.emit(asio::cancellation_type::terminal);
    io_.restart();
    io_.poll();
    EXPECT_TRUE(has_ended);
    finish();
    commit_->stop();
    EXPECT_EQ(stored(), (std::vector<std::int64_t>{7}));
}

TEST_F(GroupCommitTest, AFullQueueRefuses)
{
    GroupCommitOptions options;
    options.writes.jobs = 2;
    make(options);
    spawn_hold();
    for (int i = 0; i < 4; ++i) spawn_insert(i);
    finish();
    EXPECT_TRUE(results_[0] && results_[1]);
    EXPECT_EQ(results_[2].error().code, Code::unavailable);
    EXPECT_EQ(results_[3].error().retry_after, 1);
    EXPECT_EQ(stored().size(), 2U);
}

TEST_F(GroupCommitTest, StoppingFromTheIoThreadRunsWhatIsQueued)
{
    make();
    spawn_hold();
    for (int i = 0; i < 20; ++i) spawn_insert(i);
    io_.restart();
    io_.poll();
    gate_.release();
    commit_->stop();
    EXPECT_TRUE(order_.empty());
    io_.restart();
    io_.run();
    for (auto& result : results_) EXPECT_TRUE(result);
    spawn_insert(99);
    io_.restart();
    io_.run();
    EXPECT_EQ(results_.back().error().code, Code::unavailable);
}

TEST_F(GroupCommitTest, UnfinishedWaitersMayDieWithTheirExecutor)
{
    auto io = std::make_unique<asio::io_context>(1);
    auto own = std::make_unique<GroupCommit>(
        io->get_executor(), make_sqlite_database(file_, schema), GroupCommitOptions{}, nullptr);
    ASSERT_TRUE(own->start());
    auto job = [](WriteTransaction& transaction) { return insert(transaction, 1); };
    asio::co_spawn(*io, own->write(job), [](const std::exception_ptr&, Result<int>) { FAIL(); });
    io->poll();
    own.reset();
    io.reset();
    EXPECT_EQ(stored().size(), 1U);
}

TEST_F(GroupCommitTest, ReadersSeeWhatIsCommittedAndNoMore)
{
    make();
    spawn_insert(1);
    finish();
    auto job = [](Connection& connection) -> Result<std::size_t> {
        return testing::integers(connection, ids_sql).size();
    };
    EXPECT_EQ(testing::run(io_, commit_->read(job)).value(), 1U);
    auto bad = [](Connection& connection) -> Result<int> {
        auto done = connection.execute("DELETE FROM item");
        if (!done) return fail(done);
        return 0;
    };
    EXPECT_FALSE(testing::run(io_, commit_->read(bad)));
    EXPECT_EQ(stored().size(), 1U);
}

TEST_F(GroupCommitTest, ADatabaseThatCannotBeOpenedIsAnError)
{
    GroupCommit broken(io_.get_executor(), make_sqlite_database("/nonexistent/x.db", schema), {},
                       nullptr);
    EXPECT_FALSE(broken.start());
}

asio::awaitable<void> insert_for_ever(GroupCommit& commit, int first, int step)
{
    for (int id = first;; id += step) {
        auto job = [id](WriteTransaction& transaction) { return insert(transaction, id); };
        auto done = co_await commit.write(job);
        if (!done) std::_Exit(1);
        testing::print_number(id);
    }
}

int commit_for_ever(const std::string& file)
{
    asio::io_context io{1};
    GroupCommit commit(io.get_executor(), make_sqlite_database(file, schema), {}, nullptr);
    if (!commit.start()) return 1;
    constexpr int writers = 20;
    for (int i = 0; i < writers; ++i) {
        asio::co_spawn(io, insert_for_ever(commit, i, writers), asio::detached);
    }
    io.run();
    return 0;
}
const testing::Child committer("commit", commit_for_ever);

// [INBOX-2]
TEST_F(GroupCommitTest, WhatWasAcknowledgedIsThereAfterKill9)
{
    for (int round = 0; round < 5; ++round) {
        file_ = folder_.file("killed" + std::to_string(round) + ".db");
        const auto acknowledged = testing::kill_child_after("commit", file_, 400);
        ASSERT_GE(acknowledged.size(), 400U);
        const auto rows = stored();
        for (const int id : acknowledged) {
            ASSERT_TRUE(std::ranges::binary_search(rows, id)) << id;
        }
    }
}

}  // namespace
}  // namespace entente::storage
