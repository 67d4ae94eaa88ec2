// Decisions as they were asked for, so that other policies can be tried on them: a sample, bounded
// by number and age. Functions over a connection, for jobs of GroupCommit. Who samples, and how
// often, is decided by who decides.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"
#include "trust/policy/enforcer.hpp"

namespace entente::storage {

// Beyond the number the oldest go of that action and outcome of which there are most: each keeps
// its equal share, whatever else is asked how often. Each at most trust::policy::max_record_octets.
inline constexpr std::int64_t max_kept_decisions = 20'000;
inline constexpr protocol::Millis max_decision_age_ms = 7 * protocol::day_ms;

struct DecisionRow {
    std::int64_t id = 0;
    protocol::Millis at = 0;
    std::string record;  // trust::policy::write_record's
};
// `too_large` where a record is; then none is written. What is beyond the bounds goes in the same
// transaction.
[[nodiscard]] Result<void> put_decisions(Connection& db,
                                         std::span<const trust::policy::Record> records,
                                         protocol::Millis now);
// Not older than `since`, with numbers above `after`, the oldest first.
[[nodiscard]] Result<std::vector<DecisionRow>> decisions_since(Connection& db,
                                                               protocol::Millis since,
                                                               std::int64_t after,
                                                               std::size_t limit);

}  // namespace entente::storage
