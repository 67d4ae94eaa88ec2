// What moderators have been told, and what they made of it: open reports, bounded by origin, and
// closed ones for a year. Functions over a connection, for jobs of GroupCommit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// That nobody has dealt with: of all other servers together, and of one; of those, with a proof.
// One gets at most half of what is free (share.hpp).
inline constexpr std::int64_t max_foreign_reports = 10'000;
inline constexpr std::int64_t max_reports = 1'000;
inline constexpr std::int64_t max_foreign_proven_reports = 1'000;
inline constexpr std::int64_t max_proven_reports = 100;
// The same of all own users together, and of one.
inline constexpr std::int64_t max_own_reports = 5'000;
inline constexpr std::int64_t max_reports_of_user = 50;
inline constexpr protocol::Millis closed_report_life_ms = 365 * protocol::day_ms;

struct ReportRow {
    std::int64_t id = 0;
    std::string origin;   // the server that passed it on, ours for our users
    std::string sender;   // who reports: a user of ours, or that server
    std::string user;     // who is reported
    std::string channel;  // may be empty
    std::string event;    // an event id; may be empty
    std::string reason;
    protocol::Millis at = 0;
    std::string verdict{};  // "upheld", "dismissed"; empty while it is open
    std::string closed_by{};
    protocol::Millis closed_at = 0;
    protocol::Millis sent_at = 0;  // to the reported user's server, with a proof; 0: it wasn't
    bool is_proven = false;        // it came with a proof that holds
    std::string against{};         // the server in whose standing it counts; empty where it doesn't
    std::string proof{};           // to be put; not read with the row
};
// `forbidden` where the origin has too many open, or the user if the origin is `self`.
[[nodiscard]] Result<void> put_report(Connection& db, const ReportRow& row, std::string_view self);
// The oldest first.
[[nodiscard]] Result<std::vector<ReportRow>> reports_after(Connection& db, std::int64_t after,
                                                           std::size_t limit,
                                                           bool are_closed = false);
[[nodiscard]] Result<ReportRow> find_report(Connection& db, std::int64_t id);  // `not_found`
// Its text; `not_found` where it came without one.
[[nodiscard]] Result<std::string> proof_of_report(Connection& db, std::int64_t id);
[[nodiscard]] Result<void> close_report(Connection& db, std::int64_t id, const std::string& verdict,
                                        const std::string& by, protocol::Millis now);
[[nodiscard]] Result<void> note_sent_report(Connection& db, std::int64_t id, protocol::Millis now);
// Those that were closed before `before`, some at a time.
[[nodiscard]] Result<void> sweep_reports(Connection& db, protocol::Millis before,
                                         std::size_t limit);

}  // namespace entente::storage
