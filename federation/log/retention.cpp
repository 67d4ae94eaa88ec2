#include "federation/log/retention.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "protocol/channel_state.hpp"
#include "protocol/content_rules.hpp"
#include "protocol/state_values.hpp"
#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

constexpr std::size_t owed_per_step = 4;

}  // namespace

Retention::Retention(const Identity& identity, storage::ChannelLogStore& store,
                     storage::GroupCommit& commits, const protocol::Clock& clock)
    : identity_(identity), store_(store), commits_(commits), clock_(clock)
{
}

asio::awaitable<Result<bool>> Retention::step()
{
    auto read = [this](storage::Connection& db) { return plan(db); };
    auto work = co_await commits_.read(std::move(read));
    if (!work) co_return fail(work);
    if (work->plans.empty() && work->owed.empty()) co_return false;
    auto job = [this, planned = std::move(*work)](storage::WriteTransaction& transaction) {
        return apply(transaction.db(), planned);
    };
    auto more = co_await commits_.write(std::move(job));
    co_return more;
}

Result<Retention::Work> Retention::plan(storage::Connection& db) const
{
    Work work;
    auto owed = storage::owed_erasures(db, owed_per_step);
    if (!owed) return fail(owed);
    work.owed = std::move(*owed);
    auto due = storage::due_channels(db, clock_.now_ms(), channels_per_step);
    if (!due) return fail(due);
    work.more = due->size() == channels_per_step;
    std::size_t runs = runs_per_step;
    for (const auto& channel : *due) {
        if (runs == 0) break;
        auto planned = plan_channel(db, channel, runs);
        if (!planned) return fail(planned);
        work.plans.push_back(std::move(*planned));
    }
    work.more |= runs == 0;
    return work;
}

Result<Retention::Plan> Retention::plan_channel(storage::Connection& db,
                                                const storage::RetainedChannel& channel,
                                                std::size_t& runs) const
{
    auto limit = limit_of(db, channel.channel);
    if (!limit) return fail(limit);
    Plan plan{channel, {}, channel.done, clock_.now_ms() + limit->stay};
    for (;;) {
        if (runs == 0) {
            plan.due = channel.due;  // goes on from `done`
            return plan;
        }
        auto run = storage::read_run_behind(db, channel.channel, plan.done);
        if (!run) return fail(run);
        if (run->empty()) return plan;
        --runs;
        for (const auto& stored : *run) {
            const auto& entry = stored.entry;
            if (entry.at >= limit->at && stored.seq > limit->seq) {
                plan.due = entry.at + limit->stay + 1;
                return plan;
            }
            plan.done = stored.seq;
            if (!entry.content) continue;
            auto read = protocol::parse_followed_event(entry.event, identity_.names);
            if (read && protocol::can_expire(read->event.type)) plan.expired.push_back(stored.seq);
        }
    }
}

Result<Retention::Limit> Retention::limit_of(storage::Connection& db, std::int64_t channel) const
{
    auto row = storage::read_channel(db, channel);
    if (!row) return fail(row);
    auto meta = protocol::parse_state(row->state, identity_.names);
    if (!meta) return fail(meta);
    const bool is_relay = meta->retention == "relay";
    Limit limit;
    limit.stay =
        is_relay
            ? relay_at_most_ms
            : protocol::retention_days(meta->retention).value_or(protocol::max_retention_days) *
                  protocol::day_ms;
    limit.at = clock_.now_ms() - limit.stay;
    if (!is_relay) return limit;
    auto held = held_by_all(db, channel, row->home == identity_.name);
    if (!held) return fail(held);
    limit.seq = std::min(*held, row->seq);
    return limit;
}

// Only the home serves other servers, so only it waits for them; a former one for those that it
// still brings up to the move [SUC-2].
Result<std::int64_t> Retention::held_by_all(storage::Connection& db, std::int64_t channel,
                                            bool is_home) const
{
    auto held = std::numeric_limits<std::int64_t>::max();
    auto device = storage::slowest_device(db, channel, identity_.name);
    if (!device) return fail(device);
    if (*device) held = **device;
    auto cursors = storage::cursors_of(db, channel);
    if (!cursors) return fail(cursors);
    for (const auto& cursor : *cursors) {
        if (is_home || cursor.until > 0) held = std::min(held, cursor.seq);
    }
    return held;
}

Result<bool> Retention::apply(storage::Connection& db, const Work& work)
{
    for (const auto& plan : work.plans) {
        store_.erase_stored(plan.before.channel, plan.expired, 0);
        auto seen = storage::set_seen_to(db, plan.before, plan.done, plan.due);
        if (!seen) return fail(seen);
    }
    auto more_owed = erase_owed(db, work);
    if (!more_owed) return fail(more_owed);
    return work.more || *more_owed;
}

// [MEM-4] Of messages with more edits than their deletion erased at once.
Result<bool> Retention::erase_owed(storage::Connection& db, const Work& work)
{
    for (const auto& owed : work.owed) {
        auto edits = storage::edits_of(db, owed.channel, owed.target, owed_edits_per_step);
        if (!edits) return fail(edits);
        store_.erase_stored(owed.channel, *edits, owed.deleted_by);
        auto done = edits->empty()
                        ? Result<void>{}
                        : storage::forget_edits(db, owed.channel, owed.target, edits->back());
        if (done && edits->size() < owed_edits_per_step) done = storage::settle_erasure(db, owed);
        if (!done) return fail(done);
    }
    return !work.owed.empty();
}

}  // namespace entente::federation
