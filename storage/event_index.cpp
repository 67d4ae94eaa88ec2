#include "storage/event_index.hpp"

#include <algorithm>

#include "storage/log_reader.hpp"
#include "storage/query.hpp"
#include "storage/run_codec.hpp"

namespace entente::storage {

namespace {

constexpr char select_newest_run[] =
    "SELECT rowid, channel, last, prev_hash FROM run ORDER BY rowid DESC LIMIT 1";
constexpr char select_run[] = "SELECT channel, last, prev_hash FROM run WHERE rowid = ?";
constexpr char select_runs_since[] =
    "SELECT rowid, channel, last, prev_hash, first, body FROM run WHERE rowid > ? ORDER BY rowid";

// For who asks while runs are missing: catching up looks again at least this often.
constexpr std::int64_t ask_again_seconds = 5;

}  // namespace

std::string run_name(std::int64_t channel, std::int64_t last, std::string_view prev_hash)
{
    return std::to_string(channel) + ":" + std::to_string(last) + ":" + std::string(prev_hash);
}

Result<std::optional<std::string>> name_of_run(Connection& db, std::int64_t run)
{
    const auto read = [](Statement& row) {
        return run_name(row.integer(0), row.integer(1), row.text(2));
    };
    return one_row(db, select_run, read, run);
}

Result<IndexMark> newest_run(Connection& db)
{
    const auto read = [](Statement& row) {
        return IndexMark{row.integer(0), run_name(row.integer(1), row.integer(2), row.text(3))};
    };
    auto newest = one_row(db, select_newest_run, read);
    if (!newest) return fail(newest);
    return newest->value_or(IndexMark{});
}

// The newest mark, or one before all runs where the log has no such run: the database is
// older than the index, or another one. What the index holds of it does no harm.
Result<IndexMark> EventIndex::believed_mark(Connection& db)
{
    auto mark = places_.index_mark();
    if (!mark) return fail(mark);
    if (!*mark) return IndexMark{};
    auto name = name_of_run(db, (*mark)->run);
    if (!name) return fail(name);
    if (*name != (*mark)->name) return IndexMark{};
    return std::move(**mark);
}

Result<void> EventIndex::open(Connection& db)
{
    auto mark = believed_mark(db);
    if (!mark) return fail(mark);
    auto newest = newest_run(db);
    if (!newest) return fail(newest);
    const std::lock_guard lock(mutex_);
    missing_to_ = newest->run;
    complete_ = mark->run >= missing_to_;
    return {};
}

Result<bool> EventIndex::catch_up(Connection& db, std::size_t max_events)
{
    if (complete_) return true;
    auto mark = believed_mark(db);
    if (!mark) return fail(mark);
    auto query = bound(db, select_runs_since, mark->run);
    if (!query) return fail(query);
    auto& run = *query;
    std::vector<IndexedEvent> events;
    while (events.size() < max_events) {
        auto row = run->step();
        if (!row) return fail(row);
        if (!*row) break;
        *mark = {run->integer(0), run_name(run->integer(1), run->integer(2), run->text(3))};
        auto seq = run->integer(4);
        auto entries = decode_entries(run->blob(5));
        if (!entries) return fail(entries);
        for (const auto& entry : *entries)
            events.push_back({protocol::event_id(entry.event), {run->integer(1), seq++}});
    }
    if (auto added = places_.add_events(events, *mark); !added) return fail(added);

    const std::lock_guard lock(mutex_);
    if (mark->run < missing_to_) return false;
    // What the writer has added in the meantime is there without a mark, or still kept.
    if (newest_.run > mark->run) {
        if (auto added = places_.add_events(kept_, newest_); !added) return fail(added);
        kept_.clear();
    }
    complete_ = true;
    return true;
}

void EventIndex::expect(std::vector<IndexedEvent> events)
{
    const std::lock_guard lock(mutex_);
    expected_ = std::move(events);
}

void EventIndex::rolled_back()
{
    const std::lock_guard lock(mutex_);
    expected_.clear();
}

void EventIndex::committed(IndexMark newest)
{
    const std::lock_guard lock(mutex_);
    kept_.insert(kept_.end(), expected_.begin(), expected_.end());
    expected_.clear();
    newest_ = std::move(newest);
    if (kept_.size() >= max_kept) give_kept();
}

void EventIndex::flush()
{
    const std::lock_guard lock(mutex_);
    if (!kept_.empty()) give_kept();
}

void EventIndex::give_kept()
{
    const auto mark = complete_ ? std::optional<IndexMark>(newest_) : std::nullopt;
    if (!places_.add_events(kept_, mark)) {
        complete_ = false;
        missing_to_ = newest_.run;
    }
    // The log has them, should they not have been taken.
    kept_.clear();
}

Result<std::vector<EventPlace>> EventIndex::candidates(const protocol::Hash& id)
{
    std::vector<EventPlace> places;
    {
        const std::lock_guard lock(mutex_);
        for (const auto* events : {&kept_, &expected_}) {
            for (const auto& event : *events) {
                if (event.id == id) places.push_back(event.place);
            }
        }
    }
    // Asked second: what leaves the one in between has come into the other.
    auto found = places_.find_event(id);
    if (!found && places.empty()) return found;
    if (found) places.insert(places.end(), found->begin(), found->end());
    return places;
}

Result<EventIndex::Found> EventIndex::find(Connection& db, const protocol::Hash& id)
{
    // Asked before and after: what was missing in between may have been this one.
    const bool was_complete = complete_;
    auto places = candidates(id);
    if (!places) return fail(places);
    for (const auto& place : *places) {
        auto stored = read_entry(db, place.channel, place.seq);
        if (!stored && stored.error().code == Code::not_found) continue;
        if (!stored) return fail(stored);
        if (stored->event_id == id) return Found{place.channel, std::move(*stored)};
    }
    if (!was_complete || !complete_)
        return retry_later(Code::unavailable, "the index of events is being made",
                           ask_again_seconds);
    return fail(Code::not_found, "no log here holds this event");
}

}  // namespace entente::storage
