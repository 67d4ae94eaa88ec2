// What moderators have been told, until one of them is done with it; bounded by origin.
// Functions over a connection, for jobs of GroupCommit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// Of one server, ours included, that nobody has dealt with.
inline constexpr std::int64_t max_reports = 1'000;

struct ReportRow {
    std::int64_t id = 0;
    std::string origin;   // the server that passed it on, ours for our users
    std::string sender;   // who reports: a user of ours, or that server
    std::string user;     // who is reported
    std::string channel;  // may be empty
    std::string event;    // an event id; may be empty
    std::string reason;
    protocol::Millis at = 0;
};
// `forbidden` where the origin has too many open.
[[nodiscard]] Result<void> put_report(Connection& db, const ReportRow& row);
// The oldest first.
[[nodiscard]] Result<std::vector<ReportRow>> reports_after(Connection& db, std::int64_t after,
                                                           std::size_t limit);
[[nodiscard]] Result<void> drop_report(Connection& db, std::int64_t id);  // `not_found`

}  // namespace entente::storage
