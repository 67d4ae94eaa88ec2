// Whether there is room on the disk: told to the log once each way and asked for by /ready.
// While it is full nothing may come that would notice its end, since whoever asks /ready sends
// everybody elsewhere: so it is tried out at intervals. Refuses nothing itself.
#pragma once

#include <chrono>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "net/task_group.hpp"
#include "protocol/clock.hpp"
#include "protocol/log.hpp"
#include "protocol/result.hpp"
#include "storage/group_commit.hpp"

namespace entente::daemon {

class DiskRoom {
 public:
    static constexpr std::chrono::seconds try_interval{5};
    // What is written to try it: some messages and the pages around them. On a disk that is
    // nearly full less goes through between refusals.
    static constexpr std::size_t tried_octets = 65'536;

    DiskRoom(protocol::Log& log, net::TaskGroup& tasks, const protocol::Clock& clock,
             std::string data)
        : log_(log), tasks_(tasks), clock_(clock), data_(std::move(data))
    {
    }

    // What group commit says of it, on the I/O executor.
    void told(bool is_full, storage::GroupCommit& commits);
    // `unavailable` while the disk is full.
    [[nodiscard]] Result<void> check() const;

 private:
    boost::asio::awaitable<void> keep_trying(storage::GroupCommit& commits);

    protocol::Log& log_;
    net::TaskGroup& tasks_;
    const protocol::Clock& clock_;
    std::string data_;
    bool is_told_full_ = false;  // the last word of group commit
    bool is_full_ = false;       // since then nothing as large as what is tried went through
};

}  // namespace entente::daemon
