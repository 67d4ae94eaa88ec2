// One transaction to a peer: what is owed to it, read from the store up to the limits, then
// sealed, checkpointed and signed at once [INBOX-7]. Sends nothing and changes nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "federation/identity.hpp"
#include "protocol/transaction.hpp"
#include "storage/driver.hpp"
#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

struct BatchLimits {
    std::size_t octets = 1'000'000;  // of events and contents
    std::size_t items = 1000;
    // Logs of channels behind this row come first, so that each has its turn.
    std::int64_t last_log = 0;
    // Of the clock: what is from its near future waits here rather than there [EVT-5]. 0: not.
    Millis now = 0;
    // The only logs that are looked at, by the rows of their channels; nothing: all.
    std::optional<std::set<std::int64_t>> logs = {};
};

// What a link must not send yet, because the peer asked for patience with it or because it is
// on its way.
struct Held {
    std::set<std::string> submissions;  // channels
    std::set<std::string> logs;         // channels
    bool direct = false;                // all of them
    std::set<std::string> sequences;    // of direct events, as sequence_of names them
    std::set<std::string> heartbeats;   // channels whose acks are due, whether or not entries are
    std::set<std::string> questions;    // channels to ask about [LOG-5, LOG-8]
    // Channels of which the peer is to be shown that they have moved here, by the move alone.
    std::set<std::string> moves;
    // What goes with the slices of a channel, since the peer can't have the keys itself.
    std::map<std::string, std::vector<protocol::ShownKey>> keys;
};

struct SubmissionPart {
    protocol::ChannelId channel;
    std::vector<storage::SubmissionRow> rows;
};

struct LogPart {
    storage::ChannelRow channel;
    storage::LogPage page;
    std::int64_t until = 0;
    std::int64_t floor = 0;  // where the log begins for the follower, or here [QRY-13]
    std::map<std::string, std::int64_t> acks;
    std::vector<protocol::ShownKey> keys;  // [LOG-6]
    // Of an epoch that another server ordered: the page ends at a checkpoint of that one.
    bool is_past_homes = false;
    bool shows_move = false;  // it is the move that ended that epoch, and nothing else
};

struct BatchDraft {
    std::vector<SubmissionPart> submissions;
    std::vector<LogPart> logs;
    std::vector<storage::DirectRow> direct;
    std::vector<std::string> signals;  // not of the store, and never sent again [INBOX-5]
    std::size_t items = 0;
    std::size_t octets = 0;  // of events and contents
    bool is_cut = false;     // there may be more than what the limits left room for
    Millis due = 0;          // when the first of what waits for the clock may go; 0: nothing does
    // Channels whose logs are owed beyond this batch: held back, or without room.
    std::set<std::int64_t> logs_left;

    void note_due(Millis at) { due = due == 0 ? at : std::min(due, at); }
    [[nodiscard]] bool empty() const
    {
        return submissions.empty() && logs.empty() && direct.empty() && signals.empty();
    }
};

// Which direct events keep their order among each other: those of one author to one user; to a
// server, those of one type. What one of them waits for, no other has to.
[[nodiscard]] std::string sequence_of(const storage::DirectRow& row);

// On a reader.
[[nodiscard]] Result<BatchDraft> read_batch(storage::Connection& db, const ServerName& self,
                                            const ServerName& peer, const BatchLimits& limits,
                                            const Held& held);

[[nodiscard]] protocol::OutgoingTransaction sign_batch(const BatchDraft& draft,
                                                       const Identity& identity, Millis now);

// The entries behind `after` as this server can prove them: to where it signs itself, and of an
// epoch that another server has ordered to a checkpoint that it holds; none where it holds none.
[[nodiscard]] Result<LogPart> read_provable(storage::Connection& db, const ServerName& self,
                                            storage::ChannelRow channel, std::int64_t after,
                                            storage::PageLimits limits);

// The slice for a page as the home sends it, its own checkpoint's leaf added to `leaves`
// and the other roots to `roots` behind the place of the home's own, which is 0.
[[nodiscard]] protocol::Slice home_slice(const LogPart& part, protocol::RootBuilder& leaves,
                                         storage::RunProofs& roots);

}  // namespace entente::federation
