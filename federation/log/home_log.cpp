#include "federation/log/home_log.hpp"

#include <algorithm>

#include "federation/direct/device_messages.hpp"
#include "federation/direct/direct.hpp"
#include "federation/log/erasing.hpp"
#include "federation/log/following.hpp"
#include "federation/log/invitation_events.hpp"
#include "federation/log/past_state.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/utf8.hpp"
#include "storage/epoch_store.hpp"
#include "storage/join_request_store.hpp"
#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

using protocol::ChannelState;
using protocol::Event;
using protocol::EventResult;
using protocol::ItemStatus;
using storage::Connection;
using storage::LiveChannel;
using storage::WriteTransaction;

bool is_join(const Event& event)
{
    return event.type == "member.join";
}

// The state that a log's first `seq` entries lead to, those included that this transaction
// has added; nothing where it takes too much to tell. For a longer log the joining server asks
// for the snapshot.
Result<std::optional<ChannelState>> state_as_of(Connection& db, const LiveChannel& channel,
                                                std::int64_t seq, protocol::NameRules rules)
{
    auto row = storage::read_channel(db, channel.name);
    if (!row) return fail(row);
    auto past = fold_stored(db, *row, seq, max_pages_in_turn, rules);
    if (!past) return fail(past);
    if (past->seq < std::min(seq, row->seq)) return std::optional<ChannelState>{};
    for (const auto& stored : channel.added) {
        if (stored.seq > past->seq && stored.seq <= seq)
            past->fold(stored, channel.run_epoch, rules);
    }
    return std::optional{std::move(past->state)};
}

// [MEM-17] Each open invitation is a place in the state, and makes this server call another,
// whichever the member names.
bool is_one_too_many(const ChannelState& state, const Event& event)
{
    if (event.type != "member.invite" || state.invited.size() < max_invited_by_members)
        return false;
    const auto member = state.members.find(event.sender.text);
    return member != state.members.end() && member->second == protocol::Role::member;
}

}  // namespace

HomeLog::HomeLog(const Identity& identity, storage::ChannelLogStore& store,
                 const protocol::Clock& clock, protocol::Random& random, Wake wake,
                 trust::policy::Enforcer* policies,
                 std::function<void(const protocol::UserId& moderator)> asked)
    : identity_(identity),
      store_(store),
      clock_(clock),
      random_(random),
      wake_(std::move(wake)),
      policies_(policies),
      asked_(std::move(asked))
{
}

Result<Appended> HomeLog::append(WriteTransaction& transaction, LiveChannel& channel,
                                 const Event& event, std::string content, const Sending* sending)
{
    auto& db = transaction.db();
    auto duplicate = find_duplicate(db, channel, event);
    if (!duplicate) return fail(duplicate);
    if (*duplicate) return std::move(**duplicate);
    if (channel.home != identity_.name) {
        auto problem = not_here(db, channel, event.sender.server);
        return problem ? Result<Appended>{tl::unexpect, std::move(*problem)} : fail(problem);
    }
    if (channel.frozen) return fail(Code::unavailable, "the channel is frozen");
    if (channel.held)
        return retry_later(Code::unavailable, "the channel waits for its followers",
                           held_retry_seconds);

    const auto now = clock_.now_ms();
    // Own users' events were made by this clock, whatever it said then.
    auto timely =
        event.sender.server == identity_.name ? Result<void>{} : check_not_ahead(event.at, now);
    if (!timely) return fail(timely);
    if (is_one_too_many(channel.state, event))
        return refuse(Code::forbidden, "too many invitations are open: a moderator may invite");
    auto target = find_target(store_, db, channel, event, identity_.names);
    if (!target) return fail(target);

    const auto uninvited = clears_invitation(channel.state, event, content);
    const auto facts = facts_of(*target);
    protocol::Permit permitted;
    if (policies_ != nullptr && sending != nullptr)
        permitted = [&] {
            return permit(transaction, channel, event, content, facts ? &*facts : nullptr,
                          *sending);
        };
    auto change = protocol::apply_event(channel.state, event, content, channel.seq + 1,
                                        channel.epoch, facts, identity_.names, permitted);
    if (!change && change.error().code == Code::conflict) return repeated(db, channel, event);
    if (!change) return fail(change);

    storage::ChannelLogStore::Addition addition;
    addition.entry.at = std::max(now, channel.at);
    addition.entry.event = event.octets;
    addition.entry.content = content;
    addition.event_id = event.id;
    addition.origin = event.sender.server;
    addition.txn = event.txn;
    addition.change = *change;
    addition.leave = event.type == "member.leave";
    auto added = store_.append(db, channel, std::move(addition));
    if (!added) return fail(added);
    auto followed = erase_behind(store_, db, channel, event, *target);
    if (followed) followed = follow_up(transaction, channel, event, content, *change);
    if (followed && uninvited) followed = withdraw_invitation(transaction, channel, *uninvited);
    if (followed && channel.home != identity_.name) followed = hand_over(transaction, channel);
    if (!followed) {
        store_.abandon(channel, followed.error());
        return fail(followed);
    }
    return Appended{channel.seq, true, std::move(*change)};
}

