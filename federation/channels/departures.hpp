// Accounts that were deleted leave their channels: an event in each, here or on its way to the
// channel's home. The account remembers that it is leaving until every one of them is stored, so
// a crash costs nothing: what was left before is left again under the same txn, which is once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/channels.hpp"
#include "protocol/clock.hpp"
#include "protocol/log.hpp"
#include "storage/account_admin_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

// Accounts of one step.
inline constexpr std::size_t departures_at_once = 16;
// After a try that didn't succeed, such as where a channel is frozen: the pause doubles up to the
// longest. A start begins anew.
inline constexpr protocol::Millis first_departure_pause_ms = 60'000;
inline constexpr protocol::Millis longest_departure_pause_ms = 3'600'000;

struct DeparturesParts {
    Channels& channels;
    storage::GroupCommit& commits;
    protocol::Log& log;
    const protocol::Clock& clock;
    ServerName self;
};

class Departures {
 public:
    explicit Departures(DeparturesParts parts) : parts_(std::move(parts)) {}

    // For a timer, one at a time. An account that can't leave everything yet stays where it is, is
    // tried again after its pause, and holds no other up; that is told once. An error is the
    // store's.
    asio::awaitable<Result<void>> step();

 private:
    // Why an account is tried again, by its id.
    struct Delay {
        protocol::Millis pause = 0;  // 0: not tried yet
        protocol::Millis next = 0;
        std::set<std::string> staying;  // channels that it stays in, which has been told
    };

    asio::awaitable<Result<void>> depart(storage::Departing account);
    asio::awaitable<Result<void>> leave_all(storage::Departing account);
    asio::awaitable<Result<void>> leave(storage::Departing account, UserId user,
                                        ChannelSummary channel);
    void put_off(const storage::Departing& account, const Error& problem);
    asio::awaitable<Result<bool>> name_owner(UserId user, protocol::Millis since,
                                             ChannelId channel);

    DeparturesParts parts_;
    std::map<std::int64_t, Delay> delays_;
};

}  // namespace entente::federation
