#include "storage/group_commit.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include <pthread.h>
#include <boost/asio/post.hpp>

#include "storage/commit_jobs.hpp"

namespace entente::storage {
namespace {

// On a disk that is nearly full small commits go through between others.
constexpr auto full_at_least = std::chrono::seconds(2);
constexpr auto maintenance_interval = std::chrono::milliseconds(250);
// Calls of `maintain` after the last commit, so that the backend notices the rest.
constexpr int maintenance_calls_at_rest = 24;

void name_this_thread(const char* name)
{
    pthread_setname_np(pthread_self(), name);
}

Error disk_not_trusted()
{
    return {Code::unavailable, "the disk can no longer be trusted", {}, 0};
}

}  // namespace

struct GroupCommit::State : std::enable_shared_from_this<GroupCommit::State> {
    State(asio::any_io_executor executor, std::unique_ptr<Database> opened,
          GroupCommitOptions wanted, std::function<void(Error)> on_fatal_wanted)
        : io(std::move(executor)),
          database(std::move(opened)),
          options(std::move(wanted)),
          on_fatal(std::move(on_fatal_wanted)),
          writes(options.writes),
          reads(options.reads, true)
    {
    }

    template <class Job>
    void enqueue(FairQueue<Pending<Job>>& queue, std::condition_variable& wake, Job job,
                 Cause cause, std::shared_ptr<Waiter> waiter, bool writes_something);
    // Each does what is next; false where there is nothing, with threads: and will be nothing.
    bool write_once();
    bool read_once(Connection& connection);
    void maintain_once();
    void write_loop();
    void read_loop(Connection& connection);
    void post_read(std::string cause, std::shared_ptr<Waiter> waiter, Result<void> result);
    void read_taken(const std::string& cause);
    void maintain_loop();
    void start_threads();
    void start_turns();

    void tell_of_space();
    void run_together(std::vector<Pending<WriteJob>>& batch);
    // The jobs' results and actions where the commit went through.
    [[nodiscard]] std::optional<Completions> try_together(std::vector<Pending<WriteJob>>& batch);
    [[nodiscard]] Result<void> begin_writing();
    void run_alone(Pending<WriteJob>& pending);
    [[nodiscard]] Result<void> try_alone(WriteJob& job, Completions& completions);
    [[nodiscard]] Result<void> flush_and_commit(WriteTransaction& transaction);
    void roll_back();
    void become_fatal();
    void post(Completions completions) const;
    void refuse_all(std::span<Pending<WriteJob>> batch, const Error& why) const;

    asio::any_io_executor io;
    std::unique_ptr<Database> database;
    GroupCommitOptions options;
    std::function<void(Error)> on_fatal;
    std::vector<Participant*> participants;

    std::unique_ptr<Connection> writer;
    bool was_full = false;  // the writer's; `full_at`: when there was no room last
    std::chrono::steady_clock::time_point full_at{};
    std::vector<std::unique_ptr<Connection>> readers;
    std::vector<std::thread> threads;
    std::unique_ptr<TurnTaker> turns;  // in place of threads

    mutable std::mutex mutex;  // guards what follows
    std::condition_variable write_wake;
    std::condition_variable read_wake;
    std::condition_variable maintain_wake;
    FairQueue<Pending<WriteJob>> writes;
    FairQueue<Pending<ReadJob>> reads;
    std::size_t results_under_way = 0;  // of readers
    bool running = false;
    bool maintenance_due = false;
    bool maintainer_sleeps = false;  // until there is something due, without a timer

