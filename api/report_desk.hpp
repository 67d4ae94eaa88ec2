// What administrators make of reports: closes them as upheld or dismissed, and passes them on to
// the reported user's server with the proof of what he wrote. One way for the client API and for
// the control socket; every act is in the audit log. For the I/O executor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/administration.hpp"
#include "api/rates.hpp"
#include "federation/conduct/report_passing.hpp"
#include "federation/conduct/upheld_reports.hpp"
#include "storage/report_store.hpp"

namespace entente::api {

// Of this server: each costs the other administrators' time.
inline constexpr std::int64_t reports_sent_a_day = 100;

struct ReportDeskParts {
    storage::GroupCommit& commit;
    federation::ReportPassing& passing;
    federation::UpheldReports& upheld;
    trust::policy::Enforcer& policies;
    const protocol::Clock& clock;
    protocol::ServerName server;
    protocol::NameRules names;
};

enum class Verdict : std::uint8_t { upheld, dismissed };
[[nodiscard]] std::optional<Verdict> verdict_from(std::string_view text);

class ReportDesk {
 public:
    explicit ReportDesk(ReportDeskParts parts) : parts_(std::move(parts)) {}

    // For whoever has been let in.
    asio::awaitable<Result<std::vector<storage::ReportRow>>> list(bool are_closed,
                                                                  std::int64_t after,
                                                                  std::size_t limit);
    asio::awaitable<Result<std::string>> proof(std::int64_t id);

    // `not_found`; `conflict` where it is closed with the other verdict. The same one is told
    // again. An upheld one counts in the standing of its user's server, where that has signed what
    // the report is about.
    asio::awaitable<Result<storage::ReportRow>> close(Administrator by, std::int64_t id,
                                                      Verdict verdict, std::string reason);
    // Open or closed. `conflict` where its user is of this server, or it names no event;
    // `rate_limited` over the day's number; as ReportPassing says. Once: a repeat is told when.
    asio::awaitable<Result<storage::ReportRow>> send(Administrator by, std::int64_t id,
                                                     bool with_content);
    // Forgets what was closed long ago; for a timer, some at a time.
    asio::awaitable<Result<void>> sweep();

 private:
    asio::awaitable<Result<storage::ReportRow>> look_at(Administrator by, std::int64_t id);
    asio::awaitable<std::optional<trust::Proof>> evidence_of(storage::ReportRow row);
    [[nodiscard]] Result<federation::Report> provable(const storage::ReportRow& row) const;

    ReportDeskParts parts_;
    DailyCount sent_{reports_sent_a_day};
};

}  // namespace entente::api
