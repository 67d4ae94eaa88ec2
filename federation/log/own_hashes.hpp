// The entry hashes of a log that is held here, computed from its entries and not taken from
// what is stored beside them. One pass over the log keeps every 4,096th; the others are
// computed again from there, a block at a time. So a log of a million entries costs some
// 30 KiB and half a MiB for the block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "storage/group_commit.hpp"
#include "storage/log_walk.hpp"

namespace entente::federation {

namespace asio = boost::asio;

struct OwnEntry {
    protocol::Position at;
    protocol::Hash event{};
};

class OwnHashes {
 public:
    OwnHashes(storage::GroupCommit& commits, storage::ChannelRow channel);

    // The pass, in readers' turns of about 40 ms. First of all.
    asio::awaitable<Result<void>> walk();
    [[nodiscard]] const std::optional<storage::LogFlaw>& flaw() const { return flaw_; }
    // The place that the first entry follows.
    [[nodiscard]] const protocol::Position& start() const { return start_; }
    [[nodiscard]] const storage::ChannelRow& channel() const { return channel_; }

    // An entry, or the start, which has no event; `not_found` for what isn't held.
    asio::awaitable<Result<OwnEntry>> at(std::int64_t seq);

 private:
    storage::GroupCommit& commits_;
    storage::ChannelRow channel_;
    protocol::Position start_;
    std::optional<storage::LogFlaw> flaw_;
    std::vector<protocol::Position> kept_;  // rising
    std::size_t block_of_ = 0;              // the kept place that the block follows
    std::vector<OwnEntry> block_;
};

}  // namespace entente::federation
