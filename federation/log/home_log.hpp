// A channel's home: decides what is appended to the log and gives it its place. On the
// writer's thread, within a group commit; everything that needs a signature or a key has
// been looked at before (verification.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "federation/event_policy.hpp"
#include "federation/identity.hpp"
#include "federation/item_results.hpp"
#include "federation/log/verification.hpp"
#include "protocol/channel_state.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

// Where an appended event stands. `is_new` is false for a duplicate.
struct Appended {
    std::int64_t seq = 0;
    bool is_new = false;
    protocol::StateChange change;
};

// What a first join's result carries [MEM-3]; the proof is added when the answer is signed.
// A snapshot without a state is too costly to make: the floor alone is told.
struct JoinGrant {
    protocol::Snapshot snapshot;
    std::int64_t floor = 0;
};

// What the submissions of one transaction have in common while they are taken in turn.
struct SubmissionTurn {
    // Senders whose later events in the channel wait too, so that order holds [INBOX-3].
    std::set<std::pair<protocol::ChannelId, std::string>> deferred;
    std::set<protocol::ChannelId> granted;    // a snapshot comes once per channel [MEM-3]
    trust::Tier tier = trust::Tier::trusted;  // of the origin
};

// [LOG-18] Whether entries are put back without contents whose erasure isn't shown: only where
// nobody else is left to ask.
enum class Missing : std::uint8_t { is_refused, is_taken };

// Whose event is to be appended, for policies.
struct Sending {
    const Person* person = nullptr;           // an own user
    trust::Tier tier = trust::Tier::trusted;  // else of its server
};

// Who must be woken when the commit is durable.
using Wake = std::function<void(const ServerName& server)>;

class HomeLog {
 public:
    // `asked` runs after the commit, for each moderator here of a channel that somebody waits to
    // join.
    HomeLog(const Identity& identity, storage::ChannelLogStore& store, const protocol::Clock& clock,
            protocol::Random& random, Wake wake, trust::policy::Enforcer* policies = nullptr,
            std::function<void(const protocol::UserId& moderator)> asked = {});

    // The octets of the event that stands in a log under that number; "" where none does.
    [[nodiscard]] Result<std::string> event_under(storage::Connection& db,
                                                  const protocol::ChannelId& channel,
                                                  const ServerName& origin,
                                                  const protocol::Uuid& txn);
    // Appends an event by one of this server's users or by one whose seal was verified. A
    // channel.move is the last that is appended here [SUC-2]: its consent has been verified.
    // The errors of apply_event, `equivocation` [EVT-2], `malformed` [EVT-5], `not_home`,
    // `superseded`. Of what the table of section 8 permits policies are asked, unless they have
    // been before (`sending` is null): `forbidden`, `rate_limited`; a join that is held for
    // moderators is shown to them and `forbidden` until one invites.
    [[nodiscard]] Result<Appended> append(storage::WriteTransaction& transaction,
                                          storage::LiveChannel& channel,
                                          const protocol::Event& event, std::string content,
                                          const Sending* sending = nullptr);

    // [LOG-5] What a follower holds of this log beyond its end, put back as it was: times,
    // events, seals and the checkpoint with its root. The slice has been verified against
    // this server's own keys. `signature_invalid` where it goes on from another end, `malformed`
    // where what the fold needs is missing.
    struct PutBack {
        std::int64_t added = 0;
        // [LOG-18] Nothing was added, for contents are missing whose erasure it doesn't show.
        bool lacks_contents = false;
    };
    [[nodiscard]] Result<PutBack> append_again(storage::WriteTransaction& transaction,
                                               storage::LiveChannel& channel,
                                               const VerifiedSlice& verified, Missing missing);

    // Own users' events that waited while the channel was held, in their order, at most
    // `limit`; each now stands in the log or is refused for good.
    struct Waited {
        std::vector<std::pair<storage::SubmissionRow, Result<std::int64_t>>> settled;  // seq
        bool more = false;  // not all: the channel stays held
    };
    [[nodiscard]] Result<Waited> append_waiting(storage::WriteTransaction& transaction,
                                                storage::LiveChannel& channel, std::size_t limit);

    struct SubmissionOutcome {
        protocol::SubmissionResult result;
        std::optional<JoinGrant> grant;  // for the event at `grant_index`
        std::size_t grant_index = 0;
    };
    // [INBOX-3] `budget` is how many of the events may be taken now [INBOX-8].
    [[nodiscard]] SubmissionOutcome take(storage::WriteTransaction& transaction,
                                         const VerifiedSubmission& submission,
                                         const ServerName& origin, SubmissionTurn& turn,
                                         std::size_t budget, std::int64_t budget_retry);

    // Whether the channel is homed here, as far as is known.
    [[nodiscard]] bool orders(storage::Connection& db, const protocol::ChannelId& channel);

