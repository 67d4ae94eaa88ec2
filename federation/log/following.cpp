#include "federation/log/following.hpp"

#include <set>

#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

using storage::ChannelLogStore;
using storage::Connection;
using storage::LiveChannel;

Result<void> start(ChannelLogStore& store, Connection& db, LiveChannel& channel,
                   const ServerName& server, std::int64_t floor)
{
    auto id = store.server_id(db, server);
    if (!id) return fail(id);
    auto started = storage::start_cursor(db, channel.id, *id, floor);
    if (started) store.add_follower(channel, server);
    return started;
}

Result<void> stop(ChannelLogStore& store, Connection& db, LiveChannel& channel,
                  const ServerName& server)
{
    auto id = store.server_id(db, server);
    if (!id) return fail(id);
    store.forget_follower(channel, server);
    return storage::drop_cursor(db, channel.id, *id);
}

bool is_first_join(const protocol::Event& event, const protocol::StateChange& change)
{
    return event.type == "member.join" && change.first_of_server;
}

// Servers with members but for `self`.
std::set<ServerName> others(const LiveChannel& channel, const ServerName& self)
{
    std::set<ServerName> servers;
    for (const auto& [user, role] : channel.state.members)
        servers.insert(protocol::server_of(protocol::UserId::trusted(user)));
    servers.erase(self);
    return servers;
}

// What was sent so far goes on to be sent, up to the move.
Result<void> owe_up_to_here(ChannelLogStore& store, Connection& db, LiveChannel& channel)
{
    auto cursors = storage::cursors_of(db, channel.id);
    if (!cursors) return fail(cursors);
    for (const auto& cursor : *cursors) {
        if (cursor.until > 0) continue;
        auto id = store.server_id(db, cursor.server);
        if (!id) return fail(id);
        auto ended = storage::end_cursor(db, channel.id, *id, channel.seq);
        if (!ended) return ended;
    }
    return {};
}

// The move is sent to each that isn't known to have it: from its answer follows what it lacks.
Result<void> owe_all(ChannelLogStore& store, Connection& db, LiveChannel& channel,
                     const ServerName& self)
{
    for (const auto& server : others(channel, self)) {
        auto cursor = storage::find_cursor(db, channel.id, server);
        if (!cursor) return fail(cursor);
        auto id = store.server_id(db, server);
        if (!id) return fail(id);
        auto floor = *cursor ? Result<std::int64_t>{(*cursor)->floor}
                             : storage::floor_by_members(db, channel.id, server);
        if (!floor) return fail(floor);
        auto owed = *cursor ? Result<void>{} : start(store, db, channel, server, *floor);
        // A cursor may be there by a home's word alone.
        store.add_follower(channel, server);
        if (owed) owed = storage::continue_cursor(db, channel.id, *id, channel.seq - 1);
        if (!owed) return owed;
    }
    return {};
}

}  // namespace

Result<void> note_following_at_home(ChannelLogStore& store, Connection& db, LiveChannel& channel,
                                    const ServerName& self, const protocol::Event& event,
                                    const protocol::StateChange& change)
{
    if (is_first_join(event, change) && event.sender.server != self) {
        auto started = start(store, db, channel, event.sender.server, join_floor(channel));
        if (!started) return started;
    }
    if (change.last_of_server && change.left_server != self.str()) {
        auto server = store.server_id(db, ServerName::trusted(change.left_server));
        if (!server) return fail(server);
        auto ended = storage::end_cursor(db, channel.id, *server, channel.seq);
        if (!ended) return ended;
    }
    return {};
}

Result<void> note_following(ChannelLogStore& store, Connection& db, LiveChannel& channel,
                            const ServerName& self, const protocol::Event& event,
                            const protocol::StateChange& change)
{
    const auto& joined = event.sender.server;
    if (is_first_join(event, change) && joined != self && joined != channel.home) {
        // As the home has it: what is held here says nothing of what is held there.
        const auto floor = channel.state.history == "all" ? 0 : channel.seq;
        auto started = start(store, db, channel, joined, floor);
        if (!started) return started;
    }
    if (!change.last_of_server || change.left_server == self.str()) return {};
    const auto left = ServerName::trusted(change.left_server);
    auto cursor = storage::find_cursor(db, channel.id, left);
    if (!cursor) return fail(cursor);
    // What a former home owes stays owed.
    return *cursor && (*cursor)->until == 0 ? stop(store, db, channel, left) : Result<void>{};
}

Result<void> note_followings_before(ChannelLogStore& store, Connection& db, LiveChannel& channel,
                                    const ServerName& self)
{
    for (const auto& server : others(channel, self)) {
        if (server == channel.home) continue;
        auto started = start(store, db, channel, server, 0);
        if (!started) return started;
    }
    return {};
}

Result<void> hand_over_followings(ChannelLogStore& store, Connection& db, LiveChannel& channel,
                                  const ServerName& self, const ServerName& before)
{
    if (before == self) return owe_up_to_here(store, db, channel);
    if (channel.state.has_member_of(before)) {
        auto started = start(store, db, channel, before, 0);
        if (!started) return started;
        auto id = store.server_id(db, before);
        if (!id) return fail(id);
        // It has made all of it.
        auto moved = storage::set_cursor(db, channel.id, *id, channel.seq);
        if (!moved) return moved;
    }
    if (channel.home != self) return stop(store, db, channel, channel.home);
    return owe_all(store, db, channel, self);
}

Result<bool> holds_for_all(Connection& db, const LiveChannel& channel, const ServerName& self)
{
    if (channel.floor == 0) return true;
    for (const auto& server : others(channel, self)) {
        if (server == channel.home) continue;
        auto cursor = storage::find_cursor(db, channel.id, server);
        if (!cursor) return fail(cursor);
        if (!*cursor || (*cursor)->floor < channel.floor) return false;
    }
    return true;
}

std::int64_t join_floor(const LiveChannel& channel)
{
    return channel.state.history == "all" && channel.floor == 0 ? 0 : channel.seq;
}

}  // namespace entente::federation
