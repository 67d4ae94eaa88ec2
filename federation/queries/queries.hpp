// Signed queries of section 7 that the log answers: a channel's snapshot and its entries.
// Read-only; the answers are signed by the gate's guard.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "federation/gate/gate.hpp"
#include "federation/identity.hpp"
#include "federation/links/batch.hpp"
#include "net/http_message.hpp"
#include "storage/group_commit.hpp"
#include "storage/log_reader.hpp"

namespace entente::federation {

class Queries {
 public:
    Queries(const Identity& identity, storage::GroupCommit& commits, const protocol::Clock& clock);

    // GET /federation/v1/channels/{channel}?seq=N
    asio::awaitable<net::Response> snapshot(const net::Request& request, const Admitted& admitted);
    // GET /federation/v1/channels/{channel}/log?after=N&limit=M
    asio::awaitable<net::Response> log(const net::Request& request, const Admitted& admitted);

 private:
    [[nodiscard]] Result<protocol::SnapshotAnswer> read_snapshot(
        storage::Connection& db, const protocol::ChannelId& channel, const ServerName& asker,
        std::int64_t seq, const protocol::SigningKey& key) const;
    // The state at `seq` in place of the present one, where that is the asker's to have.
    [[nodiscard]] Result<void> turn_back(storage::Connection& db,
                                         const storage::ChannelRow& channel,
                                         const ServerName& asker, std::int64_t seq,
                                         protocol::Snapshot& snapshot) const;
    [[nodiscard]] Result<protocol::LogAnswer> read_slice(storage::Connection& db,
                                                         const protocol::ChannelId& channel,
                                                         const ServerName& asker,
                                                         std::int64_t after, std::int64_t limit,
                                                         const protocol::SigningKey& key) const;
    [[nodiscard]] Result<std::int64_t> floor_of(storage::Connection& db,
                                                const storage::ChannelRow& channel,
                                                const ServerName& asker) const;
    [[nodiscard]] Result<protocol::LogAnswer> answer_from(storage::Connection& db,
                                                          storage::ChannelRow channel,
                                                          std::int64_t after,
                                                          const storage::PageLimits& limits,
                                                          const protocol::SigningKey& key) const;
    [[nodiscard]] Result<protocol::LogAnswer> follower_answer(
        storage::Connection& db, const storage::ChannelRow& channel, std::int64_t after,
        const storage::PageLimits& limits) const;

    const Identity& identity_;
    storage::GroupCommit& commits_;
    const protocol::Clock& clock_;
};

}  // namespace entente::federation
