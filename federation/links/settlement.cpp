#include "federation/links/settlement.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include "federation/links/settlement_job.hpp"
#include "federation/log/succession.hpp"
#include "storage/incoming_store.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

using protocol::EventResult;
using protocol::ItemStatus;
using protocol::SliceResult;
using protocol::SliceStatus;
using protocol::TransactionResult;
using storage::SubmissionRow;
using storage::WriteTransaction;

// Only of what can't be parsed a result doesn't name the event [INBOX-1].
bool speaks_of(const EventResult& result, const protocol::Hash& id)
{
    return result.event ? *result.event == id : result.status == ItemStatus::rejected;
}

// Whether an event has its place in the log. Anything else that isn't final is waited for: a
// peer's nonsense would otherwise be asked for again at once, for ever.
bool is_placed(const EventResult& result)
{
    return (result.status == ItemStatus::accepted || result.status == ItemStatus::duplicate) &&
           result.seq > 0;
}

bool fits(const BatchDraft& draft, const TransactionResult& result)
{
    if (result.submissions.size() != draft.submissions.size() ||
        result.logs.size() != draft.logs.size() || result.direct.size() != draft.direct.size())
        return false;
    for (std::size_t i = 0; i < draft.submissions.size(); ++i) {
        const auto& rows = draft.submissions[i].rows;
        const auto& events = result.submissions[i].events;
        if (events.size() != rows.size() ||
            result.submissions[i].channel != draft.submissions[i].channel.str())
            return false;
        for (std::size_t k = 0; k < rows.size(); ++k) {
            if (!speaks_of(events[k], rows[k].event_id)) return false;
        }
    }
    for (std::size_t i = 0; i < draft.logs.size(); ++i) {
        if (result.logs[i].channel != draft.logs[i].channel.name.str()) return false;
    }
    for (std::size_t i = 0; i < draft.direct.size(); ++i) {
        if (!speaks_of(result.direct[i], protocol::event_id(draft.direct[i].event))) return false;
    }
    return true;
}

Posted posted(const SubmissionRow& row, DeliveryState state, std::int64_t seq)
{
    Posted result;
    result.event_id = row.event_id;
    result.state = state;
    result.seq = seq;
    return result;
}

}  // namespace

Settlement::Settlement(SettlementParts parts) : parts_(parts) {}

asio::awaitable<Result<Settled>> Settlement::settle(const ServerName& peer, const BatchDraft& draft,
                                                    TransactionResult result)
{
    if (!fits(draft, result))
        co_return fail(Code::malformed, "the answer does not fit the transaction");
    auto job = std::make_shared<Job>();
    job->peer = peer;
    job->draft = draft;

    auto roots = co_await parts_.verifier.check_roots(result.roots);
    for (const auto& submission : result.submissions) {
        for (const auto& event : submission.events) {
            if (!event.event || !event.snapshot || !event.floor) continue;
            auto state = parts_.verifier.check_snapshot(*event.snapshot, roots, peer);
            const bool is_of_channel = event.snapshot->channel.str() == submission.channel;
            // A log that begins at its floor begins with the snapshot as of exactly there [MEM-3].
            const bool fits_floor = (*event.floor == 0 || *event.floor == event.snapshot->seq) &&
                                    event.snapshot->seq == event.seq;
            // Then the log begins with what the snapshot query gives, and no other channel waits.
            if (!state || !is_of_channel || !fits_floor) {
                protocol::log_warning(parts_.log, "links", "a join's snapshot is not proven",
                                      {{"peer", peer.str()}, {"channel", submission.channel}});
                continue;
            }
            Join join{*event.snapshot, std::move(*state), *event.floor};
            job->joins.emplace(protocol::as_view(*event.event), std::move(join));
        }
    }
    for (const auto& log : result.logs) {
        const bool is_believed = log.status != SliceStatus::ahead || !parts_.believes ||
                                 parts_.believes(ChannelId::trusted(log.channel), peer);
        if (!is_believed) job->disbelieved.insert(log.channel);
    }
    for (std::size_t i = 0; i < result.direct.size(); ++i) {
        auto consent = consent_in(result.direct[i]);
        if (consent) job->consents.emplace(i, std::move(*consent));
    }
    job->result = std::move(result);

    auto work = [this, job](WriteTransaction& transaction) -> Result<Settled> {
        return apply(transaction, *job);
    };
    storage::Cause cause{peer.str(), job->draft.octets};
    auto settled = co_await parts_.commits.write(std::move(work), std::move(cause));
    co_return settled;
}

