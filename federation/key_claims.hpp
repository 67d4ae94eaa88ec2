// One-time keys of this server's devices: handed out once each, whoever asks, other servers
// and our own users alike. Taking the keys and remembering the answer is one job of the
// writer, so that two who ask at the same instant get different keys, and one who asks again
// gets the same. Charges nobody.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/identity.hpp"
#include "federation/people.hpp"
#include "protocol/people_queries.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

class KeyClaims {
 public:
    // `low` runs after the commit.
    KeyClaims(const Identity& identity, storage::GroupCommit& commits, const protocol::Clock& clock,
              std::function<void(const LowKeys&)> low);

    // The answer as it travels [QRY-8]. `asker` is a server or a user of ours: each has its
    // own txns. Claims on users of other servers get no key. `equivocation` where other
    // claims came under this txn before.
    asio::awaitable<Result<std::string>> claim(std::string asker, protocol::KeyClaims claims);

 private:
    [[nodiscard]] Result<std::string> hand_out(storage::WriteTransaction& transaction,
                                               const std::string& asker,
                                               const protocol::KeyClaims& claims);
    [[nodiscard]] Result<protocol::ClaimedKey> hand_out_one(storage::WriteTransaction& transaction,
                                                            const protocol::KeyClaim& claim);

    const Identity& identity_;
    storage::GroupCommit& commits_;
    const protocol::Clock& clock_;
    std::function<void(const LowKeys&)> low_;
};

}  // namespace entente::federation