// [MEM-1] A repeated join or leave is a duplicate of the one that stands: a join of who is
// a member, a leave of who has left. Who was invited, kicked or banned since, or never was
// here, has nothing to repeat.
Result<Appended> HomeLog::repeated(Connection& db, const LiveChannel& channel,
                                   const Event& event) const
{
    auto member = storage::read_member(db, channel.id, event.sender.text);
    if (!member) return fail(member);
    const bool stands =
        *member && (is_join(event) ? (*member)->standing <= storage::Standing::owner
                                   : (*member)->standing == storage::Standing::left);
    if (!stands) return refuse(Code::not_member, "the sender is no member");
    return Appended{(*member)->since, false, {}};
}

Result<std::optional<Appended>> HomeLog::find_duplicate(Connection& db, const LiveChannel& channel,
                                                        const Event& event)
{
    auto found = store_.find_txn(db, channel, event.sender.server, event.txn);
    if (!found) return fail(found);
    if (!*found) return std::optional<Appended>{};
    auto entry = store_.entry_at(db, channel, **found);
    if (!entry) return fail(entry);
    if (entry->event_id != event.id)
        return refuse(Code::equivocation, "another event has this txn in this channel");
    return std::optional<Appended>{Appended{**found, false, {}}};
}

// What an entry means for those who follow: a cursor begins, ends, an invitation goes out.
Result<void> HomeLog::follow_up(WriteTransaction& transaction, LiveChannel& channel,
                                const Event& event, const std::string& content,
                                const protocol::StateChange& change)
{
    auto followed =
        note_following_at_home(store_, transaction.db(), channel, identity_.name, event, change);
    if (!followed) return followed;
    const bool is_invite = event.type == "member.invite";
    const auto invitee = is_invite || event.type == "member.ban" ? user_in(content) : std::nullopt;
    if (!invitee) return {};
    auto answered = storage::drop_join_request(transaction.db(), channel.id, *invitee);
    if (!answered) return fail(answered);
    if (!is_invite) return {};
    // Where it changes nothing the first may have been lost.
    if (change.users.empty() && !may_repeat_invitation(channel, *invitee)) return {};
    return send_invitation(transaction, channel, event, content, *invitee);
}

// [SUC-2] The entry that was appended last has moved the channel away.
Result<void> HomeLog::hand_over(WriteTransaction& transaction, LiveChannel& channel)
{
    auto& db = transaction.db();
    auto handed = hand_over_followings(store_, db, channel, identity_.name, identity_.name);
    if (!handed) return handed;
    auto home = store_.server_id(db, channel.home);
    if (!home) return fail(home);
    auto submissions = storage::hand_on_submissions(db, channel.name, *home);
    if (!submissions) return fail(submissions);
    auto waiting = channel.followers;
    waiting.insert(channel.home);
    transaction.after_commit([wake = wake_, waiting] {
        for (const auto& server : waiting) wake(server);
    });
    return {};
}

