// Reads a stored log from one end to the other and computes its hash chain from the entries
// alone, comparing it with what is stored beside them: so it shows whether entries, contents
// or rows were changed under this server's hands. Knows no key and asks nobody.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "storage/log_reader.hpp"

namespace entente::storage {

// What doesn't fit in a stored log: it lies in one of these entries.
struct LogFlaw {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::string what;  // a sentence
};

// Where a walk stands. It begins at the channel's floor (start_of), or at any place whose
// hash an earlier walk gave (resume_at).
struct LogWalk {
    protocol::Position at;
    protocol::Position start;  // of a walk from the floor, once it has begun
    bool begun = false;
    std::int64_t sound = 0;       // up to here what is stored beside the entries agrees with them
    std::optional<LogFlaw> flaw;  // the first
};

[[nodiscard]] LogWalk start_of(const ChannelRow& channel);
[[nodiscard]] LogWalk resume_at(protocol::Position place);

// Called for each entry: its place with the hash as computed, and the event's id.
using VisitEntry = std::function<void(const protocol::Position&, const protocol::Hash& event)>;

// Goes on over whole runs until at least `entries` more were seen; true when the walk has
// reached `channel`'s head, as that row says it. A run that can't be read is a flaw and ends
// the walk. 4,000 entries are a reader's turn of about 40 ms.
[[nodiscard]] Result<bool> walk_log(Connection& db, const ChannelRow& channel, LogWalk& walk,
                                    std::int64_t entries, const VisitEntry& visit);

}  // namespace entente::storage
