// What one server owes the others, as its store tells it.
#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "protocol/names.hpp"
#include "storage/driver.hpp"

namespace entente::sim {

struct Debt {
    protocol::ServerName to;
    std::set<protocol::ChannelId> logs;         // of which it lacks entries
    std::set<protocol::ChannelId> submissions;  // to which it is owed events
    bool is_more = false;                       // direct events too
};

[[nodiscard]] Result<std::vector<Debt>> read_debts(storage::Connection& db,
                                                   const protocol::ServerName& self);
// The channels whose logs stand still: frozen ones, and those that are, as this server knows, at
// a liar's, which is gone. Another may know that the liar has moved one to here; who hears of that
// from nobody but the liar can't go on with it [SUC-3].
[[nodiscard]] Result<std::set<protocol::ChannelId>> read_stuck(storage::Connection& db,
                                                               std::string_view liar);

// [LOG-2] Who has a log that is stuck is asked again for ever: nothing else is owed to it.
[[nodiscard]] bool is_owed_stuck_logs_only(const Debt& debt,
                                           const std::set<protocol::ChannelId>& stuck);

}  // namespace entente::sim
