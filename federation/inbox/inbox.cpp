#include "federation/inbox/inbox.hpp"

#include <algorithm>
#include <memory>

#include "federation/inbox/inbox_work.hpp"
#include "federation/log/succession.hpp"
#include "federation/long_octets.hpp"
#include "protocol/message_signature.hpp"

namespace entente::federation {

namespace {

using protocol::ItemStatus;
using protocol::Transaction;
using protocol::TransactionResult;

// [EVT-5] How much longer it is remembered that an event was refused for being from the future.
constexpr protocol::Seconds early_memory_s = 24 * 3600;

// Nobody names it who is within the budget.
CheckedRoot unchecked_root()
{
    CheckedRoot root;
    root.problem = Error{Code::rate_limited, "a root beyond the budget", {}, 1};
    return root;
}

}  // namespace

Inbox::Inbox(InboxParts parts) : parts_(std::move(parts)) {}

asio::awaitable<net::Response> Inbox::receive(net::Request& request, const Admitted& admitted)
{
    auto result = co_await process(std::move(request.body), admitted);
    if (!result) co_return net::problem_response(result.error(), parts_.clock.now_ms());
    net::Response response;
    response.body = protocol::write_result(*result, parts_.clock.now_ms());
    co_return response;
}

asio::awaitable<Result<TransactionResult>> Inbox::process(std::string body,
                                                          const Admitted& admitted)
{
    const auto octets = body.size();
    const auto shown = octets <= trust::max_shown_octets ? body : std::string();
    auto* const figures = parts_.figures;
    net::Stopwatch reading(figures != nullptr ? &figures->read : nullptr);
    auto read = co_await parse(std::move(body), admitted.origin);
    reading.stop();
    if (!read) co_return fail(read);
    auto transaction = std::make_shared<Transaction>(std::move(*read));

    auto work = std::make_shared<Work>();
    work->origin = admitted.origin;
    work->tier = admitted.tier;
    work->octets = octets;
    spend_budgets(*work, *transaction, admitted);
    net::Stopwatch verifying(figures != nullptr ? &figures->verify : nullptr);
    auto verified = co_await verify(work, std::move(transaction));
    verifying.stop();
    if (!verified) co_return fail(verified);
    spend_invitations(*work);

    // One bad item is a line in the result, never an error: a peer could otherwise wedge its
    // neighbours' channels. An error here is ours, and tells the peer to retry.
    auto job = [this, work](storage::WriteTransaction& open) -> Result<Outcome> {
        if (auto again = refuse_again(*work); !again) return fail(again);
        auto outcome = apply(open, *work);
        // Before the commit, so that no copy comes in between. Where that fails nobody has heard
        // of the refusal, and it stands all the same.
        if (auto noted = note_refused(open.db(), *work, outcome.result); !noted) return fail(noted);
        count_accepted(*work, outcome.result);
        outcome.first = first_of(open.db(), *work, outcome.result);
        return outcome;
    };
    storage::Cause cause{work->origin.str(), work->octets};
    net::Stopwatch committing(figures != nullptr ? &figures->commit : nullptr);
    auto outcome = co_await parts_.commits.write(std::move(job), std::move(cause));
    committing.stop();
    if (!outcome) {
        const auto wait = std::max<std::int64_t>(outcome.error().retry_after, 1);
        co_return retry_later(Code::unavailable, outcome.error().detail, wait);
    }
    if (figures != nullptr) figures->count(outcome->result);
    note_conduct(*work, *outcome, admitted, shown);
    co_return finish(std::move(*outcome));
}

asio::awaitable<Result<Transaction>> Inbox::parse(std::string body, const ServerName& origin)
{
    const auto& identity = parts_.identity;
    if (body.size() <= long_octets)
        co_return protocol::parse_transaction(body, identity.limits, identity.names);
    storage::Cause cause{origin.str(), body.size()};
    auto job = [&identity, body = std::move(body)](storage::Connection&) {
        return protocol::parse_transaction(body, identity.limits, identity.names);
    };
    auto transaction = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return transaction;
}

asio::awaitable<Result<void>> Inbox::verify(std::shared_ptr<Work> work,
                                            std::shared_ptr<Transaction> transaction)
{
    for (std::size_t i = 0; i < transaction->logs.size(); ++i) {
        if (work->slice_limits[i]) transaction->logs[i].value.reset();
    }
    work->own_keys = own_key_refs(parts_.identity);
    auto keys = parts_.verifier.key_allowance(*transaction);
    for (auto& read : transaction->signals) {
        const bool is_taken =
            parts_.budgets.spend_signal(work->origin, work->tier, parts_.clock.now_ms());
        work->signals.push_back(is_taken ? heard(read, *work) : std::nullopt);
    }
    auto checked = co_await check_roots(work->roots, std::move(transaction->roots), keys);
    auto may_hear = [this, work](std::size_t statements) {
        return parts_.budgets
            .spend_events(work->origin, work->tier,
                          static_cast<std::int64_t>(std::min(statements, max_statements_charged)),
                          false, parts_.clock.now_ms())
            .has_value();
    };
    std::function<bool(std::size_t)> charge = std::move(may_hear);
    co_await parts_.verifier.hear_shown(checked, transaction->logs, std::move(charge));
    auto consents = co_await parts_.verifier.check_consents(*transaction, keys);
    if (work->octets <= long_octets) {
        check_items(*work, std::move(*transaction), checked, consents);
        co_return Result<void>{};
    }
    auto roots = std::make_shared<CheckedRoots>(std::move(checked));
    auto job = [this, work, transaction, roots,
                consents = std::move(consents)](storage::Connection&) -> Result<void> {
        check_items(*work, std::move(*transaction), *roots, consents);
        return {};
    };
    storage::Cause cause{work->origin.str(), work->octets};
    auto done = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return done;
}

// Whoever passes a signal on doesn't lend its user's server its own standing, nor borrow one.
std::optional<HeardSignal> Inbox::heard(const protocol::Read<protocol::Signal>& read,
                                        const Work& work) const
{
    if (!read.value) return std::nullopt;
    auto signal = protocol::parse_signal(read.value->json, parts_.identity.names);
    if (!signal) return std::nullopt;
    auto tier = work.tier;
    const auto server = protocol::server_of(signal->user);
    if (parts_.tier_of && server != work.origin) tier = std::min(tier, parts_.tier_of(server));
    return HeardSignal{std::move(*signal), tier};
}

// Those of `named` alone.
asio::awaitable<CheckedRoots> Inbox::check_roots(std::set<std::size_t> named,
                                                 std::vector<std::string> roots, KeyAllowance& keys)
{
    std::vector<std::string> texts;
    for (const auto index : named) texts.push_back(std::move(roots[index]));
    auto verified = co_await parts_.verifier.check_roots(std::move(texts), keys);
    CheckedRoots checked(roots.size(), unchecked_root());
    auto next = verified.begin();
    for (const auto index : named) checked[index] = std::move(*next++);
    co_return checked;
}

// Arithmetic on what it is given: for any thread.
void Inbox::check_items(Work& work, Transaction transaction, const CheckedRoots& roots,
                        const CheckedConsents& consents) const
{
    for (std::size_t i = 0; i < transaction.submissions.size(); ++i) {
        auto& read = transaction.submissions[i];
        const bool is_beyond =
            read.value && !read.value->events.empty() && work.event_budgets[i] == 0;
        work.submissions.push_back(
            parts_.verifier.check_submission(std::move(read), roots, work.origin, consents));
        // Its root is not looked at: whatever is found of it now is nobody's final word.
        if (is_beyond)
            work.submissions.back().problem =
                Error{Code::rate_limited, "over the budget", {}, work.retry_after};
    }
    for (auto& read : transaction.logs) {
        auto home = Verifier::home_of(read, roots, work.origin);
        work.slices.push_back(parts_.verifier.check_slice(std::move(read), roots, home, &consents));
    }
    for (const auto& read : transaction.direct) {
        work.direct.push_back(parts_.direct.check(read, work.origin, work.own_keys));
        work.direct.back().tier = work.tier;
    }
    find_faults(work);
}

// [INBOX-18] What was refused for good stays so: an older copy of it may have been under way
// all the time, and its author has been told.
Result<void> Inbox::refuse_again(Work& work)
{
    const auto look_up = [&](auto& item) -> Result<void> {
        if (!item.event || !item.id) return {};
        auto refused = parts_.refused.find_refused(*item.id);
        if (!refused) return fail(refused);
        if (!*refused) return {};
        item.event.reset();
        item.problem = Error{**refused, "an earlier copy of it was refused", {}, 0};
        return {};
    };
    for (auto& submission : work.submissions) {
        for (auto& item : submission.events) {
            if (auto done = look_up(item); !done) return done;
        }
    }
    for (auto& item : work.direct) {
        if (auto done = look_up(item); !done) return done;
    }
    return {};
}

// As long as a request can pass that was made before its sender has the answer. Nothing of what
// wasn't proven: of that another proof may come; nor of what may be the home's business soon: a
// move comes here last, and what its sender keeps until then must not be overtaken [SUC-7].
Result<void> Inbox::note_refused(storage::Connection& db, const Work& work,
                                 const TransactionResult& result)
{
    const auto expires = parts_.clock.now_s() + protocol::max_age_s + protocol::max_ahead_s + 1;
    const auto ahead = parts_.clock.now_ms() + protocol::max_event_ahead_ms;
    const auto note = [&](const auto& item, const protocol::EventResult& said,
                          bool is_homed_here) -> Result<void> {
        const bool is_final = said.status == ItemStatus::rejected &&
                              said.problem->code != Code::superseded &&
                              said.problem->code != Code::not_home &&
                              (is_homed_here || said.problem->code != Code::not_found);
        if (!is_final || !item.event || !item.id) return {};
        // [EVT-5] Its time would come.
        const auto until = item.event->at > ahead ? expires + early_memory_s : expires;
        return parts_.refused.note_refused(*item.id, said.problem->code, until);
    };
    for (std::size_t i = 0; i < work.submissions.size(); ++i) {
        const auto& submission = work.submissions[i];
        if (submission.problem) continue;
        const bool is_homed_here = parts_.home.orders(db, submission.channel);
        for (std::size_t j = 0; j < submission.events.size(); ++j) {
            auto done = note(submission.events[j], result.submissions[i].events[j], is_homed_here);
            if (!done) return done;
        }
    }
    for (std::size_t i = 0; i < work.direct.size(); ++i) {
        if (auto done = note(work.direct[i], result.direct[i], true); !done) return done;
    }
    return {};
}

Inbox::Outcome Inbox::apply(storage::WriteTransaction& open, const Work& work)
{
    Outcome outcome;
    SubmissionTurn turn;
    turn.tier = work.tier;
    for (std::size_t i = 0; i < work.submissions.size(); ++i) {
        auto taken = parts_.home.take(open, work.submissions[i], work.origin, turn,
                                      work.event_budgets[i], work.retry_after);
        if (taken.grant) outcome.grants.push_back({i, taken.grant_index, std::move(*taken.grant)});
        outcome.result.submissions.push_back(std::move(taken.result));
    }
    for (std::size_t i = 0; i < work.slices.size(); ++i) {
        const auto& limit = work.slice_limits[i];
        if (!limit) {
            outcome.result.logs.push_back(parts_.follower.take(open, work.slices[i], work.origin));
            continue;
        }
        protocol::SliceResult deferred;
        deferred.channel = work.slices[i].channel_text;
        deferred.status = protocol::SliceStatus::deferred;
        deferred.retry_after = std::max<std::int64_t>(limit->retry_after, 1);
        deferred.problem = *limit;
        outcome.result.logs.push_back(std::move(deferred));
    }
    // [INBOX-4] Who wrote to whom, so that what they write later waits too, and order holds.
    std::set<std::pair<std::string_view, std::string_view>> deferred;
    for (std::size_t i = 0; i < work.direct.size(); ++i) {
        const auto& direct = work.direct[i];
        std::pair<std::string_view, std::string_view> way;
        if (direct.event) way = {direct.event->sender.text, direct.event->to};
        auto limit = work.direct_limits[i];
        if (!limit && deferred.contains(way)) limit = earlier_one_waits();
        outcome.result.direct.push_back(limit ? refused_event(direct.id, *limit)
                                              : parts_.direct.take(open, direct, work.origin));
        if (direct.event && outcome.result.direct.back().status == ItemStatus::deferred)
            deferred.insert(way);
    }
    for (std::size_t i = 0; i < work.direct.size(); ++i) {
        const auto& direct = work.direct[i];
        const auto status = outcome.result.direct[i].status;
        const bool is_asked = direct.event && direct.event->type == move_question_type &&
                              (status == ItemStatus::accepted || status == ItemStatus::duplicate);
        auto question = is_asked ? read_move_question(direct.content, parts_.identity.names)
                                 : Result<MoveQuestion>{fail(Code::malformed, "no question")};
        if (question) outcome.consents.emplace(i, std::move(*question));
    }
    for (const auto& heard : work.signals) {
        const bool is_taken = heard && parts_.signals != nullptr;
        outcome.result.signals.push_back(is_taken ? parts_.signals->take(open, *heard, work.origin)
                                                  : protocol::SignalResult{});
    }
    return outcome;
}

// [SUC-2] The question has been weighed in the commit; the key is the I/O thread's.
void Inbox::sign_consents(Outcome& outcome) const
{
    const auto& identity = parts_.identity;
    for (const auto& [i, question] : outcome.consents)
        outcome.result.direct[i].consent = protocol::make_consent(
            identity.key, identity.name, question.channel, question.epoch + 1);
}

// [MEM-3] Snapshots of first joins are proven by one root of this answer; one that would take
// the answer over the limit is fetched by query instead.
TransactionResult Inbox::finish(Outcome outcome) const
{
    auto& result = outcome.result;
    sign_consents(outcome);
    if (outcome.grants.empty()) return std::move(result);
    protocol::RootBuilder leaves;
    std::vector<protocol::EventResult*> proven;
    std::size_t octets = 0;
    for (auto& granted : outcome.grants) {
        auto& event = result.submissions[granted.submission].events[granted.event];
        auto& snapshot = granted.grant.snapshot;
        event.floor = granted.grant.floor;
        if (snapshot.state.empty()) continue;
        octets += snapshot.state.size() * 2 + 1024;
        if (octets > parts_.identity.limits.bytes) continue;
        const auto index = leaves.add(
            protocol::snapshot_leaf(snapshot.channel, snapshot.epoch, snapshot.seq, snapshot.hash,
                                    snapshot.at, protocol::state_hash(snapshot.state)));
        snapshot.proof = protocol::Proof{0, index, {}};
        event.snapshot = std::move(snapshot);
        proven.push_back(&event);
    }
    if (leaves.empty()) return std::move(result);
    auto root = leaves.sign(parts_.identity.key, parts_.identity.name, parts_.clock.now_ms());
    for (auto* event : proven)
        event->snapshot->proof.path = root.paths[event->snapshot->proof.index];
    result.roots.push_back(std::move(root.jws));
    return std::move(result);
}

}  // namespace entente::federation
