// Keeps the pins of other servers over a restart [KEY-1]. Decides nothing: what stands in
// a pin is trust/key_ring's.
#pragma once

#include <vector>

#include <boost/asio/awaitable.hpp>

#include "storage/group_commit.hpp"
#include "trust/pins.hpp"

namespace entente::storage {

class PinStore {
 public:
    explicit PinStore(GroupCommit& commits) : commits_(commits) {}

    // Puts `server` in the place of what is held of it, keys, statements and all; durable when it
    // returns.
    asio::awaitable<Result<void>> put(trust::PinnedServer server);
    // Of these the pins of servers with which there is nothing else here: no event of theirs that
    // was taken, no channel, nothing owed, no standing, entry or peering. Returns whose have gone.
    asio::awaitable<Result<std::vector<protocol::ServerName>>> drop_unrelated(
        std::vector<protocol::ServerName> servers);
    // Every pin, for the key ring at start.
    asio::awaitable<Result<std::vector<trust::PinnedServer>>> all();

 private:
    GroupCommit& commits_;
};

// The same within a transaction, and over a plain connection.
[[nodiscard]] Result<void> put_pin(WriteTransaction& transaction,
                                   const trust::PinnedServer& server);
[[nodiscard]] Result<std::vector<trust::PinnedServer>> read_pins(Connection& connection);

}  // namespace entente::storage