Result<Settled> Settlement::apply(WriteTransaction& transaction, const Job& job)
{
    Settled settled;
    for (std::size_t i = 0; i < job.draft.submissions.size(); ++i) {
        const auto& rows = job.draft.submissions[i].rows;
        for (std::size_t k = 0; k < rows.size(); ++k) {
            auto done = apply_event(transaction, job, rows[k], job.result.submissions[i].events[k],
                                    settled);
            if (!done) return fail(done);
        }
    }
    for (std::size_t i = 0; i < job.draft.logs.size(); ++i) {
        const auto& part = job.draft.logs[i];
        settled.logs_left.insert(part.channel.id);
        auto done = apply_log(transaction, job, part, job.result.logs[i], settled);
        if (!done) return fail(done);
    }
    for (std::size_t i = 0; i < job.draft.direct.size(); ++i) {
        auto done = apply_direct(transaction, job, i, settled);
        if (!done) return fail(done);
    }
    return settled;
}

Result<void> Settlement::apply_event(WriteTransaction& transaction, const Job& job,
                                     const SubmissionRow& row, const EventResult& result,
                                     Settled& settled)
{
    auto& db = transaction.db();
    const auto tell = [&](Posted what) { tell_author(transaction, row, std::move(what)); };
    const bool wants_snapshot =
        row.type == "member.join" && result.status == ItemStatus::need_snapshot;
    if (result.status != ItemStatus::rejected && !is_placed(result) && !wants_snapshot) {
        const bool is_first = !settled.held_submissions.contains(row.channel.str());
        auto& wait = settled.held_submissions[row.channel.str()];
        wait = std::max(wait, std::max<std::int64_t>(result.retry_after, 1));
        const bool may_have_lost =
            is_first && result.problem && result.problem->code == Code::unavailable;
        return may_have_lost ? hand_in_again(db, row.channel) : Result<void>{};
    }
    if (result.status == ItemStatus::rejected)
        return reject(transaction, job.peer, row, result, settled);
    if (row.type == "member.join") {
        auto standing = apply_join(transaction, job, row, result);
        if (!standing) return fail(standing);
        if (*standing == JoinStanding::needs_snapshot) {
            // Not accepted before the log can begin: a crash now must find the join outstanding.
            settled.wants_snapshot[row.channel.str()] = {result.floor, row,
                                                         is_placed(result) ? result.seq : 0};
            settled.held_submissions[row.channel.str()] = 1;
            return {};
        }
        settled.progress = true;
        tell(posted(row, DeliveryState::accepted, result.seq));
        // Behind the floor the join itself never comes by the log: what stands here is then
        // all that a repeat of it can be answered by. Without a place it is over.
        return is_placed(result) ? storage::accept_submission(db, row.id, result.seq)
                                 : storage::settle_submission(db, row.channel, row.txn);
    }
    settled.progress = true;
    tell(posted(row, DeliveryState::accepted, result.seq));
    auto channel = parts_.store.find(db, row.channel);
    if (!channel && channel.error().code != Code::not_found) return fail(channel);
    // What lies before the log that is held here never comes back in it.
    if (channel && result.seq <= (*channel)->floor)
        return storage::settle_submission(db, row.channel, row.txn);
    return storage::accept_submission(db, row.id, result.seq);
}

// [LOG-19] A home that holds a channel may have lost what it had given a number: those go first,
// or they would come behind what was written later. One that has them answers `duplicate`.
Result<void> Settlement::hand_in_again(storage::Connection& db, const ChannelId& name)
{
    auto channel = parts_.store.find(db, name);
    if (!channel && channel.error().code != Code::not_found) return fail(channel);
    auto reopened = storage::reopen_submissions(db, name, channel ? (*channel)->floor : 0,
                                                std::numeric_limits<std::int64_t>::max());
    return reopened ? Result<void>{} : fail(reopened);
}

Result<Settlement::JoinStanding> Settlement::apply_join(WriteTransaction& transaction,
                                                        const Job& job, const SubmissionRow& row,
                                                        const EventResult& result)
{
    auto& db = transaction.db();
    const auto join = job.joins.find(std::string(protocol::as_view(row.event_id)));
    if (join != job.joins.end()) {
        const auto& granted = join->second;
        auto begun =
            parts_.follower.begin(transaction, granted.snapshot, granted.state, granted.floor);
        if (!begun) return fail(begun);
    }
    auto found = parts_.store.find(db, row.channel);
    if (!found && found.error().code != Code::not_found) return fail(found);
    if (!found || result.floor.value_or(0) > (*found)->seq) return JoinStanding::needs_snapshot;
    // Without a place for the join only the state tells whether the snapshot has been fetched.
    if (!is_placed(result) && !(*found)->state.is_member(row.user))
        return JoinStanding::needs_snapshot;
    if ((*found)->floor < result.seq) return JoinStanding::stands;
    auto dropped = drop_invitation(transaction, row);
    if (!dropped) return fail(dropped);
    return JoinStanding::stands;
}

