// How far own users' devices say they have their channels: gathered in memory and written
// now and then, for channels that are relays and no others. What is lost costs time only: a
// device says it again, and 30 days are the end in any case. On the I/O thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/channels.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

class DeviceCursors {
 public:
    // Beyond them what is new is dropped.
    static constexpr std::size_t max_gathered = 100'000;
    static constexpr std::size_t max_gathered_of_user = 10'000;
    static constexpr std::size_t max_per_job = 200;

    explicit DeviceCursors(storage::GroupCommit& commits) : commits_(commits) {}

    void note(const UserId& user, const Uuid& device, const ChannelId& channel, std::int64_t seq);
    [[nodiscard]] std::size_t gathered() const { return gathered_.size(); }
    // Writes what has gathered. After an error the rest waits for the next call.
    asio::awaitable<Result<void>> flush();

 private:
    using Key = std::tuple<UserId, Uuid, ChannelId>;
    struct Row {
        std::int64_t channel = 0;
        UserId user;
        Uuid device;
        std::int64_t seq = 0;
    };
    asio::awaitable<Result<void>> flush_some();
    [[nodiscard]] static Result<std::vector<Row>> relays_of(
        storage::Connection& db, const std::vector<std::pair<Key, std::int64_t>>& some);
    [[nodiscard]] static Result<void> write(storage::Connection& db, const std::vector<Row>& rows);

    storage::GroupCommit& commits_;
    std::map<Key, std::int64_t> gathered_;
    std::map<UserId, std::size_t> of_user_;  // how many of them
};

}  // namespace entente::federation