std::int64_t moving_retry(Millis since_move)
{
    return std::clamp<std::int64_t>(since_move / 8'000, moving_retry_seconds,
                                    longest_moving_retry_seconds);
}

// [SUC-7] Why a submission isn't taken here; where else, once the new home would take it.
Result<Error> HomeLog::not_here(Connection& db, const LiveChannel& channel,
                                const ServerName& origin) const
{
    const std::string why = "the channel is homed elsewhere";
    if (!channel.state.may_be_known_to(origin)) return Error{Code::not_found, why, {}, 0};
    auto was_home = storage::was_home(db, channel.id, identity_.name);
    if (!was_home) return fail(was_home);
    if (!*was_home) return Error{Code::not_home, why, {}, 0};
    auto cursor = storage::find_cursor(db, channel.id, channel.home);
    if (!cursor) return fail(cursor);
    if (*cursor && (*cursor)->until > (*cursor)->seq)
        return Error{Code::unavailable, why, {}, moving_retry(clock_.now_ms() - channel.at)};
    return Error{Code::superseded, why, channel.home.str(), 0};
}

bool HomeLog::may_repeat_invitation(const LiveChannel& channel, const std::string& invitee)
{
    const auto now = clock_.now_ms();
    const auto place = std::pair{channel.id, invitee};
    if (repeated_.size() >= max_repeated_invitations)
        std::erase_if(repeated_,
                      [&](const auto& sent) { return now - sent.second >= invitation_repeat_ms; });
    const auto found = repeated_.find(place);
    if (found != repeated_.end() ? now - found->second < invitation_repeat_ms
                                 : repeated_.size() >= max_repeated_invitations)
        return false;
    repeated_[place] = now;
    return true;
}

// [INBOX-4] A server that has members here reads the invitation in the log.
Result<void> HomeLog::send_invitation(WriteTransaction& transaction, LiveChannel& channel,
                                      const Event& event, const std::string& content,
                                      const std::string& invitee)
{
    const auto server = protocol::server_of(protocol::UserId::trusted(invitee));
    if (server == identity_.name || channel.state.has_member_of(server)) return {};
    const auto now = clock_.now_ms();
    using protocol::json_string;
    std::string body =
        "{\"salt\":" + json_string(protocol::to_base64url(random_.octets(16))) +
        ",\"channel\":" + json_string(channel.name.str()) + ",\"name\":" +
        json_string(protocol::utf8_prefix(channel.state.name, max_invitation_name_octets)) +
        ",\"kind\":" + json_string(channel.state.kind) +
        ",\"encryption\":" + json_string(channel.state.encryption) +
        ",\"members\":" + std::to_string(channel.state.members.size()) +
        ",\"invite\":{\"event\":" + json_string(event.octets) +
        ",\"content\":" + json_string(content) + "}}";
    protocol::EventDraft draft;
    draft.type = "invite";
    draft.to = invitee;
    draft.sender = identity_.name.str();
    draft.txn = protocol::make_uuid7(now, random_);
    draft.at = now;
    draft.content = body;
    auto id = store_.server_id(transaction.db(), server);
    if (!id) return fail(id);
    storage::DirectRow row;
    row.event = protocol::write_event(draft);
    row.content = std::move(body);
    const auto& inviter = event.sender;
    if (inviter.server == identity_.name && !inviter.is_server && event.device) {
        row.sender = inviter.text;
        row.type = draft.type;
        row.note = write_note({*event.device, event.txn, protocol::UserId::trusted(invitee), {}});
    }
    auto put = storage::put_users_direct(transaction.db(), *id, row, now);
    if (!put) return put;
    transaction.after_commit([wake = wake_, server] { wake(server); });
    return {};
}