Result<void> Settlement::drop_invitation(WriteTransaction& transaction, const SubmissionRow& join)
{
    transaction.after_commit([this, user = protocol::UserId::trusted(join.user)] {
        parts_.notices.tell([&](CommitListener& listener) { listener.membership_changed(user); });
    });
    return storage::drop_invitation(transaction.db(), join.user, join.channel.str());
}

asio::awaitable<Result<void>> Settlement::pass_over(WantedSnapshot wanted)
{
    auto work = [this, wanted](WriteTransaction& transaction) -> Result<void> {
        const auto& join = wanted.join;
        auto& db = transaction.db();
        auto waits = storage::find_submission(db, join.channel, join.txn);
        if (!waits || !*waits || (*waits)->seq > 0) return waits ? Result<void>{} : fail(waits);
        auto channel = parts_.store.find(db, join.channel);
        if (channel) return {};  // begun meanwhile
        if (channel.error().code != Code::not_found) return fail(channel);
        if (auto dropped = drop_invitation(transaction, join); !dropped) return dropped;
        tell_author(transaction, join, posted(join, DeliveryState::accepted, wanted.seq));
        return storage::settle_submission(db, join.channel, join.txn);
    };
    storage::Cause cause{wanted.join.user, 0};
    auto done = co_await parts_.commits.write(std::move(work), std::move(cause));
    co_return done;
}

Result<void> Settlement::apply_direct(WriteTransaction& transaction, const Job& job,
                                      std::size_t place, Settled& settled)
{
    const auto& row = job.draft.direct[place];
    const auto& result = job.result.direct[place];
    const auto hold = [&](std::int64_t seconds) {
        auto& wait = settled.held_direct[sequence_of(row)];
        wait = std::max(wait, seconds);
    };
    if (result.status == ItemStatus::deferred) {
        hold(std::max<std::int64_t>(result.retry_after, 1));
        return {};
    }
    if (row.type == move_question_type && parts_.move_answered) {
        const auto consent = job.consents.find(place);
        auto done = parts_.move_answered(
            transaction, row, result,
            consent == job.consents.end() ? std::nullopt : std::optional{consent->second});
        if (!done) return fail(done);
        if (!*done) {
            hold(moving_retry_seconds);
            return {};
        }
    }
    settled.progress = true;
    if (result.status == ItemStatus::rejected)
        protocol::log_warning(
            parts_.log, "links", "a peer refused a direct event",
            {{"peer", job.peer.str()},
             {"problem",
              result.problem ? std::string(protocol::code_name(result.problem->code)) : ""}});
    if (result.status == ItemStatus::rejected && !row.note.empty() && parts_.direct_refused) {
        const auto code = result.problem ? result.problem->code : Code::malformed;
        auto told = parts_.direct_refused(transaction, row, code);
        if (!told) return told;
    }
    return storage::drop_direct(transaction.db(), row.id);
}

asio::awaitable<Result<std::shared_ptr<Settlement::Join>>> Settlement::check(
    const ServerName& home, protocol::SnapshotAnswer answer)
{
    auto roots = co_await parts_.verifier.check_roots(std::move(answer.roots));
    auto state = parts_.verifier.check_snapshot(answer.snapshot, roots, home);
    if (!state) co_return fail(state);
    co_return std::make_shared<Join>(Join{std::move(answer.snapshot), std::move(*state), 0});
}

asio::awaitable<Result<void>> Settlement::begin(const ServerName& home,
                                                protocol::SnapshotAnswer answer,
                                                std::optional<std::int64_t> floor)
{
    auto checked = co_await check(home, std::move(answer));
    if (!checked) co_return fail(checked);
    auto join = std::move(*checked);
    // The home's word at the join counts; `history` may have changed since.
    const bool is_whole = floor ? *floor == 0 : join->state.history == "all";
    join->floor = is_whole ? 0 : join->snapshot.seq;
    auto work = [this, join](WriteTransaction& transaction) -> Result<void> {
        return parts_.follower.begin(transaction, join->snapshot, join->state, join->floor);
    };
    storage::Cause cause{home.str(), join->snapshot.state.size()};
    auto begun = co_await parts_.commits.write(std::move(work), std::move(cause));
    co_return begun;
}

asio::awaitable<Result<bool>> Settlement::begin_again(const ServerName& home,
                                                      protocol::SnapshotAnswer answer,
                                                      std::int64_t floor)
{
    auto checked = co_await check(home, std::move(answer));
    if (!checked) co_return fail(checked);
    auto join = std::move(*checked);
    auto work = [this, join, home, floor](WriteTransaction& transaction) -> Result<bool> {
        return parts_.follower.begin_again(transaction, join->snapshot, join->state, floor, home);
    };
    storage::Cause cause{home.str(), join->snapshot.state.size()};
    auto begun = co_await parts_.commits.write(std::move(work), std::move(cause));
    co_return begun;
}

}  // namespace entente::federation
