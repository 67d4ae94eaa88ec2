// The reading half of LocalChannels: what a user may see of channels and their logs.
#include <algorithm>

#include "federation/channels/local_channels.hpp"
#include "federation/log/long_waits.hpp"
#include "federation/log/shown_marks.hpp"
#include "storage/epoch_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/read_marker_store.hpp"

namespace entente::federation {

namespace {

using storage::ChannelRow;
using storage::Connection;
using storage::Standing;

// A member's view of a channel: entries behind `visible_after` [QRY-2].
struct View {
    ChannelRow channel;
    protocol::ChannelState meta;  // without its lists
    protocol::Role role = protocol::Role::member;
    std::int64_t visible_after = 0;
};

protocol::Failure not_readable()
{
    return refuse(Code::not_found, "no such channel");
}

// `not_found` for who is no member: one may not know of the channel.
Result<View> view_of(Connection& db, Result<ChannelRow> row, const UserId& user,
                     protocol::NameRules rules)
{
    if (!row) return row.error().code == Code::not_found ? not_readable() : fail(row);
    auto member = storage::read_member(db, row->id, user.str());
    if (!member) return fail(member);
    if (!*member || (*member)->standing > Standing::owner) return not_readable();
    auto meta = protocol::parse_state(row->state, rules);
    if (!meta) return fail(meta);
    View view;
    view.role = static_cast<protocol::Role>((*member)->standing);
    // As `history` was at the join: a change is for later joins.
    const auto noted = (*member)->sees_after;
    const auto unnoted = meta->history == "all" ? 0 : (*member)->since;
    view.visible_after = std::max(row->floor, noted >= 0 ? noted : unnoted);
    view.meta = std::move(*meta);
    view.channel = std::move(*row);
    return view;
}

ClientEntry client_entry(storage::StoredEntry stored)
{
    ClientEntry entry;
    entry.seq = stored.seq;
    entry.at = stored.entry.at;
    entry.event_id = stored.event_id;
    entry.event = std::move(stored.entry.event);
    entry.content = std::move(stored.entry.content);
    entry.deleted_by = stored.entry.deleted_by;
    entry.expired = stored.entry.expired;
    entry.marks = stored.entry.marks;
    return entry;
}

storage::PageLimits page_limits(PageSize size)
{
    storage::PageLimits limits;
    limits.entries = static_cast<std::int64_t>(std::clamp<std::size_t>(size.entries, 1, 1000));
    limits.octets = std::min(size.octets, PageSize{}.octets);
    return limits;
}

// A page of the log ends with an epoch, which is no concern of a client's: where that leaves
// room the next one goes on.
Result<ClientEntries> read_entries(Connection& db, const ChannelRow& channel, std::int64_t after,
                                   storage::PageLimits limits)
{
    ClientEntries entries;
    for (;;) {
        auto page = storage::read_log(db, channel, after, limits);
        if (!page) return fail(page);
        for (auto& stored : page->entries) {
            const auto& entry = stored.entry;
            const auto octets = entry.event.size() + (entry.content ? entry.content->size() : 0);
            limits.octets -= std::min(limits.octets, octets);
            limits.entries -= 1;
            entries.push_back(client_entry(std::move(stored)));
        }
        after = page->end.seq;
        if (limits.entries <= 0 || limits.octets == 0 || page->epoch == channel.epoch)
            return entries;
        auto is_over = storage::ends_epoch(db, channel.id, page->epoch, after);
        if (!is_over) return fail(is_over);
        if (!*is_over) return entries;
    }
}

storage::Cause caused_by(const UserId& user)
{
    return storage::Cause{user.str(), 0};
}

}  // namespace

Result<ChannelSummary> LocalChannels::summary(Connection& db, std::int64_t channel,
                                              const UserId& user) const
{
    auto view = view_of(db, storage::read_channel(db, channel), user, parts_.identity.names);
    if (!view) return fail(view);
    auto count = storage::count_members(db, channel);
    if (!count) return fail(count);
    ChannelSummary summary;
    summary.channel = view->channel.name;
    summary.home = view->channel.home;
    summary.successors = view->meta.successors;
    summary.kind = view->meta.kind;
    summary.name = view->meta.name;
    summary.topic = view->meta.topic;
    summary.history = view->meta.history;
    summary.retention = view->meta.retention;
    summary.encryption = view->meta.encryption;
    summary.is_public = view->meta.is_public;
    summary.role = view->role;
    summary.latest = view->channel.seq;
    summary.visible_after = view->visible_after;
    summary.member_count = *count;
    summary.frozen = view->channel.frozen;
    auto stall = storage::find_stall(db, channel);
    if (!stall) return fail(stall);
    summary.stalled = shown(*stall);
    auto read = storage::read_marker(db, user.str(), view->channel.name.str());
    if (!read) return fail(read);
    summary.read = *read;
    return summary;
}

asio::awaitable<Result<std::vector<ChannelSummary>>> LocalChannels::list(UserId user)
{
    auto job = [this, user](Connection& db) -> Result<std::vector<ChannelSummary>> {
        auto ids = storage::channels_of(db, user.str());
        if (!ids) return fail(ids);
        std::vector<ChannelSummary> summaries;
        for (const auto id : *ids) {
            auto one = summary(db, id, user);
            // Left between the two statements: no longer the user's.
            if (!one && one.error().code == Code::not_found) continue;
            if (!one) return fail(one);
            summaries.push_back(std::move(*one));
        }
        return summaries;
    };
    auto cause = caused_by(user);
    auto summaries = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return summaries;
}

asio::awaitable<Result<ChannelSummary>> LocalChannels::get(UserId user, ChannelId channel)
{
    auto job = [this, user, channel](Connection& db) -> Result<ChannelSummary> {
        auto row = storage::read_channel(db, channel);
        if (!row) return row.error().code == Code::not_found ? not_readable() : fail(row);
        return summary(db, row->id, user);
    };
    auto cause = caused_by(user);
    auto found = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return found;
}

asio::awaitable<Result<std::vector<ChannelMember>>> LocalChannels::members(UserId user,
                                                                           ChannelId channel,
                                                                           std::string after,
                                                                           std::size_t limit)
{
    auto job = [this, user, channel, after,
                limit](Connection& db) -> Result<std::vector<ChannelMember>> {
        auto view = view_of(db, storage::read_channel(db, channel), user, parts_.identity.names);
        if (!view) return fail(view);
        std::vector<ChannelMember> members;
        // An empty page ends the list, so one that holds nobody to be shown is passed over.
        for (auto from = after; members.empty();) {
            auto rows = storage::read_members(db, view->channel.id, from,
                                              std::clamp<std::size_t>(limit, 1, 1000));
            if (!rows) return fail(rows);
            if (rows->empty()) break;
            from = rows->back().user;
            for (auto& row : *rows) {
                if (row.standing > Standing::invited) continue;
                ChannelMember member;
                member.user = std::move(row.user);
                member.invited = row.standing == Standing::invited;
                if (!member.invited) member.role = static_cast<protocol::Role>(row.standing);
                members.push_back(std::move(member));
            }
        }
        return members;
    };
    auto cause = caused_by(user);
    auto found = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return found;
}

asio::awaitable<Result<std::vector<Invitation>>> LocalChannels::invitations(UserId user)
{
    auto job = [this, user](Connection& db) -> Result<std::vector<Invitation>> {
        std::vector<Invitation> invitations;
        auto rows = storage::invitations_of(db, user.str());
        if (!rows) return fail(rows);
        for (const auto& row : *rows)
            invitations.push_back({ChannelId::trusted(row.channel), ServerName::trusted(row.home),
                                   row.sender, row.name, row.kind, row.encryption, row.members,
                                   row.at});
        // Into channels that are held here: the log knows who invited.
        auto ids = storage::invited_to(db, user.str());
        if (!ids) return fail(ids);
        for (const auto id : *ids) {
            auto row = storage::read_channel(db, id);
            if (!row) return fail(row);
            auto meta = protocol::parse_state(row->state, parts_.identity.names);
            if (!meta) return fail(meta);
            auto member = storage::read_member(db, id, user.str());
            if (!member) return fail(member);
            auto count = storage::count_members(db, id);
            if (!count) return fail(count);
            Invitation invitation{row->name,  row->home,        "",     meta->name,
                                  meta->kind, meta->encryption, *count, row->at};
            auto page = storage::read_log(db, *row, *member ? (*member)->since - 1 : row->seq,
                                          page_limits({1}));
            if (!page) return fail(page);
            if (!page->entries.empty()) {
                const auto& entry = page->entries.front().entry;
                auto event = protocol::parse_followed_event(entry.event, parts_.identity.names);
                if (event) invitation.from = event->event.sender.text;
                invitation.at = entry.at;
            }
            invitations.push_back(std::move(invitation));
        }
        return invitations;
    };
    auto cause = caused_by(user);
    auto found = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return found;
}

asio::awaitable<Result<ClientEntries>> LocalChannels::page_after(UserId user, ChannelId channel,
                                                                 std::int64_t after, PageSize size)
{
    auto job = [this, user, channel, after, size](Connection& db) -> Result<ClientEntries> {
        auto view = view_of(db, storage::read_channel(db, channel), user, parts_.identity.names);
        if (!view) return fail(view);
        if (after > view->channel.seq)
            return refuse(Code::conflict, "the log ends at " + std::to_string(view->channel.seq) +
                                              ": the server has lost what came after it");
        auto entries = read_entries(db, view->channel, std::max(after, view->visible_after),
                                    page_limits(size));
        if (!entries) return entries;
        auto marked = add_shown_marks(db, view->channel, view->meta, parts_.clock.now_ms(),
                                      parts_.identity.names, *entries);
        if (!marked) return fail(marked);
        return entries;
    };
    auto cause = caused_by(user);
    auto entries = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return entries;
}

asio::awaitable<Result<ClientEntries>> LocalChannels::page_before(UserId user, ChannelId channel,
                                                                  std::int64_t before,
                                                                  PageSize size)
{
    auto job = [this, user, channel, before, size](Connection& db) -> Result<ClientEntries> {
        auto view = view_of(db, storage::read_channel(db, channel), user, parts_.identity.names);
        if (!view) return fail(view);
        auto stored = storage::read_before(db, view->channel, before, page_limits(size));
        if (!stored) return fail(stored);
        ClientEntries entries;
        for (auto& one : *stored) {
            if (one.seq > view->visible_after) entries.push_back(client_entry(std::move(one)));
        }
        auto marked = add_shown_marks(db, view->channel, view->meta, parts_.clock.now_ms(),
                                      parts_.identity.names, entries);
        if (!marked) return fail(marked);
        return entries;
    };
    auto cause = caused_by(user);
    auto entries = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return entries;
}

asio::awaitable<Result<Delivery>> LocalChannels::delivery(UserId user, Hash event_id)
{
    auto job = [this, user, event_id](Connection& db) -> Result<Delivery> {
        Delivery delivery;
        delivery.event_id = event_id;
        auto submission = storage::find_submission(db, event_id);
        if (!submission) return fail(submission);
        if (*submission) {
            const auto& row = **submission;
            if (row.user != user.str()) return refuse(Code::not_found, "no such message");
            delivery.channel = row.channel;
            delivery.seq = row.seq;
            delivery.state = row.seq > 0 ? DeliveryState::accepted : DeliveryState::pending;
            delivery.overdue = row.seq == 0 && row.problem.empty() &&
                               row.at <= parts_.clock.now_ms() - unsent_notice_ms;
            if (row.problem.empty()) return delivery;
            delivery.state = DeliveryState::rejected;
            const auto code = protocol::code_from_name(row.problem).value_or(Code::forbidden);
            delivery.problem = Error{code, "the channel's home refused it", {}, 0};
            return delivery;
        }
        auto found = parts_.events.find(db, event_id);
        if (!found && found.error().code != Code::not_found) return fail(found);
        if (!found) return refuse(Code::not_found, "no such message");
        const auto seq = found->stored.seq;
        auto view =
            view_of(db, storage::read_channel(db, found->channel), user, parts_.identity.names);
        if (!view || seq <= view->visible_after) return refuse(Code::not_found, "no such message");
        delivery.channel = view->channel.name;
        delivery.seq = seq;
        delivery.state = DeliveryState::accepted;
        const auto& home = view->channel.home;
        if (home != parts_.identity.name) delivery.servers[home.str()] = true;
        auto cursors = storage::cursors_of(db, view->channel.id);
        if (!cursors) return fail(cursors);
        for (const auto& cursor : *cursors) {
            // Of a follower that the home has said nothing of nothing is known.
            if (home != parts_.identity.name && cursor.seq <= cursor.floor) continue;
            if (cursor.floor < seq) delivery.servers[cursor.server.str()] = cursor.seq >= seq;
        }
        return delivery;
    };
    auto cause = caused_by(user);
    auto found = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return found;
}

// A member's to know.
asio::awaitable<Result<Moving>> LocalChannels::moving(UserId user, ChannelId channel)
{
    auto job = [this, user, channel](Connection& db) -> Result<Moving> {
        auto view = view_of(db, storage::read_channel(db, channel), user, parts_.identity.names);
        if (!view) return fail(view);
        auto move = storage::find_move(db, view->channel.id);
        if (!move) return fail(move);
        if (!*move) return refuse(Code::not_found, "nobody has asked for a move");
        return standing_of(**move);
    };
    auto cause = caused_by(user);
    auto found = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return found;
}

asio::awaitable<Result<std::vector<Delivery>>> LocalChannels::overdue(UserId user)
{
    auto job = [this, user](Connection& db) -> Result<std::vector<Delivery>> {
        auto rows = storage::overdue_of(db, user.str(), parts_.clock.now_ms() - unsent_notice_ms,
                                        max_overdue_at_once);
        if (!rows) return fail(rows);
        std::vector<Delivery> overdue;
        for (const auto& row : *rows) {
            Delivery delivery;
            delivery.channel = row.channel;
            delivery.event_id = row.event_id;
            delivery.overdue = true;
            overdue.push_back(std::move(delivery));
        }
        return overdue;
    };
    auto cause = caused_by(user);
    auto found = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return found;
}

}  // namespace entente::federation