// [INBOX-16] As with the invitation: a server that has members here reads it in the log.
Result<void> HomeLog::withdraw_invitation(WriteTransaction& transaction, LiveChannel& channel,
                                          const std::string& invitee)
{
    const auto server = protocol::server_of(protocol::UserId::trusted(invitee));
    if (server == identity_.name || channel.state.has_member_of(server)) return {};
    const auto now = clock_.now_ms();
    const auto row = withdrawal(identity_, channel.name, invitee, now, random_);
    auto id = store_.server_id(transaction.db(), server);
    if (!id) return fail(id);
    auto put = storage::put_direct(transaction.db(), *id, row.event, row.content, now);
    if (!put) return put;
    transaction.after_commit([wake = wake_, server] { wake(server); });
    return {};
}

bool HomeLog::orders(storage::Connection& db, const protocol::ChannelId& channel)
{
    auto found = store_.find(db, channel);
    return found && (*found)->home == identity_.name;
}

HomeLog::SubmissionOutcome HomeLog::take(WriteTransaction& transaction,
                                         const VerifiedSubmission& submission,
                                         const ServerName& origin, SubmissionTurn& turn,
                                         std::size_t budget, std::int64_t budget_retry)
{
    SubmissionOutcome outcome;
    outcome.result.channel = submission.channel_text;
    const auto refuse_all = [&](const Error& problem) {
        for (const auto& item : submission.events) {
            outcome.result.events.push_back(refused_event(item.id, problem));
            if (item.event && outcome.result.events.back().status == ItemStatus::deferred)
                turn.deferred.emplace(submission.channel, item.event->sender.text);
        }
        return outcome;
    };
    if (submission.problem) return refuse_all(*submission.problem);

    auto found = store_.find(transaction.db(), submission.channel);
    if (!found) return refuse_all(found.error());
    auto& channel = **found;
    // [SUC-7] Of what this log had before the channel moved its author is told.
    if (channel.home != identity_.name) {
        const auto problem = not_here(transaction.db(), channel, origin);
        if (!problem) return refuse_all(problem.error());
        if (problem->code == Code::not_home) return refuse_all(*problem);
    }
    take_events(transaction, channel, submission, origin, turn, budget, budget_retry, outcome);
    return outcome;
}

void HomeLog::take_events(WriteTransaction& transaction, LiveChannel& channel,
                          const VerifiedSubmission& submission, const ServerName& origin,
                          SubmissionTurn& turn, std::size_t budget, std::int64_t budget_retry,
                          SubmissionOutcome& outcome)
{
    bool any_new = false;
    for (std::size_t i = 0; i < submission.events.size(); ++i) {
        const auto& item = submission.events[i];
        auto appended =
            take_event(transaction, channel, item, origin, i >= budget, budget_retry, turn);
        if (!appended) {
            outcome.result.events.push_back(refused_event(item.id, appended.error()));
            if (item.event && outcome.result.events.back().status == ItemStatus::deferred)
                turn.deferred.emplace(channel.name, item.event->sender.text);
            continue;
        }
        any_new |= appended->is_new;
        EventResult result;
        result.event = item.event->id;
        result.status = appended->is_new ? ItemStatus::accepted : ItemStatus::duplicate;
        result.seq = appended->seq;
        if (is_join(*item.event)) {
            auto revived = revive_following(transaction.db(), channel, origin, appended->seq);
            if (!revived) store_.abandon(channel, revived.error());
            if (revived && *revived)
                transaction.after_commit([wake = wake_, origin] { wake(origin); });
            const bool is_new =
                appended->is_new && (appended->change.first_of_server || (revived && *revived));
            grant_join(transaction.db(), channel, *item.event, *appended, is_new, turn, outcome);
        }
        outcome.result.events.push_back(std::move(result));
    }
    if (any_new) store_.add_seal(channel, submission.seal, submission.root);
}

