// Asks again for keys for which only a channel's home vouches [LOG-6]: once the author's
// server shows a key itself, its entries are as all others. On the I/O thread.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/discovery.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

// Servers that are asked in one round; the next ones in the next.
inline constexpr std::size_t max_vouched_per_round = 8;

class Vouching {
 public:
    Vouching(Discovery& discovery, storage::GroupCommit& commits, protocol::NameRules names)
        : discovery_(discovery), commits_(commits), names_(names)
    {
    }

    // A round; to be called now and then. How many keys are vouched for no longer.
    asio::awaitable<Result<std::size_t>> look();

 private:
    Discovery& discovery_;
    storage::GroupCommit& commits_;
    protocol::NameRules names_;
    std::string after_;  // the last key of the round before
};

}  // namespace entente::federation