    std::atomic<bool> fatal{false};
    std::atomic<std::uint64_t> commits{0};
    std::atomic<std::uint64_t> jobs{0};
};

template <class Job>
void GroupCommit::State::enqueue(FairQueue<Pending<Job>>& queue, std::condition_variable& wake,
                                 Job job, Cause cause, std::shared_ptr<Waiter> waiter,
                                 bool writes_something)
{
    std::optional<Error> refusal;
    {
        const std::lock_guard lock(mutex);
        if (!running) {
            refusal = Error{Code::unavailable, "storage is not running", {}, 0};
        } else if (writes_something && fatal) {
            refusal = disk_not_trusted();
        } else if (!queue.push(std::move(cause.who), {std::move(job), waiter}, cause.octets)) {
            refusal = Error{Code::unavailable, "storage has too many jobs waiting", {}, 1};
        } else if (turns) {
            writes_something ? turns->want_write() : turns->want_read();
        }
    }
    // Outside of the lock: who is woken would wait for it at once, and be woken a second time.
    if (!refusal) return wake.notify_one();
    Completions completions;
    completions.results.emplace_back(std::move(waiter), tl::unexpected(std::move(*refusal)));
    post(std::move(completions));
}

void GroupCommit::State::post(Completions completions) const
{
    post_to(io, std::move(completions), on_fatal);
}

bool GroupCommit::State::write_once()
{
    std::vector<Pending<WriteJob>> batch;
    {
        std::unique_lock lock(mutex);
        if (!turns) write_wake.wait(lock, [this] { return writes.has_next() || !running; });
        if (!writes.has_next()) return false;
        batch = writes.take_together(options.max_jobs_per_commit, options.max_octets_per_commit);
    }
    run_together(batch);
    tell_of_space();
    const std::lock_guard lock(mutex);
    maintenance_due = true;
    // Else its timer has it look soon: no wake-up for each commit.
    if (maintainer_sleeps) maintain_wake.notify_one();
    return true;
}

void GroupCommit::State::tell_of_space()
{
    const bool is_full = database->is_full();
    if (is_full) full_at = std::chrono::steady_clock::now();
    if (is_full == was_full) return;
    if (!is_full && std::chrono::steady_clock::now() < full_at + full_at_least) return;
    was_full = is_full;
    if (!options.disk_full) return;
    asio::post(io, [tell = options.disk_full, is_full] { tell(is_full); });
}

void GroupCommit::State::write_loop()
{
    name_this_thread("ent-writer");
    while (write_once()) {
    }
}

// Where another process holds the database this has waited for it as long as it may. All jobs
// that wait with the one are refused then: else each would wait as long, one behind the other.
Result<void> GroupCommit::State::begin_writing()
{
    if (fatal) return tl::unexpected(disk_not_trusted());
    auto begun = writer->begin();
    if (begun) return begun;
    if (database->is_broken()) become_fatal();
    return fatal ? Result<void>(tl::unexpected(disk_not_trusted())) : begun;
}

void GroupCommit::State::run_together(std::vector<Pending<WriteJob>>& batch)
{
    if (database->is_broken()) become_fatal();
    if (auto begun = begin_writing(); !begun) {
        refuse_all(batch, begun.error());
        return;
    }
    if (auto completions = try_together(batch)) {
        jobs.fetch_add(batch.size());
        // Before the post: afterwards the coroutines belong to the I/O executor alone.
        batch.clear();
        post(std::move(*completions));
        return;
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (auto begun = begin_writing(); !begun) {
            refuse_all(std::span(batch).subspan(i), begun.error());
            return;
        }
        run_alone(batch[i]);
    }
}

// Requires: begun.
std::optional<Completions> GroupCommit::State::try_together(std::vector<Pending<WriteJob>>& batch)
{
    Completions completions;
    WriteTransaction transaction(*writer);
    bool is_sound = true;
    for (auto& pending : batch) {
        const auto before = writer->written();
        const auto actions_before = transaction.actions().size();
        auto result = run_guarded(pending.job, transaction);
        if (!result) {
            // It should have written nothing. Where it has, such as at a disk error half
            // way, the others can't be told apart from it.
            is_sound = writer->written() == before && result.error().code != Code::internal;
            transaction.actions().resize(actions_before);
            if (!is_sound) break;
        }
        completions.results.emplace_back(pending.waiter, std::move(result));
    }
    if (is_sound && flush_and_commit(transaction)) {
        completions.actions = std::move(transaction.actions());
        return completions;
    }
    roll_back();
    return std::nullopt;
}

Result<void> GroupCommit::State::flush_and_commit(WriteTransaction& transaction)
{
    for (auto* participant : participants) {
        Result<void> flushed;
        try {
            flushed = participant->flush(transaction);
        } catch (const std::exception& caught) {
            flushed = fail(Code::internal, std::string("a flush threw: ") + caught.what());
        }
        if (!flushed) return flushed;
    }
    auto committed = writer->commit();
    if (!committed) return committed;
    commits.fetch_add(1);
    for (auto* participant : participants) participant->committed();
    return {};
}

void GroupCommit::State::roll_back()
{
    writer->rollback();
    for (auto* participant : participants) participant->rolled_back();
    if (database->is_broken()) become_fatal();
}

// Its result is posted at once: the next one has a sync of its own to wait for. Requires: begun.
void GroupCommit::State::run_alone(Pending<WriteJob>& pending)
{
    Completions completions;
    auto result = try_alone(pending.job, completions);
    if (!result && fatal) result = tl::unexpected(disk_not_trusted());
    jobs.fetch_add(1);
    completions.results.emplace_back(std::move(pending.waiter), std::move(result));
    post(std::move(completions));
}

Result<void> GroupCommit::State::try_alone(WriteJob& job, Completions& completions)
{
    WriteTransaction transaction(*writer);
    auto result = run_guarded(job, transaction);
    if (result) result = flush_and_commit(transaction);
    if (result) {
        completions.actions = std::move(transaction.actions());
    } else {
        roll_back();
    }
    return result;
}

void GroupCommit::State::refuse_all(std::span<Pending<WriteJob>> batch, const Error& why) const
{
    Completions completions;
    for (auto& pending : batch) {
        pending.job = {};
        completions.results.emplace_back(std::move(pending.waiter), tl::unexpected(why));
    }
    post(std::move(completions));
}

void GroupCommit::State::become_fatal()
{
    if (fatal.exchange(true) || !on_fatal) return;
    auto error = disk_not_trusted();
    error.detail = database->broken_reason();
    asio::post(io, [told = on_fatal, error = std::move(error)] { told(error); });
}

bool GroupCommit::State::read_once(Connection& connection)
{
    std::string cause;
    Pending<ReadJob> pending;
    {
        std::unique_lock lock(mutex);
        const auto may_read = [this] {
            return reads.has_next() && results_under_way < options.max_results;
        };
        if (!turns) read_wake.wait(lock, [&] { return !running || may_read(); });
        // At the end all is read, however many results wait.
        if (running && !may_read()) return false;
        if (!reads.has_next()) return false;
        auto taken = reads.take();
        cause = std::move(taken.cause);
        pending = std::move(taken.job);
        ++results_under_way;
    }
    // One snapshot for all that a job reads: a head and the members beside it must be of
    // the same commit.
    auto result = connection.begin();
    if (result) {
        result = run_guarded(pending.job, connection);
        connection.rollback();
    }
    if (!result && database->is_broken()) become_fatal();  // what it read is no database
    pending.job = {};  // what it holds, before the next one waits for its turn
    post_read(std::move(cause), std::move(pending.waiter), std::move(result));
    return true;
}

void GroupCommit::State::read_loop(Connection& connection)
{
    name_this_thread("ent-reader");
    while (read_once(connection)) {
    }
}

void GroupCommit::State::post_read(std::string cause, std::shared_ptr<Waiter> waiter,
                                   Result<void> result)
{
    asio::post(io, [weak = weak_from_this(), cause = std::move(cause), waiter = std::move(waiter),
                    result = std::move(result)]() mutable {
        // Runs the waiter up to where it waits for something else.
        waiter->complete(std::move(result));
        if (const auto self = weak.lock()) self->read_taken(cause);
    });
}

void GroupCommit::State::read_taken(const std::string& cause)
{
    const std::lock_guard lock(mutex);
    --results_under_way;
    reads.finished(cause);
    if (!reads.has_next()) return;
    read_wake.notify_one();
    if (turns) turns->want_read();
}

// Sleeps without a timer once nothing has been committed for a while.
void GroupCommit::State::maintain_loop()
{
    name_this_thread("ent-checkpoint");
    int calls_left = 0;
    std::unique_lock lock(mutex);
    while (running) {
        const auto has_ended = [this] { return !running; };
        if (calls_left > 0) {
            maintain_wake.wait_for(lock, maintenance_interval, has_ended);
        } else {
            maintainer_sleeps = true;
            maintain_wake.wait(lock, [this] { return maintenance_due || !running; });
            maintainer_sleeps = false;
        }
        if (!running) return;
        calls_left = maintenance_due ? maintenance_calls_at_rest : calls_left - 1;
        if (database->wants_maintenance()) calls_left = std::max(calls_left, 1);
        maintenance_due = false;
        lock.unlock();
        maintain_once();
        lock.lock();
    }
}

void GroupCommit::State::maintain_once()
{
    if (!fatal) database->maintain();
    if (database->is_broken()) become_fatal();
}

void GroupCommit::State::start_threads()
{
    threads.emplace_back([this] { write_loop(); });
    threads.emplace_back([this] { maintain_loop(); });
    for (auto& reader : readers)
        threads.emplace_back([this, &connection = *reader] { read_loop(connection); });
}

void GroupCommit::State::start_turns()
{
    TurnWork work;
    work.write = [this] { return write_once(); };
    work.read = [this] { return read_once(*readers.front()); };
    work.maintain = [this] {
        maintain_once();
        return database->wants_maintenance();
    };
    work.maintenance_interval = maintenance_interval;
    work.maintenance_calls = maintenance_calls_at_rest;
    turns = std::make_unique<TurnTaker>(options.turns, std::move(work));
    if (maintenance_due) turns->want_maintenance();
}

GroupCommit::GroupCommit(asio::any_io_executor io, std::unique_ptr<Database> database,
                         GroupCommitOptions options, std::function<void(Error)> on_fatal)
    : state_(std::make_shared<State>(std::move(io), std::move(database), std::move(options),
                                     std::move(on_fatal)))
{
}

GroupCommit::~GroupCommit()
{
    stop();
}

void GroupCommit::add(Participant& participant)
{
    state_->participants.push_back(&participant);
}

Result<void> GroupCommit::start()
{
    auto writer = state_->database->open_writer();
    if (!writer) return fail(writer);
    state_->writer = std::move(*writer);
    for (std::size_t i = 0; i < state_->options.readers; ++i) {
        auto reader = state_->database->open_reader();
        if (!reader) return fail(reader);
        state_->readers.push_back(std::move(*reader));
    }
    state_->running = true;
    state_->maintenance_due = state_->database->wants_maintenance();
    state_->options.turns ? state_->start_turns() : state_->start_threads();
    return {};
}

void GroupCommit::stop()
{
    {
        const std::lock_guard lock(state_->mutex);
        state_->running = false;
        state_->reads.hold_nothing_back();
        state_->write_wake.notify_all();
        state_->read_wake.notify_all();
        state_->maintain_wake.notify_all();
    }
    for (auto& thread : state_->threads) thread.join();
    state_->threads.clear();
    if (state_->turns) state_->turns->finish();
    state_->turns.reset();
    state_->readers.clear();
    state_->writer.reset();
}

GroupCommit::Figures GroupCommit::figures() const
{
    const std::lock_guard lock(state_->mutex);
    return {state_->commits, state_->jobs, state_->writes.jobs(), state_->reads.jobs()};
}

asio::awaitable<Result<void>> GroupCommit::enqueue_write(WriteJob job, Cause cause)
{
    auto* state = state_.get();
    std::function<void(std::shared_ptr<Waiter>)> start =
        [state, job = std::move(job),
         cause = std::move(cause)](std::shared_ptr<Waiter> waiter) mutable {
            state->enqueue(state->writes, state->write_wake, std::move(job), std::move(cause),
                           std::move(waiter), true);
        };
    auto result = co_await wait_for(state->io, std::move(start));
    co_return result;
}

asio::awaitable<Result<void>> GroupCommit::enqueue_read(ReadJob job, Cause cause)
{
    auto* state = state_.get();
    std::function<void(std::shared_ptr<Waiter>)> start =
        [state, job = std::move(job),
         cause = std::move(cause)](std::shared_ptr<Waiter> waiter) mutable {
            state->enqueue(state->reads, state->read_wake, std::move(job), std::move(cause),
                           std::move(waiter), false);
        };
    auto result = co_await wait_for(state->io, std::move(start));
    co_return result;
}

}  // namespace entente::storage