Result<Appended> HomeLog::take_event(WriteTransaction& transaction, LiveChannel& channel,
                                     const VerifiedEvent& item, const ServerName& origin,
                                     bool is_over_budget, std::int64_t budget_retry,
                                     const SubmissionTurn& turn)
{
    // Whoever may not know of the channel gets the answer of a channel that isn't there,
    // whatever is wrong with the event; but a repeat is answered after the last has left.
    const auto unknown = [] {
        return fail(Code::not_found, "the origin may not know of the channel");
    };
    const bool knows = channel.state.may_be_known_to(origin);
    if (!item.event)
        return knows ? Result<Appended>{tl::unexpect, item.problem} : Result<Appended>{unknown()};
    const auto& event = *item.event;
    if (!knows) {
        auto duplicate = find_duplicate(transaction.db(), channel, event);
        if (!duplicate) return fail(duplicate);
        return *duplicate ? Result<Appended>{std::move(**duplicate)} : Result<Appended>{unknown()};
    }
    if (is_over_budget)
        return retry_later(Code::rate_limited, "over the item budget",
                           std::max<std::int64_t>(budget_retry, 1));
    if (turn.deferred.contains({channel.name, event.sender.text}))
        return Result<Appended>{tl::unexpect, earlier_one_waits()};
    const Sending sending{nullptr, turn.tier};
    return append(transaction, channel, event, item.content, &sending);
}

// A server that said it doesn't follow, and lost what it held, joins again: its users are
// members still, so nothing but the join itself can start its cursor anew.
Result<bool> HomeLog::revive_following(Connection& db, LiveChannel& channel,
                                       const ServerName& server, std::int64_t seq)
{
    if (channel.home != identity_.name || channel.followers.contains(server) ||
        !channel.state.has_member_of(server))
        return false;
    auto id = store_.server_id(db, server);
    if (!id) return fail(id);
    const bool is_whole = channel.state.history == "all" && channel.floor == 0;
    auto started = storage::start_cursor(db, channel.id, *id, is_whole ? 0 : seq);
    if (!started) return fail(started);
    store_.add_follower(channel, server);
    return true;
}

// [MEM-3] A repeat is granted as long as the server follows from that join, and not beside a newer.
void HomeLog::grant_join(Connection& db, LiveChannel& channel, const Event& event,
                         const Appended& appended, bool starts_following, SubmissionTurn& turn,
                         SubmissionOutcome& outcome)
{
    if (turn.granted.contains(channel.name) && !starts_following) return;
    auto cursor = storage::find_cursor(db, channel.id, event.sender.server);
    if (!cursor || !*cursor) return;
    const bool is_first = appended.is_new
                              ? starts_following
                              : (*cursor)->floor == 0 || (*cursor)->floor == appended.seq;
    if (!is_first) return;
    auto granted = grant(db, channel, appended.seq, event.sender.server);
    if (!granted) return;
    turn.granted.insert(channel.name);
    outcome.grant = std::move(*granted);
    outcome.grant_index = outcome.result.events.size();
}

Result<JoinGrant> HomeLog::grant(Connection& db, LiveChannel& channel, std::int64_t seq,
                                 const ServerName& server)
{
    auto cursor = storage::find_cursor(db, channel.id, server);
    if (!cursor) return fail(cursor);
    JoinGrant granted;
    granted.floor = *cursor ? (*cursor)->floor : 0;
    auto& snapshot = granted.snapshot;
    snapshot.channel = channel.name;
    auto epoch = store_.epoch_behind(db, channel, seq);
    if (!epoch) return fail(epoch);
    snapshot.epoch = *epoch;
    snapshot.seq = seq;
    auto entry = store_.entry_at(db, channel, seq);
    if (!entry) return fail(entry);
    snapshot.at = entry->entry.at;
    auto hash = store_.hash_at(db, channel, seq);
    if (!hash) return fail(hash);
    snapshot.hash = *hash;
    if (seq == channel.seq) {
        snapshot.state = protocol::state_json(channel.state);
        return granted;
    }
    // Where the log isn't here from its start it can't be folded.
    if (channel.floor > 0) return granted;
    auto state = state_as_of(db, channel, seq, identity_.names);
    if (!state) return fail(state);
    if (*state) snapshot.state = protocol::state_json(**state);
    return granted;
}

}  // namespace entente::federation
