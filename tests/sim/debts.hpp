// What one server owes the others, as its store tells it.
#pragma once

#include <set>
#include <vector>

#include "protocol/names.hpp"
#include "storage/driver.hpp"

namespace entente::sim {

struct Debt {
    protocol::ServerName to;
    std::set<protocol::ChannelId> logs;  // of which it lacks entries
    bool is_more = false;                // submissions or direct events too
};

[[nodiscard]] Result<std::vector<Debt>> read_debts(storage::Connection& db,
                                                   const protocol::ServerName& self);
[[nodiscard]] Result<std::set<protocol::ChannelId>> read_frozen(storage::Connection& db);

// [LOG-2] Who has frozen a log is asked again for ever: nothing else is owed to it.
[[nodiscard]] bool is_owed_frozen_logs_only(const Debt& debt,
                                            const std::set<protocol::ChannelId>& frozen);

}  // namespace entente::sim
