// Group commit: writers queue; the writer thread runs all that wait in one transaction
// and completes them with one post after the one fsync. A commit that fails is run again
// job by job, so that one failure hurts nobody else. A second class of threads, the
// readers, runs jobs on connections of their own. Both queues are fair (fair_queue.hpp)
// between those who cause the jobs: users, other servers.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "protocol/result.hpp"
#include "storage/driver.hpp"
#include "storage/fair_queue.hpp"
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
    // A commit has no more octets, but of one larger job alone: it is what others wait for.
    std::size_t max_octets_per_commit = 1024 * 1024;
    // Beyond it a job is refused: `unavailable`.
    FairQueueLimits writes = {};
    FairQueueLimits reads = {};
    // Results of readers that the I/O thread hasn't taken yet: no more is read meanwhile.
    std::size_t max_results = 16;
    Turns turns = {};  // empty: threads of its own
    // On the I/O executor: the disk has become full, or has taken something again.
    std::function<void(bool is_full)> disk_full = {};
};

// Who caused a job, a user's or another server's name or "" for ourselves, and how much
// memory the job holds while it waits, roughly.
struct Cause {
    std::string who;
    std::size_t octets = 0;
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

    // Job: Result<T>(WriteTransaction&). Resumes on the I/O executor once durable. The jobs
    // of one cause keep their order.
    template <std::invocable<WriteTransaction&> Job>
    auto write(Job job, Cause cause)
        -> asio::awaitable<std::invoke_result_t<Job&, WriteTransaction&>>
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
        auto done = co_await enqueue_write(std::move(erased), std::move(cause));
        if (!done) co_return fail(done);
        co_return std::move(**outcome);
    }
    template <std::invocable<WriteTransaction&> Job>
    auto write(Job job)
    {
        return write(std::move(job), Cause{});
    }

    // Job: Result<T>(Connection&), on a reader's thread, outside of any transaction of ours.
    // One job of a cause is under way at a time, until its waiter has taken the result.
    template <std::invocable<Connection&> Job>
    auto read(Job job, Cause cause) -> asio::awaitable<std::invoke_result_t<Job&, Connection&>>
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
        auto done = co_await enqueue_read(std::move(erased), std::move(cause));
        if (!done) co_return fail(done);
        co_return std::move(**outcome);
    }
    template <std::invocable<Connection&> Job>
    auto read(Job job)
    {
        return read(std::move(job), Cause{});
    }

    struct Figures {
        std::uint64_t commits = 0;
        std::uint64_t jobs = 0;
        std::size_t queued = 0;        // for the writer
        std::size_t queued_reads = 0;  // for the readers
    };
    [[nodiscard]] Figures figures() const;

 private:
    asio::awaitable<Result<void>> enqueue_write(std::function<Result<void>(WriteTransaction&)> job,
                                                Cause cause);
    asio::awaitable<Result<void>> enqueue_read(std::function<Result<void>(Connection&)> job,
                                               Cause cause);

    struct State;
    std::shared_ptr<State> state_;  // what is posted to the executor may outlive this
};

}  // namespace entente::storage
