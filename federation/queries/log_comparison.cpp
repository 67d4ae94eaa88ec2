#include "federation/queries/log_comparison.hpp"

#include <algorithm>

namespace entente::federation {

namespace {

struct HeldLog {
    storage::ChannelRow channel;
    std::optional<storage::CursorRow> cursor;
    storage::PastHomes past;
};

struct ReadHeldLog {
    protocol::ChannelId channel;
    ServerName peer;

    Result<HeldLog> operator()(storage::Connection& db)
    {
        auto row = storage::read_channel(db, channel);
        if (!row) return fail(row);
        auto cursor = storage::find_cursor(db, row->id, peer);
        if (!cursor) return fail(cursor);
        auto past = storage::past_homes(db, row->id);
        if (!past) return fail(past);
        return HeldLog{std::move(*row), std::move(*cursor), std::move(*past)};
    }
};

// How a slice of the peer's agrees with what is held here.
struct Agreement {
    std::int64_t from = 0;                // the first place that was compared
    std::int64_t through = 0;             // the last
    bool has_any = false;                 // any place was
    bool differs_before = false;          // already where the slice begins
    std::optional<std::int64_t> differs;  // the first entry in it that does
};

std::string sentence(const Error& error)
{
    return std::string(protocol::code_name(error.code)) + ": " + error.detail;
}

class Comparing {
 public:
    Comparing(LogComparisonParts parts, ServerName peer, HeldLog held)
        : slices_({parts.identity, parts.client, parts.verifier}),
          own_(parts.commits, std::move(held.channel)),
          cursor_(std::move(held.cursor)),
          past_(std::move(held.past)),
          peer_(std::move(peer)),
          is_home_(own_.channel().home == peer_ && past_.empty())
    {
        result_.channel = own_.channel().name;
        result_.home = own_.channel().home;
        result_.here = own_.channel().seq;
    }

    asio::awaitable<Result<Comparison>> run(bool all)
    {
        auto walked = co_await own_.walk();
        if (!walked) co_return fail(walked);
        result_.flaw = own_.flaw();
        result_.after = own_.start().seq;
        // A follower that came later has no more than that.
        if (cursor_) result_.after = std::max(result_.after, cursor_->floor);
        result_.through = result_.after;
        auto compared = co_await compare(all);
        if (!compared) give_up(sentence(compared.error()));
        if (result_.flaw && result_.sameness != Sameness::differs)
            result_.sameness = Sameness::damaged;
        co_return std::move(result_);
    }

 private:
    asio::awaitable<Result<PeerSlice>> ask(std::int64_t after, std::int64_t limit)
    {
        auto slice = co_await slices_.ask(peer_, own_.channel(), past_, after, limit);
        co_return slice;
    }

    // One entry and a checkpoint for it tell all that halving needs. Only a home can give that.
    [[nodiscard]] std::int64_t step() const { return is_home_ ? 1 : PeerSlices::most_entries; }

    asio::awaitable<Result<void>> compare(bool all);
    asio::awaitable<Result<PeerSlice>> newest();
    asio::awaitable<Result<Agreement>> agreement(const PeerSlice& slice);
    asio::awaitable<Result<void>> halve(std::int64_t upper);
    asio::awaitable<Result<void>> compare_all();
    asio::awaitable<Result<void>> name_difference(std::int64_t seq);
    void give_up(std::string why)
    {
        result_.sameness = Sameness::incomparable;
        result_.why = std::move(why);
    }

