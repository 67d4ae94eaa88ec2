// Asks again for keys for which only a channel's home vouches [LOG-6]: once the author's
// server shows a key itself, its entries are as all others. Where a server that is pinned here
// does answer, and shows no such key, the administrator is told: it shows others another
// identity, or the home has forged what it vouches for. On the I/O thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/discovery/discovery.hpp"
#include "protocol/log.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

// Servers that are asked in one round; the next ones in the next.
inline constexpr std::size_t max_vouched_per_round = 8;
// Keys of one server of which it is told once that it doesn't show them; of more it isn't told.
inline constexpr std::size_t max_disputed_told = 8;
inline constexpr std::size_t max_disputed_kept = 1'000;
// Rounds until such a key is asked for again.
inline constexpr std::uint64_t disputed_rounds = 180;

class Vouching {
 public:
    Vouching(Discovery& discovery, storage::GroupCommit& commits, protocol::NameRules names,
             protocol::Log& log)
        : discovery_(discovery), commits_(commits), names_(names), log_(log)
    {
    }

    // A round; to be called now and then. How many keys are vouched for no longer.
    asio::awaitable<Result<std::size_t>> look();

 private:
    void dispute(const protocol::KeyRef& key);
    [[nodiscard]] bool is_disputed(const protocol::KeyRef& key) const;

    Discovery& discovery_;
    storage::GroupCommit& commits_;
    protocol::NameRules names_;
    protocol::Log& log_;
    std::string after_;  // the last key of the round before
    std::uint64_t round_ = 0;
    // Keys by their server, with the round in which they are asked for again; until a restart.
    std::map<ServerName, std::map<std::string, std::uint64_t>> disputed_;
};

}  // namespace entente::federation
