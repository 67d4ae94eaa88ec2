// Jobs that wait, by who caused them. Each cause's jobs keep their order; between causes
// the turns go by octets, and who had nothing waiting comes first, so that a cause with
// much to do holds up the others by the job that is being done and no more. Bounded in
// jobs and octets; when half of the octets is taken, a cause gets only a little more, so
// that who comes late still finds room. Not thread-safe.
//
// (The turns are those of FQ-CoDel, RFC 8290 section 4.2, without its dropping.)
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace entente::storage {

struct FairQueueLimits {
    std::size_t jobs = 65'536;
    std::size_t octets = 128 * 1024 * 1024;
    // What one cause may have waiting: while less than half of `octets` is taken, beyond it.
    std::size_t much = 32 * 1024 * 1024;
    std::size_t little = 1024 * 1024;
    std::size_t jobs_of_one = 4'096;
};

template <class Job>
class FairQueue {
 public:
    // `one_at_a_time`: a cause's next job waits until finished() is called for the last.
    explicit FairQueue(FairQueueLimits limits, bool one_at_a_time = false)
        : limits_(limits), one_at_a_time_(one_at_a_time)
    {
    }

    // False where there is no room: then nothing has changed. A cause is a name. Jobs without a
    // cause ("") are few and our own: each is a cause by itself. A cause that has nothing waiting
    // may have a job of any size, as long as the whole has room.
    [[nodiscard]] bool push(std::string cause, Job job, std::size_t octets)
    {
        octets += job_octets;
        if (jobs_ >= limits_.jobs || (jobs_ > 0 && octets_ + octets > limits_.octets)) return false;
        if (cause.empty()) cause = anonymous + std::to_string(++anonymous_);
        const auto place = lines_.try_emplace(std::move(cause)).first;
        auto& line = place->second;
        line.cause = &place->first;
        const auto most = octets_ + octets <= limits_.octets / 2 ? limits_.much : limits_.little;
        if (!line.jobs.empty() &&
            (line.octets + octets > most || line.jobs.size() >= limits_.jobs_of_one))
            return false;
        line.jobs.push_back({std::move(job), octets});
        line.octets += octets;
        octets_ += octets;
        ++jobs_;
        if (line.under_way) {
            ++held_back_;
        } else if (!line.listed) {
            list(line, fresh_);
        }
        return true;
    }

    struct Taken {
        std::string cause;
        Job job;
        std::size_t octets = 0;
    };
    [[nodiscard]] bool has_next() const { return jobs_ > held_back_; }
    // Requires: has_next().
    [[nodiscard]] Taken take() { return *take_within(std::numeric_limits<std::size_t>::max()); }
    // Nothing where the job whose turn it is has more octets than `room`: then it stays, and
    // who comes anew is before it. Requires: has_next().
    [[nodiscard]] std::optional<Taken> take_within(std::size_t room)
    {
        assert(has_next());
        // In between the others get their turn: who is new each time starves nobody.
        const bool others_first = std::exchange(others_turn_, false);
        if (auto* line = others_first && !fresh_.empty() ? next_turn() : nullptr) {
            if (line->jobs.front().octets <= room) return take_from(*line);
            put_back(*line);
        }
        if (!fresh_.empty()) {
            if (fresh_.front()->jobs.front().octets > room) return std::nullopt;
            others_turn_ = true;
            return take_from(front_of(fresh_));
        }
        auto* line = next_turn();
        while (line == nullptr) line = next_turn();
        if (line->jobs.front().octets <= room) return take_from(*line);
        put_back(*line);
        return std::nullopt;
    }
    // What is next, up to so many jobs and octets, and one at least. A large job goes alone:
    // the small ones before it needn't wait for it. Requires: has_next().
    [[nodiscard]] std::vector<Job> take_together(std::size_t most_jobs, std::size_t most_octets)
    {
        std::vector<Job> together;
        std::size_t octets = 0;
        while (has_next() && together.size() < most_jobs && octets < most_octets) {
            const auto room =
                together.empty() ? std::numeric_limits<std::size_t>::max() : most_octets - octets;
            auto taken = take_within(room);
            if (!taken) break;
            octets += taken->octets;
            together.push_back(std::move(taken->job));
        }
        return together;
    }
    // The job of that cause is done, whatever became of it.
    void finished(const std::string& cause)
    {
        const auto found = lines_.find(cause);
        if (found == lines_.end() || !found->second.under_way) return;
        auto& line = found->second;
        line.under_way = false;
        held_back_ -= line.jobs.size();
        if (jobs_ == 0) {
            lines_.erase(found);
        } else {
            list(line, turns_);
        }
    }
    // From now on nothing waits for finished().
    void hold_nothing_back()
    {
        one_at_a_time_ = false;
        held_back_ = 0;
        for (auto& [cause, line] : lines_) {
            if (std::exchange(line.under_way, false)) list(line, turns_);
        }
    }

    [[nodiscard]] std::size_t jobs() const { return jobs_; }
    [[nodiscard]] std::size_t octets() const { return octets_; }
    // How many are remembered: those with a job that waits or was just done.
    [[nodiscard]] std::size_t causes() const { return lines_.size(); }

 private:
    static constexpr std::size_t job_octets = 1'024;  // what a job is counted as beside its own
    static constexpr std::int64_t quantum = 65'536;
    static constexpr char anonymous = '\n';

    struct Waiting {
        Job job;
        std::size_t octets = 0;
    };
    struct Line {
        const std::string* cause = nullptr;
        std::deque<Waiting> jobs;
        std::size_t octets = 0;
        std::int64_t credit = quantum;
        bool listed = false;
        bool under_way = false;
    };
    using List = std::deque<Line*>;

    static void list(Line& line, List& where)
    {
        line.listed = true;
        where.push_back(&line);
    }
    void put_back(Line& line)
    {
        line.listed = true;
        turns_.push_front(&line);
    }
    static Line& front_of(List& from)
    {
        auto& line = *from.front();
        from.pop_front();
        line.listed = false;
        return line;
    }
    // One look at who is next among the others; nothing where its credit is used up, which
    // is then filled again, or where there are none.
    Line* next_turn()
    {
        while (!turns_.empty()) {
            auto& line = front_of(turns_);
            if (line.jobs.empty()) {
                lines_.erase(lines_.find(*line.cause));
                continue;
            }
            if (line.credit > 0) return &line;
            line.credit += quantum;
            list(line, turns_);
            return nullptr;
        }
        return nullptr;
    }

    Taken take_from(Line& line)
    {
        auto& first = line.jobs.front();
        Taken taken{*line.cause, std::move(first.job), first.octets};
        line.jobs.pop_front();
        line.octets -= taken.octets;
        line.credit -= static_cast<std::int64_t>(taken.octets);
        octets_ -= taken.octets;
        --jobs_;
        if (taken.cause.front() == anonymous) {
            lines_.erase(lines_.find(taken.cause));
        } else if (one_at_a_time_) {
            line.under_way = true;
            held_back_ += line.jobs.size();
        } else {
            give_turn_on(line);
        }
        if (jobs_ == 0) forget_idle();
        return taken;
    }
    // A turn lasts until its credit is used up. An empty line is listed too: who comes back
    // at once is not new.
    void give_turn_on(Line& line)
    {
        if (line.credit > 0 && !line.jobs.empty()) {
            put_back(line);
        } else {
            list(line, turns_);
        }
    }
    // At rest everybody is new again.
    void forget_idle()
    {
        for (const auto* line : turns_) lines_.erase(lines_.find(*line->cause));
        turns_.clear();
    }

    FairQueueLimits limits_;
    bool one_at_a_time_;
    std::unordered_map<std::string, Line> lines_;
    List fresh_;  // had nothing waiting when they came
    List turns_;
    bool others_turn_ = false;
    std::size_t jobs_ = 0;
    std::size_t octets_ = 0;
    std::size_t held_back_ = 0;  // behind a job that is under way
    std::uint64_t anonymous_ = 0;
};

}  // namespace entente::storage
