// Wishes of owners that a channel that is homed here moves to another server [SUC-2]: what
// must be known until the new home has consented, and what came of it. Functions over a
// connection, as in outgoing_store.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/names.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

struct MoveRow {
    protocol::ServerName home;  // the new one
    std::string user;           // the owner
    std::optional<protocol::Uuid> device;
    protocol::Uuid txn;
    std::int64_t question = 0;  // the row of direct_out
    std::int64_t seq = 0;       // of the channel.move; 0: none yet
    std::string problem;        // refused: the code's name

    [[nodiscard]] bool is_open() const { return seq == 0 && problem.empty(); }
};

// In the place of the channel's last one.
[[nodiscard]] Result<void> put_move(Connection& db, std::int64_t channel, const MoveRow& move);
[[nodiscard]] Result<std::optional<MoveRow>> find_move(Connection& db, std::int64_t channel);
// The channel whose open wish waits for the answer to that question; nothing where none does.
[[nodiscard]] Result<std::optional<protocol::ChannelId>> asked_by(Connection& db,
                                                                  std::int64_t question);
[[nodiscard]] Result<void> end_move(Connection& db, std::int64_t channel, std::int64_t seq,
                                    std::string_view problem);

}  // namespace entente::storage
