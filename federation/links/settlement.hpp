// What a peer's answer to a transaction means here: cursors move, submissions are accepted
// or rejected, joins begin their logs. One commit per answer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/links/batch.hpp"
#include "federation/log/follower_log.hpp"
#include "federation/log/verification.hpp"
#include "federation/notices.hpp"
#include "protocol/log.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

// [LOG-6] Keys that are shown with the slices of one channel.
inline constexpr std::size_t max_keys_shown = protocol::max_shown_keys;

// [LOG-2] A frozen log is sent again once in that time: nobody tells when the freeze has ended.
inline constexpr std::int64_t fork_pause_seconds = 3600;

// A log that a follower now holds further, and which other followers wrote in it.
struct AdvancedLog {
    protocol::ChannelId channel;
    std::vector<ServerName> others;
};

// [LOG-5] What a follower said of a channel that waits for its word.
struct FollowerWord {
    protocol::ChannelId channel;
    // It holds the log up to here, and agrees with us to our end; 0: nothing beyond.
    std::int64_t ahead = 0;
    bool counts = false;  // there is nothing more to be had from it
};

// What an accepted join has to be followed by.
struct WantedSnapshot {
    std::optional<std::int64_t> floor;  // where the home told it
    storage::SubmissionRow join;
    std::int64_t seq = 0;  // the join's own; 0: not told
};

// What a link must remember of an answer. Times in seconds from now.
struct Settled {
    std::map<std::string, std::int64_t> held_submissions;  // channel → wait
    std::map<std::string, std::int64_t> held_logs;  // channel → wait; 0: by the link's own doubling
    std::set<std::string> awaiting_snapshot;        // of those: doubling to a minute only [LOG-2]
    std::map<std::string, std::int64_t> held_direct;  // sequence_of → wait
    bool progress = false;                            // something was acknowledged
    // Rows of the channels whose slice wasn't taken to its end: they are owed as before.
    std::set<std::int64_t> logs_left;
    // Joined channels whose snapshot must be fetched.
    std::map<std::string, WantedSnapshot> wants_snapshot;
    std::vector<AdvancedLog> advanced;  // only where an author elsewhere cares
    std::vector<FollowerWord> words;
    // [LOG-6] Keys, as server#keyid, that a follower of a channel can't have.
    std::map<std::string, std::vector<std::string>> keys_wanted;
    // [SUC-6] Channels that have moved here, of which a follower doesn't know that.
    std::set<std::string> moves_wanted;
};

// A user's own direct event was refused for good: its author is told.
using DirectRefused =
    std::function<Result<void>(storage::WriteTransaction&, const storage::DirectRow&, Code)>;

// The consent is one whose signature holds, where the peer gave any.
using MoveAnswered = std::function<Result<bool>(
    storage::WriteTransaction&, const storage::DirectRow&, const protocol::EventResult&,
    const std::optional<protocol::Consent>& consent)>;

struct SettlementParts {
    const Identity& identity;
    Verifier& verifier;
    FollowerLog& follower;
    storage::ChannelLogStore& store;
    storage::GroupCommit& commits;
    Notices& notices;
    protocol::Log& log;
    const protocol::Clock& clock;
    // [LOG-5] Whether a follower that says `ahead` is looked into; not for a while where it
    // had nothing to show. Nothing: always. On the I/O thread.
    std::function<bool(const protocol::ChannelId&, const ServerName& follower)> believes = {};
    DirectRefused direct_refused = {};
    // [SUC-2] What the answer to a move.ask means; false where it has to be asked again.
    MoveAnswered move_answered = {};
    // Another peer is owed submissions now.
    std::function<void(const ServerName& server)> wake = {};
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
    // [MEM-3] The home has taken a join, and has no channel to show any more: the membership has
    // ended again before this server saw it begin.
    asio::awaitable<Result<void>> pass_over(WantedSnapshot wanted);
    // [QRY-13] One fetched for a log that ends below `floor`; false where that isn't so any more.
    asio::awaitable<Result<bool>> begin_again(const ServerName& home,
                                              protocol::SnapshotAnswer answer, std::int64_t floor);

 private:
    struct Join;
    struct Job;
    asio::awaitable<Result<std::shared_ptr<Join>>> check(const ServerName& home,
                                                         protocol::SnapshotAnswer answer);
    [[nodiscard]] Result<Settled> apply(storage::WriteTransaction& transaction, const Job& job);
    [[nodiscard]] Result<void> apply_event(storage::WriteTransaction& transaction, const Job& job,
                                           const storage::SubmissionRow& row,
                                           const protocol::EventResult& result, Settled& settled);
    void tell_author(storage::WriteTransaction& transaction, const storage::SubmissionRow& row,
                     Posted what);
    [[nodiscard]] Result<bool> goes_elsewhere(storage::WriteTransaction& transaction,
                                              const ServerName& peer,
                                              const storage::SubmissionRow& row,
                                              const Error& problem, Settled& settled);
    [[nodiscard]] Result<bool> waits_for_word(storage::Connection& db, const ServerName& peer,
                                              const storage::SubmissionRow& row, Code problem);
    [[nodiscard]] Result<void> reject(storage::WriteTransaction& transaction,
                                      const ServerName& peer, const storage::SubmissionRow& row,
                                      const protocol::EventResult& result, Settled& settled);
    [[nodiscard]] std::optional<protocol::Consent> consent_in(
        const protocol::EventResult& result) const;
    // Of who has joined.
    [[nodiscard]] Result<void> drop_invitation(storage::WriteTransaction& transaction,
                                               const storage::SubmissionRow& join);
    [[nodiscard]] Result<void> hand_in_again(storage::Connection& db,
                                             const protocol::ChannelId& name);
    // Whether an accepted join's log can begin here.
    enum class JoinStanding : std::uint8_t { needs_snapshot, stands };
    [[nodiscard]] Result<JoinStanding> apply_join(storage::WriteTransaction& transaction,
                                                  const Job& job, const storage::SubmissionRow& row,
                                                  const protocol::EventResult& result);
    [[nodiscard]] Result<void> apply_log(storage::WriteTransaction& transaction, const Job& job,
                                         const LogPart& part, const protocol::SliceResult& result,
                                         Settled& settled);
    [[nodiscard]] Result<void> apply_ahead(storage::WriteTransaction& transaction, const Job& job,
                                           storage::LiveChannel& channel,
                                           const protocol::SliceResult& result, Settled& settled);
    [[nodiscard]] Result<void> let_go(storage::Connection& db, const ServerName& follower,
                                      storage::LiveChannel& channel,
                                      const storage::CursorRow& cursor);
    [[nodiscard]] Result<void> apply_direct(storage::WriteTransaction& transaction, const Job& job,
                                            std::size_t place, Settled& settled);

    SettlementParts parts_;
};

}  // namespace entente::federation
