// Channels and their logs on the writer's side: heads and states kept in memory between
// commits, the entries that the jobs of one commit add gathered into one run per channel.
// Decides nothing: who may append what is federation/home_log's and federation/follower_log's
// business. Used on the writer's thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/channel_state.hpp"
#include "protocol/slice.hpp"
#include "storage/commit_marks.hpp"
#include "storage/event_index.hpp"
#include "storage/group_commit.hpp"
#include "storage/run_codec.hpp"
#include "storage/stall_store.hpp"
#include "storage/stored_entry.hpp"

namespace entente::storage {

// A run's body ends with the entry that reaches this: erasing a content writes its run anew.
inline constexpr std::size_t max_run_octets = 64 * 1024;

// What a user is to a channel: the `standing` column.
enum class Standing : std::uint8_t { member, moderator, owner, invited, banned, left };

// A channel as the writer holds it.
struct LiveChannel {
    std::int64_t id = 0;
    protocol::ChannelId name;
    protocol::ServerName home;
    std::int64_t floor = 0;
    bool frozen = false;
    std::int64_t epoch = 1;  // in which the log goes on
    std::int64_t seq = 0;
    std::string hash;
    protocol::Millis at = 0;
    protocol::ChannelState state;
    std::set<protocol::ServerName> followers;  // servers with a cursor
    std::optional<Stall> stall;                // [LOG-1] its home's slices are refused
    bool held = false;                         // [LOG-5] homed here, and nothing is appended now
    bool has_submissions = false;              // own users' events were or are kept beside it

    // What this transaction has added so far.
    std::int64_t run_first = 0;
    std::int64_t run_epoch = 1;  // and its home: a move may have ended both since
    protocol::ServerName run_home;
    std::string run_prev_hash;
    std::vector<StoredEntry> added;
    RunProofs proofs;
    std::vector<std::string> users;  // of the changes
    bool meta_changed = false;
    bool dirty = false;
};

// What one commit added to one channel, for those who follow it live.
struct CommittedRun {
    std::int64_t channel_id = 0;  // its row
    protocol::ChannelId channel;
    protocol::ServerName home;
    std::vector<StoredEntry> entries;
    std::vector<protocol::ServerName> followers;
    std::vector<std::string> users;  // whose membership, invitation or ban changed
};

class ChannelLogStore final : public Participant {
 public:
    // `on_committed` runs on the I/O executor, after the commit, before the completions of
    // the jobs that made it; the run's entries are its to take. Without an index no event is
    // found by its id.
    ChannelLogStore(EventIndex* index, protocol::NameRules rules, std::size_t max_cached_channels,
                    std::function<void(CommittedRun&)> on_committed);
    // Where the newest run is remembered outside of the database; outlives it.
    void remember(CommitMarks* marks) { marks_ = marks; }

    // `not_found` where this server doesn't hold the channel. The pointer is good for the
    // rest of the transaction.
    [[nodiscard]] Result<LiveChannel*> find(Connection& db, const protocol::ChannelId& name);

    // A channel that is new here: made by one of our users, or followed from `floor` on,
    // with the hash and the state at the floor.
    struct NewLog {
        protocol::ChannelId name;
        protocol::ServerName home;
        std::int64_t epoch = 1;
        std::int64_t floor = 0;
        std::string hash;
        protocol::Millis at = 0;
        protocol::ChannelState state;
    };
    [[nodiscard]] Result<LiveChannel*> create(Connection& db, NewLog log);

    // A follower that comes back after an absence: its log goes on behind a hole. A freeze
    // stays [LOG-4].
    [[nodiscard]] Result<void> reset_to(Connection& db, LiveChannel& channel, NewLog log);

    // The seq under which (origin, txn) stands in the log, nothing where it doesn't.
    [[nodiscard]] Result<std::optional<std::int64_t>> find_txn(Connection& db,
                                                               const LiveChannel& channel,
                                                               const protocol::ServerName& origin,
                                                               const protocol::Uuid& txn);
    // An entry that is held, those of this transaction included; `not_found`.
    [[nodiscard]] Result<StoredEntry> entry_at(Connection& db, const LiveChannel& channel,
                                               std::int64_t seq);
    // The entry hash at a seq that is held (or the floor); `not_found`.
    [[nodiscard]] Result<std::string> hash_at(Connection& db, const LiveChannel& channel,
                                              std::int64_t seq);
    // The epoch in which the log goes on behind a seq that is held.
    [[nodiscard]] Result<std::int64_t> epoch_behind(Connection& db, const LiveChannel& channel,
                                                    std::int64_t seq);
    // By event id, through the derived index; `not_found`, `unavailable` while that is made.
    [[nodiscard]] Result<StoredEntry> entry_by_id(Connection& db, const LiveChannel& channel,
                                                  const protocol::Hash& event_id);