 private:
    [[nodiscard]] Result<Appended> repeated(storage::Connection& db,
                                            const storage::LiveChannel& channel,
                                            const protocol::Event& event) const;
    [[nodiscard]] Result<Appended> take_event(storage::WriteTransaction& transaction,
                                              storage::LiveChannel& channel,
                                              const VerifiedEvent& item, const ServerName& origin,
                                              bool is_over_budget, std::int64_t budget_retry,
                                              const SubmissionTurn& turn);
    void grant_join(storage::Connection& db, storage::LiveChannel& channel,
                    const protocol::Event& event, const Appended& appended, bool starts_following,
                    SubmissionTurn& turn, SubmissionOutcome& outcome);
    [[nodiscard]] Result<bool> revive_following(storage::Connection& db,
                                                storage::LiveChannel& channel,
                                                const ServerName& server, std::int64_t seq);
    [[nodiscard]] Result<std::optional<Appended>> find_duplicate(
        storage::Connection& db, const storage::LiveChannel& channel, const protocol::Event& event);
    [[nodiscard]] Result<void> follow_up(storage::WriteTransaction& transaction,
                                         storage::LiveChannel& channel,
                                         const protocol::Event& event, const std::string& content,
                                         const protocol::StateChange& change);
    [[nodiscard]] Result<void> hand_over(storage::WriteTransaction& transaction,
                                         storage::LiveChannel& channel);
    [[nodiscard]] Result<Error> not_here(storage::Connection& db,
                                         const storage::LiveChannel& channel,
                                         const ServerName& origin) const;
    [[nodiscard]] Result<protocol::StateChange> append_entry_again(
        storage::WriteTransaction& transaction, storage::LiveChannel& channel,
        const protocol::Entry& entry, const protocol::FollowedEvent& followed);
    [[nodiscard]] Result<Appended> append_or_find(storage::WriteTransaction& transaction,
                                                  storage::LiveChannel& channel,
                                                  const storage::SubmissionRow& row);
    // What policies say of an event that the table permits; what they hold is refused, and kept for
    // the moderators.
    [[nodiscard]] Result<void> permit(storage::WriteTransaction& transaction,
                                      const storage::LiveChannel& channel,
                                      const protocol::Event& event, std::string_view content,
                                      const protocol::TargetFacts* target,
                                      const Sending& sending) const;
    // Refused, kept for the moderators and told to those who are users here.
    [[nodiscard]] Result<void> ask_moderators(storage::WriteTransaction& transaction,
                                              const storage::LiveChannel& channel,
                                              const protocol::Event& event) const;
    [[nodiscard]] Result<Appended> append_waited(storage::WriteTransaction& transaction,
                                                 storage::LiveChannel& channel,
                                                 const protocol::Event& event,
                                                 const storage::SubmissionRow& row);
    [[nodiscard]] bool may_repeat_invitation(const storage::LiveChannel& channel,
                                             const std::string& invitee);
    [[nodiscard]] Result<void> send_invitation(storage::WriteTransaction& transaction,
                                               storage::LiveChannel& channel,
                                               const protocol::Event& event,
                                               const std::string& content,
                                               const std::string& invitee);
    [[nodiscard]] Result<void> withdraw_invitation(storage::WriteTransaction& transaction,
                                                   storage::LiveChannel& channel,
                                                   const std::string& invitee);
    [[nodiscard]] Result<JoinGrant> grant(storage::Connection& db, storage::LiveChannel& channel,
                                          std::int64_t seq, const ServerName& server);
    void take_events(storage::WriteTransaction& transaction, storage::LiveChannel& channel,
                     const VerifiedSubmission& submission, const ServerName& origin,
                     SubmissionTurn& turn, std::size_t budget, std::int64_t budget_retry,
                     SubmissionOutcome& outcome);

    const Identity& identity_;
    storage::ChannelLogStore& store_;
    const protocol::Clock& clock_;
    protocol::Random& random_;
    Wake wake_;
    trust::policy::Enforcer* policies_;  // nothing: nobody is asked
    std::function<void(const protocol::UserId& moderator)> asked_;
    // When an invitation was last sent again, by channel and user.
    std::map<std::pair<std::int64_t, std::string>, Millis> repeated_;
};

// [MEM-17] Open invitations of a channel up to which any member may invite; beyond them
// moderators may.
inline constexpr std::size_t max_invited_by_members = 500;

// An invitation of who is invited already is sent again at most once in so long, and of so many
// that is remembered: who invites must not spend this server's standing with another.
inline constexpr Millis invitation_repeat_ms = 3'600'000;
inline constexpr std::size_t max_repeated_invitations = 10'000;

// For how long submissions to a held channel are put off at a time.
inline constexpr std::int64_t held_retry_seconds = 2;

// The same while a channel's new home hasn't taken it yet [SUC-7].
inline constexpr std::int64_t moving_retry_seconds = 1;
inline constexpr std::int64_t longest_moving_retry_seconds = 60;
// Where the new home stays away it grows to an eighth of the time since the move.
[[nodiscard]] std::int64_t moving_retry(Millis since_move);

}  // namespace entente::federation
