// The part of LocalChannels that finds or makes the dm of two users.
#include <utility>

#include "federation/channels/channel_changes.hpp"
#include "federation/channels/local_channels.hpp"
#include "storage/account_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/log_reader.hpp"

namespace entente::federation {

namespace {

using storage::Connection;
using storage::Standing;
using storage::WriteTransaction;

constexpr char kind_of_dm[] = "dm";

// The best of those seen: one that the user is in before one that he is invited into, the
// older before the newer, so that both sides choose the same of two made at once.
void consider(std::optional<DirectChannel>& best, DirectChannel seen)
{
    const auto rank = [](const DirectChannel& one) {
        return std::make_pair(!one.joined, one.channel);
    };
    if (!best || rank(seen) < rank(*best)) best = std::move(seen);
}

// `is_usable(name)` looks at a channel that is held here: on the writer's side its newest
// state is in memory only.
template <class IsUsable>
Result<std::optional<DirectChannel>> find_in(Connection& db, const UserId& user, const UserId& peer,
                                             IsUsable is_usable)
{
    std::optional<DirectChannel> best;
    auto shared = storage::possible_dms(db, user.str(), peer.str());
    if (!shared) return fail(shared);
    for (const auto& one : *shared) {
        auto usable = is_usable(one.channel);
        if (!usable) return fail(usable);
        if (*usable) consider(best, {one.channel, one.standing <= Standing::owner});
    }
    auto invitations = storage::invitations_of(db, user.str());
    if (!invitations) return fail(invitations);
    for (const auto& row : *invitations) {
        if (row.kind == kind_of_dm && row.sender == peer.str())
            consider(best, {ChannelId::trusted(row.channel), false});
    }
    return best;
}

}  // namespace

asio::awaitable<Result<std::optional<DirectChannel>>> LocalChannels::find_direct(UserId user,
                                                                                 UserId peer)
{
    using Found = Result<std::optional<DirectChannel>>;
    auto job = [this, user, peer](Connection& db) -> Found {
        const auto is_usable = [&](const ChannelId& name) -> Result<bool> {
            auto row = storage::read_channel(db, name);
            if (!row) return fail(row);
            if (row->frozen || row->seq == 0) return false;
            auto meta = protocol::parse_state(row->state, parts_.identity.names);
            if (!meta) return fail(meta);
            return meta->kind == kind_of_dm;
        };
        return find_in(db, user, peer, is_usable);
    };
    auto found = co_await parts_.commits.read(std::move(job));
    co_return found;
}

asio::awaitable<Result<DirectChannel>> LocalChannels::make_direct(Actor actor, UserId peer,
                                                                  NewChannel about)
{
    if (peer == actor.user) co_return refuse(Code::malformed, "/user: is oneself");
    const auto now = parts_.clock.now_ms();
    const auto name = protocol::make_channel_id(parts_.identity.name, now, parts_.random);
    about.kind = kind_of_dm;
    about.name.clear();
    // In the same commit as the creation, so a txn of its own will do.
    Actor inviting = actor;
    inviting.txn = protocol::make_uuid7(now, parts_.random);
    auto invitation = draft(inviting, name, changes::invite(peer));
    if (!invitation) co_return fail(invitation);
    auto creation = draft_creation(actor, name, about, &*invitation);
    if (!creation) co_return fail(creation);

    auto job = [this, peer, creation = std::move(*creation), invitation = std::move(*invitation)](
                   WriteTransaction& transaction) -> Result<DirectChannel> {
        return begin_direct(transaction, creation, invitation, peer);
    };
    storage::Cause cause{actor.user.str(), 0};
    auto made = co_await parts_.commits.write(std::move(job), std::move(cause));
    co_return made;
}

Result<DirectChannel> LocalChannels::begin_direct(WriteTransaction& transaction,
                                                  const Draft& creation, const Draft& invitation,
                                                  const UserId& peer)
{
    auto& db = transaction.db();
    const auto is_usable = [&](const ChannelId& name) -> Result<bool> {
        auto channel = parts_.store.find(db, name);
        if (!channel) return fail(channel);
        return (*channel)->state.kind == kind_of_dm && !(*channel)->frozen;
    };
    auto found = find_in(db, creation.user, peer, is_usable);
    if (!found) return fail(found);
    if (*found) return std::move(**found);
    auto known = find_created(db, creation, &invitation);
    if (!known) return fail(known);
    if (*known) return DirectChannel{std::move(**known), true};
    if (protocol::server_of(peer) == parts_.identity.name) {
        auto account = storage::find_user(db, protocol::localpart_of(peer));
        if (!account) return fail(account);
    }
    auto channel = begin(transaction, creation);
    if (!channel) return fail(channel);
    auto invited = parts_.home.append(transaction, **channel, invitation.event, invitation.content);
    if (!invited) {
        parts_.store.abandon(**channel, invited.error());
        return fail(invited);
    }
    return DirectChannel{*creation.event.channel, true};
}

}  // namespace entente::federation
