// Reports that moderators have upheld, in the standing of the reported users' servers. One counts
// only where that server's own signature proves what its user wrote: the reporter's word, and ours,
// are no evidence. Who may uphold is api/report_desk's.
#pragma once

#include <cstdint>

#include <boost/asio/awaitable.hpp>

#include "federation/conduct/conduct.hpp"
#include "federation/conduct/report_passing.hpp"
#include "trust/key_ring.hpp"

namespace entente::federation {

class UpheldReports {
 public:
    virtual ~UpheldReports() = default;
    // Of a report with `channel` and `event` about another server's user: that its server has
    // signed what he wrote. Fails as ReportPassing::prove, and as trust::Proof::of_signature.
    virtual asio::awaitable<Result<trust::Proof>> evidence(Report report) = 0;
    // In the job that closes `report`, after it is closed: it counts against proof.server(), which
    // falls where it is one of enough.
    [[nodiscard]] virtual Result<void> count(storage::WriteTransaction& transaction,
                                             const trust::Proof& proof, std::int64_t report,
                                             protocol::Millis now) = 0;
};

struct UpheldReportsParts {
    const Identity& identity;
    const trust::KeyRing& ring;
    LocalReportPassing& passing;
    Conduct& conduct;
};

class LocalUpheldReports final : public UpheldReports {
 public:
    explicit LocalUpheldReports(UpheldReportsParts parts) : parts_(parts) {}

    asio::awaitable<Result<trust::Proof>> evidence(Report report) override;
    [[nodiscard]] Result<void> count(storage::WriteTransaction& transaction,
                                     const trust::Proof& proof, std::int64_t report,
                                     protocol::Millis now) override;

 private:
    [[nodiscard]] Result<trust::Proof> judge(const protocol::EntryProof& entry,
                                             const ServerName& author) const;

    UpheldReportsParts parts_;
};

}  // namespace entente::federation
