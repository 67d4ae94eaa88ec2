#include "federation/log/own_hashes.hpp"

#include <algorithm>

namespace entente::federation {

namespace {

constexpr std::int64_t block_entries = 4'096;

// Jobs own what they work on: one may go on after its waiter was cancelled.
struct Stretch {
    storage::LogWalk walk;
    std::vector<protocol::Position> kept;
    bool is_done = false;
};

struct WalkStretch {
    storage::ChannelRow channel;
    storage::LogWalk walk;

    Result<Stretch> operator()(storage::Connection& db)
    {
        Stretch stretch;
        stretch.walk = walk;
        const auto visit = [&](const protocol::Position& at, const protocol::Hash&) {
            if ((at.seq - channel.floor) % block_entries == 0) stretch.kept.push_back(at);
        };
        auto done = storage::walk_log(db, channel, stretch.walk, block_entries, visit);
        if (!done) return fail(done);
        stretch.is_done = *done;
        return stretch;
    }
};

struct ReadBlock {
    storage::ChannelRow channel;
    protocol::Position from;

    Result<std::vector<OwnEntry>> operator()(storage::Connection& db)
    {
        std::vector<OwnEntry> block;
        const auto visit = [&](const protocol::Position& at, const protocol::Hash& event) {
            if (at.seq <= from.seq + block_entries) block.push_back({at, event});
        };
        auto walk = storage::resume_at(from);
        auto done = storage::walk_log(db, channel, walk, block_entries, visit);
        if (!done) return fail(done);
        return block;
    }
};

bool is_before(const OwnEntry& entry, std::int64_t seq)
{
    return entry.at.seq < seq;
}

}  // namespace

OwnHashes::OwnHashes(storage::GroupCommit& commits, storage::ChannelRow channel)
    : commits_(commits), channel_(std::move(channel))
{
}

asio::awaitable<Result<void>> OwnHashes::walk()
{
    auto walk = storage::start_of(channel_);
    for (bool done = false; !done;) {
        WalkStretch job{channel_, walk};
        auto stretch = co_await commits_.read(std::move(job));
        if (!stretch) co_return fail(stretch);
        kept_.insert(kept_.end(), stretch->kept.begin(), stretch->kept.end());
        walk = std::move(stretch->walk);
        done = stretch->is_done;
    }
    start_ = walk.start;
    kept_.insert(kept_.begin(), start_);
    flaw_ = std::move(walk.flaw);
    co_return Result<void>{};
}

asio::awaitable<Result<OwnEntry>> OwnHashes::at(std::int64_t seq)
{
    if (seq == start_.seq) co_return OwnEntry{start_, {}};
    const auto after = std::lower_bound(
        kept_.begin(), kept_.end(), seq,
        [](const protocol::Position& kept, std::int64_t wanted) { return kept.seq < wanted; });
    if (after == kept_.begin()) co_return fail(Code::not_found, "before the beginning of the log");
    const auto index = static_cast<std::size_t>(after - kept_.begin()) - 1;
    if (block_.empty() || block_of_ != index) {
        ReadBlock job{channel_, kept_[index]};
        auto block = co_await commits_.read(std::move(job));
        if (!block) co_return fail(block);
        block_ = std::move(*block);
        block_of_ = index;
    }
    const auto found = std::lower_bound(block_.begin(), block_.end(), seq, is_before);
    if (found == block_.end() || found->at.seq != seq)
        co_return fail(Code::not_found, "no entry with this seq here");
    co_return *found;
}

}  // namespace entente::federation
