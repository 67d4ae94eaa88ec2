// What a peer's answer to a transaction means here: cursors move, submissions are accepted
// or rejected, joins begin their logs. One commit per answer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/batch.hpp"
#include "federation/follower_log.hpp"
#include "federation/notices.hpp"
#include "federation/verification.hpp"
#include "protocol/log.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

// A log that a follower now holds further, and which other followers wrote in it.
struct AdvancedLog {
    protocol::ChannelId channel;
    std::vector<ServerName> others;
};

// What a link must remember of an answer. Times in seconds from now.
struct Settled {
    std::map<std::string, std::int64_t> held_submissions;  // channel → wait
    std::map<std::string, std::int64_t> held_logs;  // channel → wait; 0: by the link's own doubling
    std::int64_t held_direct = 0;
    bool progress = false;  // something was acknowledged
    // Joined channels whose snapshot must be fetched, with the floor where the home told it.
    std::map<std::string, std::optional<std::int64_t>> wants_snapshot;
    std::vector<AdvancedLog> advanced;  // only where an author elsewhere cares
};

struct SettlementParts {
    const Identity& identity;
    Verifier& verifier;
    FollowerLog& follower;
    storage::ChannelLogStore& store;
    storage::GroupCommit& commits;
    Notices& notices;
    protocol::Log& log;
    const protocol::Clock& clock;
};

class Settlement {
 public:
    explicit Settlement(SettlementParts parts);

    // `malformed` where the answer doesn't fit the transaction.
    asio::awaitable<Result<Settled>> settle(const ServerName& peer, const BatchDraft& draft,
                                            protocol::TransactionResult result);
    // A snapshot fetched for a join whose result could not carry it.
    asio::awaitable<Result<void>> begin(const ServerName& home, protocol::SnapshotAnswer answer,
                                        std::optional<std::int64_t> floor);

 private:
    struct Join;
    struct Job;
    [[nodiscard]] Result<Settled> apply(storage::WriteTransaction& transaction, const Job& job);
    [[nodiscard]] Result<void> apply_event(storage::WriteTransaction& transaction, const Job& job,
                                           const storage::SubmissionRow& row,
                                           const protocol::EventResult& result, Settled& settled);
    // Whether an accepted join's log can begin here.
    enum class JoinStanding : std::uint8_t { needs_snapshot, stands };
    [[nodiscard]] Result<JoinStanding> apply_join(storage::WriteTransaction& transaction,
                                                  const Job& job, const storage::SubmissionRow& row,
                                                  const protocol::EventResult& result);
    [[nodiscard]] Result<void> apply_log(storage::WriteTransaction& transaction, const Job& job,
                                         const LogPart& part, const protocol::SliceResult& result,
                                         Settled& settled);
    [[nodiscard]] Result<void> apply_direct(storage::WriteTransaction& transaction, const Job& job,
                                            const storage::DirectRow& row,
                                            const protocol::EventResult& result, Settled& settled);

    SettlementParts parts_;
};

}  // namespace entente::federation
