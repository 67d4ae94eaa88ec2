// Logs that end below their floor [QRY-13]: the snapshot behind which each goes on is fetched
// from its home. One at a time of a home; no channel again within a minute. On the I/O thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/gate/signed_client.hpp"
#include "federation/links/settlement.hpp"
#include "net/task_group.hpp"

namespace entente::federation {

namespace asio = boost::asio;

// Homes that are asked at once, homes that wait for their turn and channels of each, and channels
// of which it is remembered when they were asked for. What has no room is noted again when the
// home shows the floor again.
inline constexpr std::size_t max_homes_asked = 16;
inline constexpr std::size_t max_homes_lacked = 1'000;
inline constexpr std::size_t max_channels_lacked = 100;
inline constexpr std::size_t max_floors_tried = 10'000;
inline constexpr Millis floor_retry_ms = 60'000;

struct LackedFloorsParts {
    const Identity& identity;
    SignedClient& client;
    Settlement& settlement;
    storage::GroupCommit& commits;
    net::TaskGroup& tasks;
    protocol::Log& log;
    const protocol::Clock& clock;
};

class LackedFloors {
 public:
    explicit LackedFloors(LackedFloorsParts parts) : parts_(parts) {}

    // The log of `channel`, which ends below it, goes on here behind `floor`.
    void note(const protocol::ChannelId& channel, const ServerName& home, std::int64_t floor);

 private:
    // As long as any waits; the homes take turns, so that a slow one holds up no other.
    asio::awaitable<void> fetch_waiting();
    asio::awaitable<void> fetch(ServerName home, std::string channel, std::int64_t floor);
    [[nodiscard]] bool was_tried(const std::string& channel);

    LackedFloorsParts parts_;
    std::map<ServerName, std::map<std::string, std::int64_t>> wanted_;  // home → channel → floor
    std::deque<ServerName> waiting_;  // homes of those but for which one is asked just now
    std::size_t asked_ = 0;
    std::map<std::string, Millis> tried_;
};

// The snapshot of a channel that `home` orders, as of `floor` where that isn't 0 and the home can
// tell. What `home` answers is read where it holds up nobody else.
[[nodiscard]] asio::awaitable<Result<protocol::SnapshotAnswer>> fetch_snapshot(
    SignedClient& client, storage::GroupCommit& commits, protocol::NameRules names, ServerName home,
    std::string channel, std::int64_t floor);

}  // namespace entente::federation
