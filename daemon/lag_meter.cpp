#include "daemon/lag_meter.hpp"

#include <algorithm>
#include <filesystem>

#include "net/task_group.hpp"
#include "storage/peer_reader.hpp"

namespace entente::daemon {

namespace {

std::uint64_t measured_file(const std::string& path)
{
    std::error_code failed;
    const auto octets = std::filesystem::file_size(path, failed);
    return failed ? 0 : octets;
}

}  // namespace

boost::asio::awaitable<void> LagMeter::keep_measuring(storage::GroupCommit& commits,
                                                      storage::ReplayMemory& window)
{
    do {
        auto job = [this, &window](storage::Connection& db) { return measure(db, window); };
        auto found = co_await commits.read(std::move(job));
        if (found) figures_ = *found;
    } while (co_await net::sleep_for(interval));
}

Result<LagMeter::Figures> LagMeter::measure(storage::Connection& db,
                                            storage::ReplayMemory& window) const
{
    Figures found;
    auto owed = storage::owed_servers(db, self_);
    if (!owed) return fail(owed);
    found.servers = owed->size();
    for (std::size_t i = 0; i < std::min(owed->size(), most_servers); ++i) {
        const auto sums = storage::owed_to(db, self_, (*owed)[i]);
        if (!sums) return fail(sums);
        found.entries += sums->entries;
        found.submissions += sums->submissions;
        found.direct += sums->direct;
        if (sums->oldest_at > 0 && (found.oldest_at == 0 || sums->oldest_at < found.oldest_at))
            found.oldest_at = sums->oldest_at;
    }
    if (!database_.empty()) {
        found.database = measured_file(database_);
        found.write_ahead_log = measured_file(database_ + "-wal");
    }
    const auto rocks = window.figures();
    found.window_keys = rocks.keys;
    found.window_unwritten = rocks.unwritten;
    found.window_pending = rocks.pending_compaction;
    std::error_code failed;
    std::filesystem::directory_iterator at(window_, failed), end;
    while (!failed && at != end) {
        found.window += measured_file(at->path().string());
        ++found.window_files;
        at.increment(failed);
    }
    const auto room = std::filesystem::space(data_, failed);
    if (!failed) found.free = room.available;
    return found;
}

}  // namespace entente::daemon
