// How ChannelLogStore takes contents out of what it holds: in memory at once, in stored runs
// when the transaction is flushed, each run written once however many of its entries lose
// theirs. The rest of the class is in channel_log_store.cpp.
#include "storage/channel_log_store.hpp"
#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char select_run_to_erase[] =
    "SELECT first, last, body FROM run WHERE channel = ? AND last >= ? ORDER BY last LIMIT 1";
constexpr char update_body[] = "UPDATE run SET body = ? WHERE channel = ? AND last = ?";

struct StoredRun {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::string body;
};

StoredRun read_run(Statement& row)
{
    return {row.integer(0), row.integer(1), std::string(row.blob(2))};
}

// False where there is nothing to be taken. The first deletion stays the one that erased it;
// a deletion takes the place of an expiry, since it holds under any retention.
bool take_content(protocol::Entry& entry, std::int64_t deleted_by)
{
    const bool is_gone = deleted_by > 0 ? entry.deleted_by > 0 : !entry.content;
    if (is_gone) return false;
    entry.content.reset();
    entry.deleted_by = deleted_by;
    entry.expired = deleted_by == 0;
    return true;
}

}  // namespace

void ChannelLogStore::erase(LiveChannel& channel, std::int64_t seq, std::int64_t deleted_by)
{
    if (!channel.added.empty() && seq >= channel.run_first) {
        const auto place = static_cast<std::size_t>(seq - channel.run_first);
        if (place < channel.added.size()) take_content(channel.added[place].entry, deleted_by);
        return;
    }
    // A run that lies before a hole is written already, but not yet given to who listens.
    for (auto& run : written_) {
        if (run->channel != channel.name) continue;
        for (auto& stored : run->entries) {
            if (stored.seq == seq) take_content(stored.entry, deleted_by);
        }
    }
    note_erasure(channel.id, seq, deleted_by);
}

void ChannelLogStore::erase_stored(std::int64_t channel, const std::vector<std::int64_t>& entries,
                                   std::int64_t deleted_by)
{
    for (const auto seq : entries) note_erasure(channel, seq, deleted_by);
}

void ChannelLogStore::note_erasure(std::int64_t channel, std::int64_t seq, std::int64_t deleted_by)
{
    auto& noted = erasures_.try_emplace({channel, seq}, deleted_by).first->second;
    if (noted == 0) noted = deleted_by;
}

// What is stored as it will be once this transaction is flushed.
StoredEntry ChannelLogStore::as_erased(std::int64_t channel, StoredEntry stored) const
{
    const auto found = erasures_.find({channel, stored.seq});
    if (found != erasures_.end()) take_content(stored.entry, found->second);
    return stored;
}

Result<void> ChannelLogStore::write_erasures(Connection& db)
{
    if (erasures_.empty()) return {};
    db.erase_traces();
    for (auto next = erasures_.begin(); next != erasures_.end();) {
        const auto channel = next->first.first;
        auto run = one_row(db, select_run_to_erase, read_run, channel, next->first.second);
        if (!run) return fail(run);
        if (!*run || (*run)->first > next->first.second) {
            ++next;  // not held here
            continue;
        }
        auto entries = decode_entries((*run)->body);
        if (!entries) return fail(entries);
        const auto first = (*run)->first;
        bool changed = false;
        for (; next != erasures_.end() && next->first.first == channel &&
               next->first.second <= (*run)->last;
             ++next) {
            const auto place = static_cast<std::size_t>(next->first.second - first);
            if (place >= entries->size())
                return fail(Code::internal, "a stored run holds fewer entries than it says");
            changed |= take_content((*entries)[place], next->second);
        }
        if (!changed) continue;
        std::string body;
        for (const auto& entry : *entries) append_entry(body, entry);
        auto written = entente::storage::run(db, update_body, Blob{body}, channel, (*run)->last);
        if (!written) return written;
    }
    return {};
}

}  // namespace entente::storage
