// Reports of users to moderators [INBOX-15]: to those of this server, and of the reported
// user's server. It is told by our bare name: who has reported is for our own moderators.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/direct/direct.hpp"
#include "federation/identity.hpp"
#include "federation/log/home_log.hpp"
#include "federation/people.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

inline constexpr std::size_t max_report_octets = 4 * 1024;  // its reason
// With the rest of a content it stays within what an event may have.
inline constexpr std::size_t max_report_proof_octets = 48 * 1024;
inline constexpr char report_type[] = "report";

struct ReportsParts {
    const Identity& identity;
    storage::ChannelLogStore& store;
    storage::GroupCommit& commits;
    const protocol::Clock& clock;
    protocol::Random& random;
    Wake wake;
    trust::policy::Enforcer* policies = nullptr;  // of what other servers report
};

class Reports {
 public:
    explicit Reports(ReportsParts parts) : parts_(std::move(parts)) {}

    // By a user of ours, once per txn.
    asio::awaitable<Result<void>> hand_in(Actor actor, Report report);
    // Of a `report` by another server, before the writer sees it: a proof has to hold, under a key
    // of ours, or nothing of it is taken. For any thread.
    [[nodiscard]] Result<void> check(const VerifiedDirect& direct,
                                     const std::vector<KeyRef>& own) const;
    // The handler of `report`: of a user of ours, by another server, that has passed check().
    [[nodiscard]] Result<void> take(storage::WriteTransaction& transaction,
                                    const VerifiedDirect& direct, const ServerName& origin);

 private:
    struct Draft;
    [[nodiscard]] Result<void> check_proof(const Report& report,
                                           const std::vector<KeyRef>& own) const;
    [[nodiscard]] Draft draft(const Actor& actor, const Report& report) const;
    [[nodiscard]] Result<void> apply(storage::WriteTransaction& transaction, const Draft& draft);

    ReportsParts parts_;
};

// Of a content that has passed check_content; `malformed`.
[[nodiscard]] Result<Report> parse_report(std::string_view content, protocol::NameRules names);
[[nodiscard]] std::string write_report(const Report& report, std::string_view salt);

}  // namespace entente::federation