    PeerSlices slices_;
    OwnHashes own_;
    std::optional<storage::CursorRow> cursor_;
    storage::PastHomes past_;
    ServerName peer_;
    bool is_home_;  // and has been from the start: it signs for any entry
    Comparison result_;
};

// The peer's slice that reaches furthest into what is held here.
asio::awaitable<Result<PeerSlice>> Comparing::newest()
{
    const auto floor = own_.start().seq;
    auto wanted = result_.here;
    if (is_home_) {
        auto slice = co_await ask(std::max(floor, wanted - 1), 1);
        co_return slice;
    }
    // A follower shows no entry behind its newest checkpoint: look further back until it does.
    if (cursor_ && cursor_->seq > floor) wanted = std::min(wanted, cursor_->seq);
    for (std::int64_t back = 1;; back = back == 1 ? PeerSlices::most_entries : back * 2) {
        const auto after = std::max(floor, wanted - back);
        auto slice = co_await ask(after, PeerSlices::most_entries);
        if (!slice && slice.error().code == Code::not_found && after > floor) continue;
        if (!slice) co_return slice;
        const auto goal = std::min(result_.here, slice->latest);
        if (slice->end() >= goal) co_return slice;
        auto further = co_await ask(goal - 1, PeerSlices::most_entries);
        if (further) co_return further;
        co_return slice;
    }
}

asio::awaitable<Result<Agreement>> Comparing::agreement(const PeerSlice& slice)
{
    Agreement found;
    found.from = found.through = slice.after.seq;
    if (slice.after.seq >= own_.start().seq && slice.after.seq <= result_.here) {
        auto own = co_await own_.at(slice.after.seq);
        if (!own) co_return fail(own);
        found.has_any = true;
        found.differs_before = own->at.hash != slice.after.hash;
        if (found.differs_before) co_return found;
    }
    for (const auto& entry : slice.entries) {
        if (entry.at.seq <= own_.start().seq) continue;
        if (entry.at.seq > result_.here) break;
        auto own = co_await own_.at(entry.at.seq);
        if (!own) co_return fail(own);
        found.has_any = true;
        found.through = entry.at.seq;
        if (own->at.hash == entry.at.hash) continue;
        found.differs = entry.at.seq;
        break;
    }
    co_return found;
}

asio::awaitable<Result<void>> Comparing::compare(bool all)
{
    if (result_.here == own_.start().seq) {
        result_.sameness = Sameness::same;
        result_.why = "no entry is held here";
        co_return Result<void>{};
    }
    auto slice = co_await newest();
    if (!slice) co_return fail(slice);
    result_.there = std::max(slice->latest, slice->end());
    auto found = co_await agreement(*slice);
    if (!found) co_return fail(found);
    if (!found->has_any) {
        give_up("the peer's log begins behind the end of the one here");
        co_return Result<void>{};
    }
    if (found->differs_before) co_return co_await halve(slice->after.seq);
    if (found->differs) co_return co_await name_difference(*found->differs);
    result_.through = found->through;
    if (slice->unproven) {
        give_up("what the peer shows isn't proven: " + sentence(*slice->unproven));
        co_return Result<void>{};
    }
    result_.sameness = Sameness::same;
    if (all) co_return co_await compare_all();
    co_return Result<void>{};
}

// Requires: they differ at `upper`.
asio::awaitable<Result<void>> Comparing::halve(std::int64_t upper)
{
    auto first = co_await ask(own_.start().seq, step());
    if (!first) co_return fail(first);
    auto found = co_await agreement(*first);
    if (!found) co_return fail(found);
    result_.after = found->from;
    if (found->differs_before) co_return co_await name_difference(found->from);
    auto lower = found->through;
    if (found->differs) {
        upper = *found->differs;
        lower = upper - 1;
    }
    while (upper - lower > 1) {
        const auto middle = lower + (upper - lower) / 2;
        auto slice = co_await ask(middle, step());
        if (!slice) {
            give_up("they differ between " + std::to_string(lower + 1) + " and " +
                    std::to_string(upper) +
                    ", but the peer does not show which entry it is: " + sentence(slice.error()));
            co_return Result<void>{};
        }
        if (slice->after.seq != middle)
            co_return fail(Code::malformed, "the peer shows another part than was asked for");
        auto half = co_await agreement(*slice);
        if (!half) co_return fail(half);
        if (half->differs_before) {
            upper = middle;
        } else if (half->differs) {
            upper = *half->differs;
            lower = upper - 1;
        } else {
            lower = std::min(half->through, upper - 1);
        }
    }
    co_return co_await name_difference(upper);
}

asio::awaitable<Result<void>> Comparing::compare_all()
{
    const auto goal = result_.through;
    auto at = own_.start().seq;
    while (at < goal) {
        auto slice = co_await ask(at, PeerSlices::most_entries);
        if (!slice) co_return fail(slice);
        auto found = co_await agreement(*slice);
        if (!found) co_return fail(found);
        if (at == own_.start().seq) result_.after = std::max(at, found->from);
        if (found->differs_before) co_return co_await name_difference(found->from);
        if (found->differs) co_return co_await name_difference(*found->differs);
        if (slice->unproven) {
            result_.through = at;
            give_up("what the peer shows isn't proven: " + sentence(*slice->unproven));
            co_return Result<void>{};
        }
        if (!found->has_any || found->through <= at)
            co_return fail(Code::malformed, "the peer shows nothing behind " + std::to_string(at));
        at = found->through;
    }
    co_return Result<void>{};
}

asio::awaitable<Result<void>> Comparing::name_difference(std::int64_t seq)
{
    LogDifference difference;
    difference.seq = seq;
    auto here = co_await own_.at(seq);
    if (!here) co_return fail(here);
    difference.here = std::move(*here);
    auto slice = co_await ask(std::max<std::int64_t>(seq - 1, 0), step());
    if (slice && !slice->entries.empty() && slice->entries.front().at.seq == seq) {
        difference.there = slice->entries.front();
        difference.is_signed = !slice->unproven;
    }
    result_.difference = std::move(difference);
    result_.through = std::max(result_.after, seq - 1);
    result_.sameness = Sameness::differs;
    co_return Result<void>{};
}

}  // namespace

std::string_view to_text(Sameness sameness)
{
    switch (sameness) {
        case Sameness::same: return "same";
        case Sameness::differs: return "differs";
        case Sameness::damaged: return "damaged";
        case Sameness::incomparable: break;
    }
    return "incomparable";
}

asio::awaitable<Result<Comparison>> LogComparison::compare(ServerName peer,
                                                           protocol::ChannelId channel, bool all)
{
    ReadHeldLog job{std::move(channel), peer};
    auto held = co_await parts_.commits.read(std::move(job));
    if (!held) co_return fail(held);
    Comparing comparing(parts_, std::move(peer), std::move(*held));
    auto result = co_await comparing.run(all);
    co_return result;
}

}  // namespace entente::federation
