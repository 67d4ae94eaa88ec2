// Measures the commits of the one writer: how many jobs share one, how long it takes until it is
// durable. Decides nothing.
#pragma once

#include <chrono>
#include <cstdint>

#include "net/figures.hpp"
#include "storage/group_commit.hpp"

namespace entente::daemon {

// On the writer's thread; the figures may be read on any.
class CommitMeter final : public storage::Participant {
 public:
    // Before it is started.
    void attach(storage::GroupCommit& commits)
    {
        commits_ = &commits;
        commits.add(*this);
    }

    // The last participant: what the others write is not yet the commit. The jobs of a commit are
    // counted behind it, so that each is looked at when the next begins.
    [[nodiscard]] Result<void> flush(storage::WriteTransaction& /*transaction*/) override
    {
        const auto jobs = commits_->figures().jobs;
        if (jobs > jobs_) batch_.observe(static_cast<double>(jobs - jobs_));
        jobs_ = jobs;
        began_ = std::chrono::steady_clock::now();
        return {};
    }
    void rolled_back() override {}
    void committed() override
    {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
        seconds_.observe(took.count());
    }

    [[nodiscard]] const net::Histogram& seconds() const { return seconds_; }
    [[nodiscard]] const net::Histogram& batch() const { return batch_; }

 private:
    std::chrono::steady_clock::time_point began_;
    storage::GroupCommit* commits_ = nullptr;
    std::uint64_t jobs_ = 0;
    net::Histogram seconds_;
    net::Histogram batch_{net::bounds_of_counts};
};

}  // namespace entente::daemon
