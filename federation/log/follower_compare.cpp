// The part of FollowerLog that compares a slice with what is held. The rest of the class is in
// follower_log.cpp.
#include <algorithm>
#include <limits>

#include "federation/log/evidence.hpp"
#include "federation/log/follower_log.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

using protocol::SliceResult;
using protocol::SliceStatus;
using storage::LiveChannel;

std::int64_t last_of(const protocol::Slice& slice)
{
    return slice.after.seq + static_cast<std::int64_t>(slice.entries.size());
}

Result<std::optional<SliceResult>> FollowerLog::fork_where_it_differs(
    storage::WriteTransaction& transaction, LiveChannel& channel, const VerifiedSlice& verified)
{
    const auto& slice = verified.slice;
    if (!verified.missing.empty() || verified.home != channel.home ||
        slice.epoch != channel.epoch || slice.after.seq > channel.seq)
        return std::optional<SliceResult>{};
    auto& db = transaction.db();
    auto differs = difference(db, channel, verified, std::min(last_of(slice), channel.seq));
    if (!differs) return fail(differs);
    if (!*differs) return std::optional<SliceResult>{};
    if (channel.home == identity_.name)
        return refuse(Code::equivocation, "another history of a channel that is homed here");
    auto first = first_difference(db, channel, verified, **differs);
    if (!first) return fail(first);
    auto answer = fork(transaction, channel, verified, fork_evidence, *first);
    if (!answer) return fail(answer);
    return std::optional<SliceResult>{std::move(*answer)};
}

Result<std::optional<std::int64_t>> FollowerLog::difference(storage::Connection& db,
                                                            const LiveChannel& channel,
                                                            const VerifiedSlice& verified,
                                                            std::int64_t shared)
{
    const auto& slice = verified.slice;
    for (const auto seq : {slice.after.seq, shared}) {
        if (seq < channel.floor) continue;
        auto held = store_.hash_at(db, channel, seq);
        if (!held) return fail(held);
        const auto& shown =
            seq == slice.after.seq
                ? slice.after.hash
                : verified.hashes[static_cast<std::size_t>(seq - slice.after.seq - 1)];
        if (*held != shown) return std::optional<std::int64_t>{seq};
    }
    return std::optional<std::int64_t>{};
}

Result<SliceResult> FollowerLog::compare_past(storage::Connection& db, const LiveChannel& channel,
                                              const VerifiedSlice& verified)
{
    const auto& slice = verified.slice;
    const auto last = last_of(slice);
    if (last > channel.seq)
        return refuse(Code::malformed, "an epoch that is over has no more entries");
    auto differs = difference(db, channel, verified, last);
    if (!differs) return fail(differs);
    if (*differs)
        return refuse(Code::signature_invalid, "another history of an epoch that is over");
    return follower_answer(channel, SliceStatus::ok);
}

// [LOG-19] A heartbeat shows where the home's log ends. What it had given a number beyond that it
// has lost, and gets before what is written from now on; where the heartbeat is older than the
// number, the home answers `duplicate`.
Result<void> FollowerLog::hand_in_lost(storage::WriteTransaction& transaction,
                                       const LiveChannel& channel)
{
    auto lost = storage::reopen_submissions(transaction.db(), channel.name, channel.seq,
                                            std::numeric_limits<std::int64_t>::max());
    if (!lost) return fail(lost);
    if (*lost && events_.owes)
        transaction.after_commit([owes = events_.owes, home = channel.home] { owes(home); });
    return {};
}

// The chains part once and for all: the first seq at which they differ is found by halving.
Result<std::int64_t> FollowerLog::first_difference(storage::Connection& db,
                                                   const LiveChannel& channel,
                                                   const VerifiedSlice& verified,
                                                   std::int64_t known)
{
    const auto after = verified.slice.after.seq;
    auto low = std::max(after, channel.floor);
    while (low < known) {
        const auto middle = low + (known - low) / 2;
        auto held = store_.hash_at(db, channel, middle);
        if (!held) return fail(held);
        const auto& shown = middle == after
                                ? verified.slice.after.hash
                                : verified.hashes[static_cast<std::size_t>(middle - after - 1)];
        if (*held == shown)
            low = middle + 1;
        else
            known = middle;
    }
    return known;
}

}  // namespace entente::federation
