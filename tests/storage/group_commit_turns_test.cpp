// How group commit shares the writer and the readers between those who cause the jobs.
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "storage/group_commit.hpp"
#include "storage/sqlite/database.hpp"
#include "support.hpp"

namespace entente::storage {
namespace {

class GroupCommitTurns : public ::testing::Test {
 protected:
    void make(GroupCommitOptions options)
    {
        commit_ = std::make_unique<GroupCommit>(io_.get_executor(),
                                                make_sqlite_database(folder_.file("turns.db"), {}),
                                                options, nullptr);
        ASSERT_TRUE(commit_->start());
    }
    void TearDown() override
    {
        gate_.release(100);
        commit_->stop();
        io_.restart();
        io_.run();
    }

    // A job that says its name when it runs, and waits at the gate where it is to.
    asio::awaitable<void> write(std::string name, Cause cause, bool at_gate)
    {
        auto job = [this, name, at_gate](WriteTransaction&) -> Result<int> {
            ++begun_;
            if (at_gate) gate_.acquire();
            note_run(name);
            return 0;
        };
        auto done = co_await commit_->write(std::move(job), std::move(cause));
        if (!done) refused_.push_back(name);
    }
    asio::awaitable<void> read(std::string name, Cause cause, bool at_gate)
    {
        auto job = [this, at_gate](Connection&) -> Result<int> {
            ++begun_;
            if (at_gate) gate_.acquire();
            return 0;
        };
        auto done = co_await commit_->read(std::move(job), std::move(cause));
        if (done)
            note_run(name);
        else
            refused_.push_back(name);
    }
    void spawn_write(const std::string& name, const std::string& who, std::size_t octets = 0,
                     bool at_gate = false)
    {
        asio::co_spawn(io_, write(name, {who, octets}, at_gate), asio::detached);
        io_.restart();
        io_.poll();
    }
    void spawn_read(const std::string& name, const std::string& who, bool at_gate = false)
    {
        asio::co_spawn(io_, read(name, {who, 0}, at_gate), asio::detached);
        io_.restart();
        io_.poll();
    }
    void hold_writer()
    {
        spawn_write("held", "", 0, true);
        while (begun_ == 0) io_.poll();
    }
    void run_until(const std::function<bool()>& done)
    {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!done() && std::chrono::steady_clock::now() < end) {
            io_.restart();
            io_.run_one_for(std::chrono::milliseconds(10));
        }
        ASSERT_TRUE(done());
    }

    // The names of the jobs that are done, in their order.
    [[nodiscard]] std::vector<std::string> ran()
    {
        const std::lock_guard lock(mutex_);
        return ran_;
    }

    testing::TemporaryFolder folder_;
    asio::io_context io_{1};
    std::unique_ptr<GroupCommit> commit_;
    std::counting_semaphore<1000> gate_{0};
    std::atomic<int> begun_{0};
    std::vector<std::string> refused_;

 private:
    // On the writer's thread where it is a job that writes.
    void note_run(const std::string& name)
    {
        const std::lock_guard lock(mutex_);
        ran_.push_back(name);
    }

    std::mutex mutex_;
    std::vector<std::string> ran_;
};

TEST_F(GroupCommitTurns, AQuietWriterIsInTheNextCommitHoweverMuchOthersHaveWaiting)
{
    make({});
    hold_writer();
    // Two commits' worth and more.
    for (int i = 0; i < 600; ++i) spawn_write("busy", "busy", 20'000);
    spawn_write("quiet", "quiet");
    const auto before = commit_->figures().commits;
    gate_.release();
    run_until([&] { return ran().size() == 602; });
    const auto order = ran();
    const auto place = std::ranges::find(order, "quiet") - order.begin();
    EXPECT_LE(place, 3);
    // 12.6 MB, of a megabyte at most each.
    EXPECT_GE(commit_->figures().commits - before, 12U);
}

TEST_F(GroupCommitTurns, OneCauseFillsItsShareAndOthersStillFindRoom)
{
    GroupCommitOptions options;
    options.writes.octets = 1'000'000;
    options.writes.much = 300'000;
    options.writes.little = 100'000;
    make(options);
    hold_writer();
    for (int i = 0; i < 10; ++i) spawn_write("flood", "flooder", 90'000);
    EXPECT_EQ(refused_.size(), 7U);
    spawn_write("quiet", "quiet", 90'000);
    EXPECT_EQ(refused_.size(), 7U);
    gate_.release();
    run_until([&] { return ran().size() == 5; });
    spawn_write("flood again", "flooder", 90'000);
    run_until([&] { return ran().size() == 6; });
}

TEST_F(GroupCommitTurns, OneCauseTakesOneReaderHoweverMuchItAsksFor)
{
    GroupCommitOptions options;
    options.readers = 2;
    make(options);
    for (int i = 0; i < 5; ++i) spawn_read("busy", "busy", true);
    run_until([&] { return begun_ == 1; });
    spawn_read("quiet", "quiet");
    run_until([&] { return ran() == std::vector<std::string>{"quiet"}; });
    EXPECT_EQ(begun_, 2);
    gate_.release(5);
    run_until([&] { return ran().size() == 6; });
}

// What waits for readers keeps no writer busy.
TEST_F(GroupCommitTurns, JobsForTheWriterAndForReadersAreCountedApart)
{
    GroupCommitOptions options;
    options.readers = 1;
    make(options);
    for (int i = 0; i < 5; ++i) spawn_read("busy", "busy", true);
    run_until([&] { return begun_ == 1; });
    EXPECT_EQ(commit_->figures().queued, 0U);
    EXPECT_EQ(commit_->figures().queued_reads, 4U);
    spawn_write("held", "", 0, true);
    run_until([&] { return begun_ == 2; });
    spawn_write("waits", "quiet");
    EXPECT_EQ(commit_->figures().queued, 1U);
    EXPECT_EQ(commit_->figures().queued_reads, 4U);
    gate_.release(6);
    run_until([&] { return ran().size() == 7; });
}

TEST_F(GroupCommitTurns, NoMoreIsReadThanTheWaitersTake)
{
    GroupCommitOptions options;
    options.max_results = 3;
    make(options);
    for (int i = 0; i < 10; ++i)
        asio::co_spawn(io_, read("read", {"user" + std::to_string(i), 0}, false), asio::detached);
    // Starts the ten, and takes no result.
    io_.restart();
    for (int i = 0; i < 10; ++i) io_.poll_one();
    ASSERT_TRUE(ran().empty());
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (begun_ < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(begun_, 3);
    EXPECT_EQ(commit_->figures().queued_reads, 7U);
    // Each result that is taken lets one more be read.
    run_until([&] {
        EXPECT_LE(begun_ - static_cast<int>(ran().size()), 3);
        return ran().size() == 10;
    });
}

}  // namespace
}  // namespace entente::storage
