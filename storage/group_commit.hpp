// Group commit: writers queue; the writer thread runs all that wait in one transaction
// and completes them with one post after the one fsync. A commit that fails is run again
// job by job, so that one failure hurts nobody else. A second class of threads, the
// readers, runs jobs on connections of their own.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "protocol/result.hpp"
#include "storage/driver.hpp"
#include "storage/turns.hpp"

namespace entente::storage {

namespace asio = boost::asio;

// The open transaction as a job sees it, on the writer's thread.
class WriteTransaction {
 public:
    explicit WriteTransaction(Connection& connection) : connection_(connection) {}
    [[nodiscard]] Connection& db() { return connection_; }
    // Runs on the I/O executor after the commit, before the job's own completion, in
    // the order of registration; dropped when the commit fails.
    void after_commit(std::function<void()> action) { actions_.push_back(std::move(action)); }
    [[nodiscard]] std::vector<std::function<void()>>& actions() { return actions_; }

 private:
    Connection& connection_;
    std::vector<std::function<void()>> actions_;
};

// What keeps state in memory beside the database takes part in every transaction.
class Participant {
 public:
    virtual ~Participant() = default;
    // Before the commit: write what the jobs have gathered.
    [[nodiscard]] virtual Result<void> flush(WriteTransaction& transaction) = 0;
    // The transaction was rolled back: forget what came from it.
    virtual void rolled_back() = 0;
    // It is durable. On the writer's thread.
    virtual void committed() {}
};

struct GroupCommitOptions {
    std::size_t readers = 2;
    std::size_t max_jobs_per_commit = 512;
    std::size_t max_queued = 65'536;  // beyond it a job is refused: `unavailable`
    Turns turns = {};                 // empty: threads of its own
};

// A job that fails must not have written or changed anything a participant holds:
// validate first. Jobs may be run twice (after a failed commit) and must then give the
// same answer.
class GroupCommit {
 public:
    // `on_fatal` is called once, on the I/O executor, when the disk can no longer be
    // trusted (a failed sync): nothing is acknowledged from then on.
    GroupCommit(asio::any_io_executor io, std::unique_ptr<Database> database,
                GroupCommitOptions options, std::function<void(Error)> on_fatal);
    ~GroupCommit();  // stops: runs what is queued, then joins
    GroupCommit(const GroupCommit&) = delete;
    GroupCommit& operator=(const GroupCommit&) = delete;

    // Opens the connections, migrates, starts the threads. Participants are added before.
    void add(Participant& participant);
    [[nodiscard]] Result<void> start();
    void stop();

    // Job: Result<T>(WriteTransaction&). Resumes on the I/O executor once durable.
    template <std::invocable<WriteTransaction&> Job>
    auto write(Job job) -> asio::awaitable<std::invoke_result_t<Job&, WriteTransaction&>>
    {
        using Outcome = std::invoke_result_t<Job&, WriteTransaction&>;
        // Shared, so that a cancelled waiter leaves the running job something to write to.
        auto outcome = std::make_shared<std::optional<Outcome>>();
        std::function<Result<void>(WriteTransaction&)> erased =
            [outcome, job = std::make_shared<Job>(std::move(job))](
                WriteTransaction& transaction) -> Result<void> {
            outcome->emplace((*job)(transaction));
            if (!**outcome) return fail(**outcome);
            return {};
        };
        auto done = co_await enqueue_write(std::move(erased));
        if (!done) co_return fail(done);
        co_return std::move(**outcome);
    }

    // Job: Result<T>(Connection&), on a reader's thread, outside of any transaction of ours.
    template <std::invocable<Connection&> Job>
    auto read(Job job) -> asio::awaitable<std::invoke_result_t<Job&, Connection&>>
    {
        using Outcome = std::invoke_result_t<Job&, Connection&>;
        auto outcome = std::make_shared<std::optional<Outcome>>();
        std::function<Result<void>(Connection&)> erased =
            [outcome,
             job = std::make_shared<Job>(std::move(job))](Connection& connection) -> Result<void> {
            outcome->emplace((*job)(connection));
            if (!**outcome) return fail(**outcome);
            return {};
        };
        auto done = co_await enqueue_read(std::move(erased));
        if (!done) co_return fail(done);
        co_return std::move(**outcome);
    }

    struct Figures {
        std::uint64_t commits = 0;
        std::uint64_t jobs = 0;
        std::size_t queued = 0;
    };
    [[nodiscard]] Figures figures() const;

 private:
    asio::awaitable<Result<void>> enqueue_write(std::function<Result<void>(WriteTransaction&)> job);
    asio::awaitable<Result<void>> enqueue_read(std::function<Result<void>(Connection&)> job);

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace entente::storage
