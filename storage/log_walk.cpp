#include "storage/log_walk.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::Position;

constexpr char select_runs_to_walk[] =
    "SELECT first, last, epoch, prev_hash, proofs, body FROM run WHERE channel = ? AND last > ? "
    "ORDER BY last";

class Walker {
 public:
    Walker(const ChannelRow& channel, LogWalk& walk, const VisitEntry& visit)
        : channel_(channel), walk_(walk), visit_(visit)
    {
    }

    [[nodiscard]] std::int64_t seen() const { return seen_; }
    [[nodiscard]] bool is_over() const { return is_broken_ || walk_.at.seq >= channel_.seq; }

    void take_run(Statement& row)
    {
        const auto first = row.integer(0);
        const auto last = row.integer(1);
        auto entries = decode_entries(row.blob(5));
        if (!entries || static_cast<std::int64_t>(entries->size()) != last - first + 1) {
            note(first, last, "a stored run can't be read");
            is_broken_ = true;
            return;
        }
        meet(first, row.text(3));
        for (auto seq = first; seq <= last && seq <= channel_.seq; ++seq) {
            if (seq > walk_.at.seq)
                take_entry((*entries)[static_cast<std::size_t>(seq - first)], row.integer(2));
        }
        check_checkpoint(row.blob(4));
    }

    // What the head's row says, once all runs are read.
    void finish()
    {
        if (!walk_.begun && walk_.at.seq >= channel_.seq) {
            walk_.start = {channel_.seq, channel_.hash};
        } else if (walk_.at.seq < channel_.seq) {
            if (!is_broken_) note(walk_.at.seq + 1, channel_.seq, "entries are missing");
        } else if (walk_.at.hash == channel_.hash) {
            walk_.sound = channel_.seq;
        } else {
            note(walk_.sound + 1, channel_.seq,
                 "the entries don't lead to the hash that is stored as the newest one's");
        }
    }

 private:
    void note(std::int64_t first, std::int64_t last, std::string what)
    {
        if (!walk_.flaw) walk_.flaw = LogFlaw{first, last, std::move(what)};
    }

    // The hash that is stored with a run, of the entry before it.
    void meet(std::int64_t first, std::string_view before)
    {
        if (!walk_.begun || first > walk_.at.seq + 1) {
            if (first > walk_.at.seq + 1) note(walk_.at.seq + 1, first - 1, "entries are missing");
            if (!walk_.begun) walk_.start = {first - 1, std::string(before)};
            walk_.begun = true;
            walk_.at = {first - 1, std::string(before)};
            walk_.sound = first - 1;
        } else if (first == walk_.at.seq + 1) {
            if (before == walk_.at.hash) {
                walk_.sound = walk_.at.seq;
            } else {
                note(walk_.sound + 1, walk_.at.seq,
                     "the entries don't lead to the hash that is stored behind them");
            }
        }
    }

    void take_entry(const protocol::Entry& entry, std::int64_t epoch)
    {
        const auto id = protocol::event_id(entry.event);
        const auto seq = walk_.at.seq + 1;
        walk_.at = {seq,
                    protocol::entry_hash(channel_.name, epoch, seq, entry.at, walk_.at.hash, id)};
        ++seen_;
        check_content(entry, seq);
        visit_(walk_.at, id);
    }

    void check_content(const protocol::Entry& entry, std::int64_t seq)
    {
        // The names of the members only have to be right, not the channel's or sender's.
        auto followed = protocol::parse_followed_event(entry.event, {true});
        if (!followed || followed->event.channel != channel_.name) {
            note(seq, seq, "the event isn't one of this channel");
            return;
        }
        const auto& named = followed->event.content_hash;
        if (entry.content && named != protocol::Hash{} &&
            protocol::content_hash(*entry.content) != named)
            note(seq, seq, "the content isn't the one that the event names");
    }

    void check_checkpoint(std::string_view blob)
    {
        auto proofs = decode_proofs(blob);
        if (!proofs) {
            note(walk_.sound + 1, walk_.at.seq, "what proves a run can't be read");
            return;
        }
        const auto& checkpoint = proofs->checkpoint;
        if (!checkpoint || checkpoint->seq != walk_.at.seq) return;
        if (checkpoint->hash == walk_.at.hash) {
            walk_.sound = walk_.at.seq;
        } else {
            note(walk_.sound + 1, walk_.at.seq, "the entries don't lead to the stored checkpoint");
        }
    }

    const ChannelRow& channel_;
    LogWalk& walk_;
    const VisitEntry& visit_;
    std::int64_t seen_ = 0;
    bool is_broken_ = false;
};

}  // namespace

LogWalk start_of(const ChannelRow& channel)
{
    LogWalk walk;
    walk.at.seq = walk.sound = channel.floor;
    return walk;
}

LogWalk resume_at(protocol::Position place)
{
    LogWalk walk;
    walk.sound = place.seq;
    walk.start = place;
    walk.at = std::move(place);
    walk.begun = true;
    return walk;
}

Result<bool> walk_log(Connection& db, const ChannelRow& channel, LogWalk& walk,
                      std::int64_t entries, const VisitEntry& visit)
{
    auto runs = bound(db, select_runs_to_walk, channel.id, walk.at.seq);
    if (!runs) return fail(runs);
    Walker walker(channel, walk, visit);
    while (!walker.is_over() && walker.seen() < entries) {
        auto row = (*runs)->step();
        if (!row) return fail(row);
        if (!*row) {
            walker.finish();
            return true;
        }
        walker.take_run(**runs);
    }
    if (!walker.is_over()) return false;
    walker.finish();
    return true;
}

}  // namespace entente::storage
