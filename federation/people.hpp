// What a server's own users do with people and devices, wherever those are homed: the client
// API's second door to the federation floor, beside Channels. Does not authenticate, and
// leaves to the API what concerns nobody but the caller's own account.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "protocol/people_queries.hpp"
#include "protocol/result.hpp"

namespace entente::federation {

namespace asio = boost::asio;

// A device of ours that has few one-time keys of a kind left.
struct LowKeys {
    protocol::UserId user;
    protocol::Uuid device;
    std::string kind;
    std::int64_t left = 0;
};

// Hears of what concerns own users' devices once it is durable, on the I/O executor.
class PeopleListener {
 public:
    virtual ~PeopleListener() = default;
    virtual void keys_low(const LowKeys& low) = 0;
};

// A claim's answer, with why where its server could not be asked.
struct ClaimResult {
    protocol::ClaimedKey key;
    std::optional<Error> problem;
};

class People {
 public:
    virtual ~People() = default;

    // What a user shows of himself and his devices, by this server or by his own.
    // `not_found`; his server's refusals; `unavailable` where it doesn't answer.
    virtual asio::awaitable<Result<protocol::ShownUser>> look_up(protocol::UserId user) = 0;
    // One result per claim, in order; a server that doesn't answer fails its claims alone. A
    // repeat under the same txn gets the same keys, for 10 minutes at least.
    virtual asio::awaitable<Result<std::vector<ClaimResult>>> claim(protocol::UserId asker,
                                                                    protocol::KeyClaims claims) = 0;

    // Listeners live longer than this object's last commit.
    virtual void listen(PeopleListener& listener) = 0;
};

}  // namespace entente::federation
