// Measures now and then what is too costly for each scrape, or may have to wait for the disk: what
// is owed to other servers, and the sizes of files. The figures are those of the last round.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "storage/group_commit.hpp"
#include "storage/nonce_window.hpp"

namespace entente::daemon {

class LagMeter {
 public:
    static constexpr std::chrono::seconds interval{30};
    // Of those that are owed something so many are asked after in a round; the others count as
    // owed nothing then.
    static constexpr std::size_t most_servers = 1'000;

    struct Figures {
        std::uint64_t servers = 0;  // that are owed something
        std::int64_t entries = 0, submissions = 0, direct = 0;
        protocol::Millis oldest_at = 0;  // 0: nothing is owed
        std::uint64_t database = 0, write_ahead_log = 0, window = 0;
        std::uint64_t window_files = 0;
        std::uint64_t window_keys = 0, window_unwritten = 0, window_pending = 0;
        std::uint64_t free = 0;
    };

    // `database` is "" where it is elsewhere.
    LagMeter(protocol::ServerName self, std::string data, std::string database, std::string window)
        : self_(std::move(self)),
          data_(std::move(data)),
          database_(std::move(database)),
          window_(std::move(window))
    {
    }

    // Until the caller's group ends. On the I/O thread, where the figures are read too.
    boost::asio::awaitable<void> keep_measuring(storage::GroupCommit& commits,
                                                storage::ReplayMemory& window);
    [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
    [[nodiscard]] Result<Figures> measure(storage::Connection& db,
                                          storage::ReplayMemory& window) const;

    protocol::ServerName self_;
    std::string data_, database_, window_;
    Figures figures_;
};

}  // namespace entente::daemon
