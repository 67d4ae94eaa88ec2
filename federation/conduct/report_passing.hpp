// A report that an administrator passes on to the reported user's server, with the proof that he
// wrote what it is about [INBOX-15]: that server need not believe ours. Decides nothing of who may
// do that, and how often: api/report_desk does.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/identity.hpp"
#include "federation/log/home_log.hpp"
#include "federation/log/log_proof.hpp"
#include "federation/people.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/event_index.hpp"
#include "storage/group_commit.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

// A report as it leaves, made before the job that queues it.
struct ProvenReport {
    ServerName server;
    storage::DirectRow direct;
    protocol::Millis at = 0;
    bool with_content = false;  // what was written goes along, and not only its hash
};

class ReportPassing {
 public:
    virtual ~ReportPassing() = default;
    // Of a report with `channel` and `event`. `not_found` where the entry isn't held here (any
    // more); `conflict` where the user didn't write it; `too_large` where its proof is, also
    // without the content, which is left out where it doesn't fit.
    virtual asio::awaitable<Result<ProvenReport>> prove(Report report, bool with_content) = 0;
    // In the caller's job; wakes the link after the commit.
    [[nodiscard]] virtual Result<void> pass(storage::WriteTransaction& transaction,
                                            const ProvenReport& report) = 0;
};

struct ReportPassingParts {
    const Identity& identity;
    storage::ChannelLogStore& store;
    storage::EventIndex& events;
    LogProver& prover;
    storage::GroupCommit& commits;
    const protocol::Clock& clock;
    protocol::Random& random;
    Wake wake;
};

class LocalReportPassing final : public ReportPassing {
 public:
    explicit LocalReportPassing(ReportPassingParts parts) : parts_(std::move(parts)) {}

    asio::awaitable<Result<ProvenReport>> prove(Report report, bool with_content) override;
    [[nodiscard]] Result<void> pass(storage::WriteTransaction& transaction,
                                    const ProvenReport& report) override;
    // What prove() is made of: the entry that the report is about, as the user wrote it. Fails as
    // that does.
    asio::awaitable<Result<protocol::EntryProof>> entry_of(Report report, bool with_content);

 private:
    asio::awaitable<Result<std::string>> proof_of(Report report, bool with_content);
    [[nodiscard]] ProvenReport write(const Report& report, std::string proof) const;

    ReportPassingParts parts_;
};

}  // namespace entente::federation
