// Direct events [INBOX-4]: what one server tells another outside of any channel. Each
// (origin, txn) is taken once. What a type means is its handler's business, but for `invite`,
// which is dealt with here; types without a handler are `ignored`.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "federation/identity.hpp"
#include "protocol/transaction.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"
#include "storage/incoming_store.hpp"
#include "trust/policy/enforcer.hpp"
#include "trust/tier.hpp"

namespace entente::federation {

// Of a channel's name, which may be longer, the home sends the beginning [INBOX-4].
inline constexpr std::size_t max_invitation_name_octets = 512;
inline constexpr std::size_t max_encryption_octets = 32;
// Those that came through, and those that wait as requests: so strangers take no room of the first.
// One home gets at most half of what is free, or few would keep out everybody else.
inline constexpr std::int64_t max_invitations_per_user = 500;
inline constexpr std::int64_t max_requests_per_user = 300;
inline constexpr std::int64_t max_requests_of_home = 100;

inline constexpr Millis direct_memory_ms = Millis{30} * 24 * 3600 * 1000;

// A direct event whose form, content and sender hold, or why they don't.
struct VerifiedDirect {
    std::optional<protocol::Hash> id;
    std::optional<protocol::Event> event;
    std::optional<storage::InvitationRow> invitation;  // of an `invite`
    std::string content;                               // of a type with a handler
    trust::Tier tier = trust::Tier::guest;             // of the origin
    Error problem;
    bool depends_on_time = false;  // the problem: at another time there might be none
};

// The effect of one type, within the transaction that remembers the event. An error leaves
// nothing behind and refuses the event for good, but for trouble of our own.
using DirectHandler =
    std::function<Result<void>(storage::WriteTransaction& transaction, const VerifiedDirect& direct,
                               const ServerName& origin)>;

// What of one type can be judged by arithmetic, before the writer sees it and on any thread.
// `own`: this server's keys, those that it has replaced among them. An error refuses the event.
using DirectCheck =
    std::function<Result<void>(const VerifiedDirect& direct, const std::vector<KeyRef>& own)>;

class Direct {
 public:
    // `invited` runs after the commit.
    Direct(const Identity& identity, storage::ChannelLogStore& store, const protocol::Clock& clock,
           std::function<void(const protocol::UserId& user)> invited,
           trust::policy::Enforcer* policies = nullptr);

    // Before the first event. A type with nothing but an answer is dealt with anew when it is
    // repeated: the answer is as of then.
    enum class Repeat : bool { is_remembered, is_asked_again };
    void handle(std::string type, DirectHandler handler, Repeat repeat = Repeat::is_remembered);
    // Beside the handler of that type.
    void check_before(std::string type, DirectCheck check);
    // For any thread, with this server's keys as the I/O thread has seen them.
    [[nodiscard]] VerifiedDirect check(const protocol::Read<protocol::EventAndContent>& read,
                                       const ServerName& origin,
                                       const std::vector<KeyRef>& own) const;
    [[nodiscard]] protocol::EventResult take(storage::WriteTransaction& transaction,
                                             const VerifiedDirect& direct,
                                             const ServerName& origin);

 private:
    // Nothing where nobody knows the type.
    [[nodiscard]] Result<bool> apply(storage::WriteTransaction& transaction,
                                     const VerifiedDirect& direct, const ServerName& origin);
    [[nodiscard]] Result<void> take_invitation(storage::WriteTransaction& transaction,
                                               const VerifiedDirect& direct);
    // Whether the user has room for another one of this kind.
    [[nodiscard]] static Result<bool> has_room_for(storage::Connection& db,
                                                   const storage::InvitationRow& row);
    // What policies say of the invitation; where nobody is asked it comes through.
    [[nodiscard]] Result<trust::policy::Ruling> decide(storage::Connection& db,
                                                       const VerifiedDirect& direct) const;
    [[nodiscard]] Result<storage::InvitationRow> read_invitation(const protocol::Event& event,
                                                                 const std::string& content,
                                                                 const ServerName& origin) const;

    const Identity& identity_;
    storage::ChannelLogStore& store_;
    const protocol::Clock& clock_;
    std::function<void(const protocol::UserId& user)> invited_;
    trust::policy::Enforcer* policies_;
    std::map<std::string, DirectHandler> handlers_;
    std::map<std::string, DirectCheck> checks_;
    std::set<std::string> questions_;
};

}  // namespace entente::federation
