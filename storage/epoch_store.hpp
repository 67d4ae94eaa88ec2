// Who ordered the epochs of a log that are over [SUC-2]. Functions over a connection, as in
// outgoing_store.hpp; ChannelLogStore writes a row where an epoch ends. Of epochs that lie
// before the log that is held here nothing is known.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "protocol/names.hpp"
#include "storage/driver.hpp"
#include "storage/log_reader.hpp"

namespace entente::storage {

// `home_id` is the server's row, `last` the epoch's last entry.
[[nodiscard]] Result<void> put_epoch(Connection& db, std::int64_t channel, std::int64_t epoch,
                                     std::int64_t home_id, std::int64_t last);
// Of an epoch that is over.
[[nodiscard]] Result<std::optional<protocol::ServerName>> find_past_home(Connection& db,
                                                                         std::int64_t channel,
                                                                         std::int64_t epoch);
// All that is known of, by the epoch.
using PastHomes = std::map<std::int64_t, protocol::ServerName>;
[[nodiscard]] Result<PastHomes> past_homes(Connection& db, std::int64_t channel);
// Whether an epoch is over, and `seq` its last entry.
[[nodiscard]] Result<bool> ends_epoch(Connection& db, std::int64_t channel, std::int64_t epoch,
                                      std::int64_t seq);
// The last entry of an epoch that is over.
[[nodiscard]] Result<std::optional<std::int64_t>> find_epoch_end(Connection& db,
                                                                 std::int64_t channel,
                                                                 std::int64_t epoch);
// Whether `server` ordered any epoch that is over.
[[nodiscard]] Result<bool> was_home(Connection& db, std::int64_t channel,
                                    const protocol::ServerName& server);
// Whether `server` orders or ordered `epoch`, as far as is known.
[[nodiscard]] Result<bool> is_home_of(Connection& db, const ChannelRow& channel, std::int64_t epoch,
                                      const protocol::ServerName& server);

}  // namespace entente::storage
