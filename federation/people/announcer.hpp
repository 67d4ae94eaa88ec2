// Tells other servers that an own user or his devices have changed: the direct events
// `device.changed` and `profile.changed` to every server that shares a channel with him
// [INBOX-14]. What is owed is durable and coalesced: a user who changes often costs each of
// those servers one event at a time. On the I/O thread.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/identity.hpp"
#include "federation/log/home_log.hpp"
#include "net/task_group.hpp"
#include "protocol/log.hpp"
#include "storage/announcement_store.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

inline constexpr char device_changed[] = "device.changed";
inline constexpr char profile_changed[] = "profile.changed";

// Of one change; servers beyond it find out when what they remember of the user is old.
inline constexpr std::size_t max_servers_told = 1'000;

struct AnnouncerParts {
    const Identity& identity;
    storage::ChannelLogStore& store;
    storage::GroupCommit& commits;
    net::TaskGroup& tasks;
    const protocol::Clock& clock;
    protocol::Random& random;
    Wake wake;
};

class Announcer {
 public:
    explicit Announcer(AnnouncerParts parts) : parts_(std::move(parts)) {}

    // Something is to be told, by this run or since an earlier one.
    void start();

 private:
    asio::awaitable<void> run();
    asio::awaitable<Result<bool>> tell_next();
    [[nodiscard]] Result<void> queue(storage::WriteTransaction& transaction,
                                     const storage::AnnouncementRow& row, const ServerName& server);

    AnnouncerParts parts_;
    bool is_running_ = false;
    bool again_ = false;
};

}  // namespace entente::federation
