// The audit log: what administrators have done, written in the transaction that does it.
// Append-only, which the database itself sees to as well (0016_audit.sql). Functions over a
// connection, for jobs of GroupCommit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"
#include "trust/audit_chain.hpp"

namespace entente::storage {

// Who asked over the control socket, in place of a user's id.
inline constexpr const char* audit_operator = "operator";

struct AuditRecord {
    std::string actor, act, object;
    std::string details = "{}";  // see trust::AuditEntry
};

// The last thing that a job does: what it refuses is written nowhere. Its time is `now`, or the
// entry's before it if that is later. `internal` for a record that trust::check_audit_entry
// refuses: its makers bound what they put into it.
[[nodiscard]] Result<trust::AuditEntry> append_audit(Connection& db,
                                                     const protocol::ServerName& server,
                                                     protocol::Millis now,
                                                     const AuditRecord& record);
// Rising, behind `after` and up to `through`.
[[nodiscard]] Result<std::vector<trust::AuditEntry>> audit_between(Connection& db,
                                                                   std::int64_t after,
                                                                   std::int64_t through,
                                                                   std::size_t limit);
// The newest first, before `before`.
[[nodiscard]] Result<std::vector<trust::AuditEntry>> audit_before(Connection& db,
                                                                  std::int64_t before,
                                                                  std::size_t limit);
[[nodiscard]] Result<trust::AuditHead> audit_head(Connection& db);

}  // namespace entente::storage
