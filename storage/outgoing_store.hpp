// What is owed to other servers, and how far they have it: follower cursors, our users'
// unsent submissions, outgoing direct events. Functions over a connection, for jobs of
// GroupCommit; those that write need the writer's, inside a transaction. One that fails
// has written nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "protocol/octets.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// --- cursors -------------------------------------------------------------------------

struct CursorRow {
    protocol::ServerName server;
    std::int64_t seq = 0;    // held durably over there
    std::int64_t floor = 0;  // where its log starts [QRY-2]
    std::int64_t until = 0;  // following ends with this entry; 0: it goes on
};

// A follower's cursor at its floor; one that was there before starts anew.
[[nodiscard]] Result<void> start_cursor(Connection& db, std::int64_t channel,
                                        std::int64_t server_id, std::int64_t floor);
// What the follower says it holds, less than before included [LOG-2]; no row is made.
[[nodiscard]] Result<void> set_cursor(Connection& db, std::int64_t channel, std::int64_t server_id,
                                      std::int64_t seq);
// What the home says of another follower: a row is made where there is none. A former home
// owes it nothing any more where that is as far as it had to bring it [SUC-2].
[[nodiscard]] Result<void> note_cursor(Connection& db, std::int64_t channel, std::int64_t server_id,
                                       std::int64_t seq);
[[nodiscard]] Result<void> end_cursor(Connection& db, std::int64_t channel, std::int64_t server_id,
                                      std::int64_t until);
// It holds at least so much, and what it is owed has no end any more.
[[nodiscard]] Result<void> continue_cursor(Connection& db, std::int64_t channel,
                                           std::int64_t server_id, std::int64_t seq);
// [QRY-2] Where the log of `server` begins, as its members' rows tell; 0 where they don't.
[[nodiscard]] Result<std::int64_t> floor_by_members(Connection& db, std::int64_t channel,
                                                    const protocol::ServerName& server);
// Drops the cursor when the following has ended and all is acknowledged, or at once.
[[nodiscard]] Result<void> drop_cursor(Connection& db, std::int64_t channel,
                                       std::int64_t server_id);
[[nodiscard]] Result<std::optional<CursorRow>> find_cursor(Connection& db, std::int64_t channel,
                                                           const protocol::ServerName& server);
[[nodiscard]] Result<std::vector<CursorRow>> cursors_of(Connection& db, std::int64_t channel);

// A channel homed at `self` of which `server` lacks entries, or one that was, of which it lacks
// some up to the move [SUC-2].
struct OwedLog {
    std::int64_t channel = 0;
    std::int64_t seq = 0;    // the cursor
    std::int64_t floor = 0;  // as a cursor's
    std::int64_t until = 0;
};
[[nodiscard]] Result<std::vector<OwedLog>> owed_logs(Connection& db,
                                                     const protocol::ServerName& self,
                                                     const protocol::ServerName& server);
// The same of these channels alone, in the order of their rows.
[[nodiscard]] Result<std::vector<OwedLog>> owed_logs(Connection& db,
                                                     const protocol::ServerName& self,
                                                     const protocol::ServerName& server,
                                                     const std::set<std::int64_t>& channels);
// Who follows what of `self`'s channels, whether or not it is owed anything; all followers
// where `server` is empty.
struct Following {
    protocol::ServerName server;
    protocol::ChannelId channel;
};
[[nodiscard]] Result<std::vector<Following>> followings(Connection& db,
                                                        const protocol::ServerName& self,
                                                        std::string_view server);
// All servers that are owed anything: log entries, submissions, direct events.
[[nodiscard]] Result<std::vector<protocol::ServerName>> owed_servers(
    Connection& db, const protocol::ServerName& self);

// --- submissions ---------------------------------------------------------------------

struct SubmissionRow {
    std::int64_t id = 0;
    protocol::ChannelId channel;
    protocol::ServerName home;
    std::string user;
    protocol::Uuid txn;
    protocol::Hash event_id{};
    std::string type;
    std::string event;
    std::string content;
    protocol::Millis at = 0;
    std::int64_t seq = 0;  // accepted with this seq, not yet back in the log; 0: not accepted
    std::string problem;   // rejected: the code's name
};

// `home_id` is the server's row.
[[nodiscard]] Result<void> put_submission(Connection& db, const SubmissionRow& row,
                                          std::int64_t home_id);
[[nodiscard]] Result<std::optional<SubmissionRow>> find_submission(
    Connection& db, const protocol::ChannelId& channel, const protocol::Uuid& txn);
[[nodiscard]] Result<std::optional<SubmissionRow>> find_submission(Connection& db,
                                                                   const protocol::Hash& event_id);