    // Adds the next entry: head, hash chain, duplicate memory and memberships follow. The
    // state in `channel` has been changed already, as `change` says. Where it names another
    // home than before, the entry is its epoch's last one [SUC-2].
    struct Addition {
        protocol::Entry entry;
        protocol::Hash event_id{};
        protocol::ServerName origin;        // of the sender
        std::optional<protocol::Uuid> txn;  // nothing where it can't be read
        protocol::StateChange change;
        bool leave = false;  // the users of `change` left of themselves
    };
    [[nodiscard]] Result<void> append(Connection& db, LiveChannel& channel, Addition addition);
    // What proves entries of this transaction; `root` is the JWS that the seal's or the
    // checkpoint's proof leads to.
    void add_seal(LiveChannel& channel, protocol::Seal seal, std::string_view root);
    void set_checkpoint(LiveChannel& channel, protocol::Checkpoint checkpoint,
                        std::string_view root);
    void freeze(LiveChannel& channel);
    void thaw(LiveChannel& channel);
    // Nothing: it goes on.
    [[nodiscard]] Result<void> set_stall(Connection& db, LiveChannel& channel,
                                         std::optional<Stall> stall);
    // [LOG-5] Nothing is appended while it is held.
    [[nodiscard]] Result<void> set_held(Connection& db, LiveChannel& channel, bool held);
    // A row of `submission` is of this channel from now on.
    void note_submission(LiveChannel& channel);
    // Its cursor goes in this transaction.
    void add_follower(LiveChannel& channel, const protocol::ServerName& server);
    void forget_follower(LiveChannel& channel, const protocol::ServerName& server);
    // The content of an entry goes, its event stays: `deleted_by` is the entry that deletes it
    // [MEM-4]. What isn't held is passed over. Of files too, soon after the commit.
    void erase(LiveChannel& channel, std::int64_t seq, std::int64_t deleted_by);
    // The same for entries of a channel's row, none of this transaction's own; `deleted_by` 0:
    // their retention has ended.
    void erase_stored(std::int64_t channel, const std::vector<std::int64_t>& entries,
                      std::int64_t deleted_by);
    // For who has changed a channel and can't go on: nothing of this transaction stands.
    void abandon(LiveChannel& channel, const Error& error);

    // Nothing where it has none yet; server_id() gives it one, which has its pin stay for ever.
    [[nodiscard]] Result<std::optional<std::int64_t>> find_server_id(
        Connection& db, const protocol::ServerName& name);
    [[nodiscard]] Result<std::int64_t> server_id(Connection& db, const protocol::ServerName& name);

    Result<void> flush(WriteTransaction& transaction) override;
    void rolled_back() override;
    void committed() override;

 private:
    [[nodiscard]] Result<std::unique_ptr<LiveChannel>> load(Connection& db,
                                                            const protocol::ChannelId& name);
    [[nodiscard]] Result<void> write_channel(Connection& db, LiveChannel& channel);
    [[nodiscard]] Result<void> write_run(Connection& db, LiveChannel& channel);
    [[nodiscard]] Result<void> end_epoch(Connection& db, LiveChannel& channel);
    [[nodiscard]] Result<void> write_meta(Connection& db, LiveChannel& channel);
    void note_erasure(std::int64_t channel, std::int64_t seq, std::int64_t deleted_by);
    [[nodiscard]] Result<void> write_erasures(Connection& db);
    [[nodiscard]] StoredEntry as_erased(std::int64_t channel, StoredEntry stored) const;
    [[nodiscard]] Result<void> write_standings(Connection& db, LiveChannel& channel,
                                               const Addition& addition);
    [[nodiscard]] Result<void> keep(Result<void> result);
    void touch(LiveChannel& channel);
    void evict();

    EventIndex* index_;
    CommitMarks* marks_ = nullptr;
    protocol::NameRules rules_;
    std::size_t max_cached_;
    std::function<void(CommittedRun&)> on_committed_;

    using Lru = std::list<std::unique_ptr<LiveChannel>>;
    Lru cached_;  // most recently used first
    std::unordered_map<protocol::ChannelId, Lru::iterator> by_name_;
    std::unordered_map<protocol::ServerName, std::int64_t> server_ids_;
    std::vector<LiveChannel*> dirty_;
    std::vector<IndexedEvent> to_index_;
    IndexMark newest_run_;                                // of this transaction; 0: it has none
    std::vector<std::shared_ptr<CommittedRun>> written_;  // runs of this transaction
    // Of stored entries in this transaction: (channel, seq) → deleted_by, 0 where expired.
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> erasures_;
    // A statement that failed half-way through a job's effect: the commit must not stand.
    std::optional<Error> broken_;
};

}  // namespace entente::storage
