// The index by event id: where in which log an event stands, for all that is held. Derived
// from the log and never the authority: it may be lost, and whatever it says is compared
// with the entry itself. EventPlaces remembers; EventIndex knows how far that goes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "protocol/octets.hpp"
#include "storage/driver.hpp"
#include "storage/stored_entry.hpp"

namespace entente::storage {

struct EventPlace {
    std::int64_t channel = 0;  // its row
    std::int64_t seq = 0;
    friend bool operator==(const EventPlace&, const EventPlace&) = default;
};

struct IndexedEvent {
    protocol::Hash id{};
    EventPlace place;
};

// A run that is in the index with all that were written before it. `name` tells it from
// another one that has its number in a database with another past.
struct IndexMark {
    std::int64_t run = 0;
    std::string name;
    friend bool operator==(const IndexMark&, const IndexMark&) = default;
};

// RocksDB in the daemon, a map in tests. Blocking, thread-safe; `unavailable` where the disk
// can't be used.
class EventPlaces {
 public:
    virtual ~EventPlaces() = default;
    // All of it or, at an error, nothing. Survives a kill -9 when it returns; after a power
    // cut the newest additions may be gone, with their marks.
    [[nodiscard]] virtual Result<void> add_events(const std::vector<IndexedEvent>& events,
                                                  const std::optional<IndexMark>& mark) = 0;
    // Where it may stand: mostly one place or none, others where ids begin alike.
    [[nodiscard]] virtual Result<std::vector<EventPlace>> find_event(const protocol::Hash& id) = 0;
    // The newest that was added.
    [[nodiscard]] virtual Result<std::optional<IndexMark>> index_mark() = 0;
};

// Thread-safe. Keeps the newest events in memory, since many at once cost the disk and the
// processor far less than a few; after a kill -9 they are read from the log again. While older
// runs are missing (after a start without the index, or once adding
// has failed), a miss is `unavailable`: nobody may take an event for unknown that stands in
// the log.
class EventIndex {
 public:
    static constexpr std::size_t max_kept = 4'096;  // events in memory between two commits

    // `places` outlives it. Nothing is complete before open().
    explicit EventIndex(EventPlaces& places) : places_(places) {}
    EventIndex(const EventIndex&) = delete;
    EventIndex& operator=(const EventIndex&) = delete;

    // Finds out what is missing. Before anything is committed.
    [[nodiscard]] Result<void> open(Connection& db);
    // Adds runs that are missing, until these are `max_events` or more; on any connection
    // that sees what is committed, by one caller at a time. True where none is missing.
    [[nodiscard]] Result<bool> catch_up(Connection& db, std::size_t max_events);
    [[nodiscard]] bool is_complete() const { return complete_; }

    // What the commit that comes next adds to the log. Told before it, so that whoever sees the
    // commit finds them; then committed() or rolled_back() follows. All on the writer's thread.
    void expect(std::vector<IndexedEvent> events);
    // `newest` is the commit's last run.
    void committed(IndexMark newest);
    void rolled_back();
    // Gives what it keeps in memory to the places. At an orderly end, behind the last commit.
    void flush();

    // The entry with this event, wherever it stands; `not_found`, `unavailable`.
    struct Found {
        std::int64_t channel = 0;
        StoredEntry stored;
    };
    [[nodiscard]] Result<Found> find(Connection& db, const protocol::Hash& id);

 private:
    [[nodiscard]] Result<IndexMark> believed_mark(Connection& db);
    [[nodiscard]] Result<std::vector<EventPlace>> candidates(const protocol::Hash& id);
    void give_kept();

    EventPlaces& places_;
    std::atomic<bool> complete_{false};
    std::mutex mutex_;             // guards what follows
    std::int64_t missing_to_ = 0;  // the newest run that may be missing
    IndexMark newest_;             // the writer's last one
    std::vector<IndexedEvent> kept_;
    std::vector<IndexedEvent> expected_;
};

[[nodiscard]] std::string run_name(std::int64_t channel, std::int64_t last,
                                   std::string_view prev_hash);
// The name of the run with this number; nothing where the log has none.
[[nodiscard]] Result<std::optional<std::string>> name_of_run(Connection& db, std::int64_t run);
// The newest that is committed; 0 and "" where there is none.
[[nodiscard]] Result<IndexMark> newest_run(Connection& db);

}  // namespace entente::storage
