// What shows that a channel's log has two histories [LOG-4], or holds an event in the name
// of one of our users that this server did not seal [LOG-11]. Functions over a connection,
// as in outgoing_store.hpp. Never changed and never dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// Of one channel. What comes later proves no more than what is kept.
inline constexpr std::int64_t max_evidence_per_channel = 8;

struct EvidenceRow {
    std::int64_t id = 0;
    std::string kind;  // "fork" or "unsealed"
    protocol::ServerName home;
    protocol::Millis at = 0;  // when it was found
    std::int64_t epoch = 1;
    std::int64_t seq = 0;  // where the histories differ, or the event stands
    // Answers to a log query, without contents: what is held here from that place on to a
    // checkpoint ("" where there is none), and what the home has shown.
    std::string held;
    std::string shown;
};

// False where there is enough of this channel.
[[nodiscard]] Result<bool> put_evidence(Connection& db, std::int64_t channel,
                                        const EvidenceRow& row);
// The oldest first.
[[nodiscard]] Result<std::vector<EvidenceRow>> evidence_of(Connection& db, std::int64_t channel);

}  // namespace entente::storage
