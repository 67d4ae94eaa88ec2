// One-time keys of this server's devices: handed out once each, whoever asks, other servers
// and our own users alike. Taking the keys and remembering the answer is one job of the
// writer, so that two who ask at the same instant get different keys, and one who asks again
// gets the same. A server that has nothing to do with the user gets the fallback key alone, and
// so does one that has had its share of a device: whoever used up the others would take from
// everybody else what makes a first message safe. Requests are charged by who asks for them.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/identity.hpp"
#include "federation/people.hpp"
#include "protocol/people_queries.hpp"
#include "storage/group_commit.hpp"
#include "trust/budgets.hpp"
#include "trust/policy/enforcer.hpp"

namespace entente::federation {

// One-time keys of a device that one other server gets an hour; then the fallback key.
inline constexpr std::int64_t max_claimed_keys_per_server = 50;
// Of so many pairs of a server and a device it is remembered.
inline constexpr std::size_t max_claimers = 20'000;

class KeyClaims {
 public:
    // `low` runs after the commit.
    KeyClaims(const Identity& identity, storage::GroupCommit& commits, const protocol::Clock& clock,
              std::function<void(const LowKeys&)> low, trust::policy::Enforcer* policies = nullptr);

    // The answer as it travels [QRY-8], for a user of ours. Each asker, user or server, has its
    // own txns. Claims on users of other servers get no key. `equivocation` where other claims
    // came under this txn before.
    asio::awaitable<Result<std::string>> claim(protocol::UserId asker, protocol::KeyClaims claims);
    // The same for another server. [QRY-12] One-time keys for who may have them by policies; as
    // shipped, below `known` only who is acquainted with the user.
    asio::awaitable<Result<std::string>> claim(ServerName asker, trust::Tier tier,
                                               protocol::KeyClaims claims);

 private:
    struct Asker {
        std::string name;
        bool is_server = false;
        trust::Tier tier = trust::Tier::trusted;
        // Our users who have nothing to do with a server below `known`.
        std::set<std::string> strangers;
    };
    asio::awaitable<Result<std::string>> claim(Asker asker, protocol::KeyClaims claims);
    [[nodiscard]] Result<std::string> hand_out(storage::WriteTransaction& transaction,
                                               const Asker& asker,
                                               const protocol::KeyClaims& claims);
    [[nodiscard]] Result<protocol::ClaimedKey> hand_out_one(storage::WriteTransaction& transaction,
                                                            const Asker& asker,
                                                            const protocol::KeyClaim& claim);
    [[nodiscard]] bool may_take(const Asker& asker, const protocol::KeyClaim& claim);

    const Identity& identity_;
    storage::GroupCommit& commits_;
    const protocol::Clock& clock_;
    std::function<void(const LowKeys&)> low_;
    trust::BucketTable shares_;          // the writer's alone
    trust::policy::Enforcer* policies_;  // nothing: nobody is asked
};

}  // namespace entente::federation