// Not yet settled, in the order in which they were made, with an id above `after`.
[[nodiscard]] Result<std::vector<SubmissionRow>> unsent_submissions(
    Connection& db, const protocol::ServerName& home, std::int64_t after, std::size_t limit);
[[nodiscard]] Result<std::int64_t> count_unsent(Connection& db, std::string_view user,
                                                std::int64_t home_id);
// The same of one channel.
[[nodiscard]] Result<std::vector<SubmissionRow>> unsent_submissions(
    Connection& db, const protocol::ServerName& home, const protocol::ChannelId& channel,
    std::int64_t after, std::size_t limit);
// [SUC-2] What isn't rejected is of the new home's concern. True where there was any.
[[nodiscard]] Result<bool> hand_on_submissions(Connection& db, const protocol::ChannelId& channel,
                                               std::int64_t home_id);
// Whether there is any row of the channel, whatever its standing.
[[nodiscard]] Result<bool> has_submissions(Connection& db, const protocol::ChannelId& channel);
// Accepted with a seq behind `floor` and up to `seq`, and still not seen in the log, which
// reaches from the one to the other: the home has lost them, and they are handed in again.
// True where there were any.
[[nodiscard]] Result<bool> reopen_submissions(Connection& db, const protocol::ChannelId& channel,
                                              std::int64_t floor, std::int64_t seq);
// Whether a join into the channel is outstanding [LOG-2, need-snapshot].
[[nodiscard]] Result<bool> has_open_join(Connection& db, const protocol::ChannelId& channel);
// One that has no place in a log yet.
[[nodiscard]] Result<bool> has_unsent_join(Connection& db, const protocol::ChannelId& channel);
// One that was handed in, or is to be, at `home`.
[[nodiscard]] Result<bool> has_open_join(Connection& db, const protocol::ChannelId& channel,
                                         const protocol::ServerName& home);
[[nodiscard]] Result<void> accept_submission(Connection& db, std::int64_t id, std::int64_t seq);
// Its content goes: nobody will want it any more, and it may be of a deleted message [MEM-4].
[[nodiscard]] Result<void> reject_submission(Connection& db, std::int64_t id,
                                             std::string_view problem);
// It has come back in the log: the log's word is enough from now on.
[[nodiscard]] Result<void> settle_submission(Connection& db, const protocol::ChannelId& channel,
                                             const protocol::Uuid& txn);
// Accepted ones whose place lies before the log that is held here never come back in it.
[[nodiscard]] Result<void> settle_submissions_up_to(Connection& db,
                                                    const protocol::ChannelId& channel,
                                                    std::int64_t seq);
// [RETRY-1] Pending ones that were taken at `before` or earlier, the oldest first.
struct OverdueRow {
    protocol::ChannelId channel;
    protocol::ServerName home;
    std::string user;
    protocol::Hash event_id{};
    protocol::Millis at = 0;
};
// Each is given once: they are marked as told.
[[nodiscard]] Result<std::vector<OverdueRow>> take_untold_overdue(Connection& db,
                                                                  protocol::Millis before,
                                                                  std::size_t limit);
[[nodiscard]] Result<std::vector<OverdueRow>> overdue_of(Connection& db, std::string_view user,
                                                         protocol::Millis before,
                                                         std::size_t limit);
// Rejected ones, and accepted joins behind the floor: until then they answer repeats.
[[nodiscard]] Result<void> drop_over_before(Connection& db, protocol::Millis at);

// --- direct events -------------------------------------------------------------------

struct DirectRow {
    std::int64_t id = 0;
    std::string event;
    std::string content;
    std::string sender;  // of a user's own: whose, else empty
    std::string type;    // of a user's own
    std::string note;    // of a user's own: what is told where it is refused
    protocol::Millis at = 0;
};
[[nodiscard]] Result<void> put_direct(Connection& db, std::int64_t server_id,
                                      std::string_view event, std::string_view content,
                                      protocol::Millis at);
// One of a user's own, or one whose answer is waited for; its id and its time are ignored.
[[nodiscard]] Result<void> put_users_direct(Connection& db, std::int64_t server_id,
                                            const DirectRow& row, protocol::Millis at);
// The same in the place of those of its type that the server is owed from the user.
[[nodiscard]] Result<void> replace_users_direct(Connection& db, std::int64_t server_id,
                                                const DirectRow& row, protocol::Millis at);
// How many of that type the server is owed from the user.
[[nodiscard]] Result<std::int64_t> count_users_direct(Connection& db, std::string_view user,
                                                      std::int64_t server_id,
                                                      std::string_view type);
[[nodiscard]] Result<std::vector<DirectRow>> outgoing_direct(Connection& db,
                                                             const protocol::ServerName& server,
                                                             std::int64_t after, std::size_t limit);
[[nodiscard]] Result<void> drop_direct(Connection& db, std::int64_t id);

}  // namespace entente::storage
