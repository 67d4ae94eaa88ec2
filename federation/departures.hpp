// Accounts that were deleted leave their channels: an event in each, here or on its way to the
// channel's home. The account remembers that it is leaving until every one of them is stored, so
// a crash costs nothing: what was left before is left again under the same txn, which is once.
#pragma once

#include <cstddef>

#include <boost/asio/awaitable.hpp>

#include "federation/channels.hpp"
#include "protocol/log.hpp"
#include "storage/account_admin_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

// Accounts of one step.
inline constexpr std::size_t departures_at_once = 16;

struct DeparturesParts {
    Channels& channels;
    storage::GroupCommit& commits;
    protocol::Log& log;
    ServerName self;
};

class Departures {
 public:
    explicit Departures(DeparturesParts parts) : parts_(std::move(parts)) {}

    // For a timer, one at a time. An error, such as of a quota, leaves the account where it is: the
    // next step goes on.
    asio::awaitable<Result<void>> step();

 private:
    asio::awaitable<Result<void>> depart(storage::Departing account);
    asio::awaitable<Result<void>> leave(UserId user, protocol::Millis since,
                                        ChannelSummary channel);
    asio::awaitable<Result<bool>> name_owner(UserId user, protocol::Millis since,
                                             ChannelId channel);

    DeparturesParts parts_;
};

}  // namespace entente::federation
