// Who follows a channel from where, kept beside its log: by the home, who owes them the log,
// and by every follower, who may be the home one day [SUC-2]. On the writer's thread; wakes
// nobody.
#pragma once

#include "federation/identity.hpp"
#include "protocol/channel_state.hpp"
#include "storage/channel_log_store.hpp"

namespace entente::federation {

// [QRY-2] Where the log of a server begins whose first member joins with the newest entry: a
// home that doesn't hold entry 1 can give nobody more than a newcomer's part.
[[nodiscard]] std::int64_t join_floor(const storage::LiveChannel& channel);
// What an entry changes, at the home: a first join begins a cursor, when a server's last
// member goes it is owed the log up to there and no further.
[[nodiscard]] Result<void> note_following_at_home(
    storage::ChannelLogStore& store, storage::Connection& db, storage::LiveChannel& channel,
    const ServerName& self, const protocol::Event& event, const protocol::StateChange& change);
// The same at a follower.
[[nodiscard]] Result<void> note_following(storage::ChannelLogStore& store, storage::Connection& db,
                                          storage::LiveChannel& channel, const ServerName& self,
                                          const protocol::Event& event,
                                          const protocol::StateChange& change);
// Of a log that begins with a snapshot: others follow it from somewhere before.
[[nodiscard]] Result<void> note_followings_before(storage::ChannelLogStore& store,
                                                  storage::Connection& db,
                                                  storage::LiveChannel& channel,
                                                  const ServerName& self);
// [SUC-2] Behind the entry that moved the channel away from `before`: a former home owes its
// followers the log up to there, the new one owes all others of them all of it.
[[nodiscard]] Result<void> hand_over_followings(storage::ChannelLogStore& store,
                                                storage::Connection& db,
                                                storage::LiveChannel& channel,
                                                const ServerName& self, const ServerName& before);
// [SUC-2] Whether this server holds what every follower of the channel may be sent, but the
// present home.
[[nodiscard]] Result<bool> holds_for_all(storage::Connection& db,
                                         const storage::LiveChannel& channel,
                                         const ServerName& self);

}  // namespace entente::federation
