// What a server's own users do with channels, wherever a channel is homed: the client
// API's door to the federation floor. A change to a channel homed here is appended to
// its log; one homed elsewhere is stored as a pending submission. Either is durable
// when the call returns; nothing is signed on this path. Does not authenticate.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "protocol/channel_state.hpp"
#include "protocol/names.hpp"
#include "protocol/result.hpp"
#include "trust/policy/attributes.hpp"

namespace entente::federation {

namespace asio = boost::asio;
using protocol::ChannelId;
using protocol::Hash;
using protocol::Millis;
using protocol::ServerName;
using protocol::UserId;
using protocol::Uuid;

// Where an event stands [RETRY-2].
enum class DeliveryState : std::uint8_t { pending, accepted, rejected };

struct Posted {
    Hash event_id{};
    DeliveryState state = DeliveryState::pending;
    std::int64_t seq = 0;          // accepted
    std::optional<Error> problem;  // rejected
    bool overdue = false;          // pending for a week [RETRY-1]
};

struct Delivery {
    ChannelId channel;
    Hash event_id{};
    DeliveryState state = DeliveryState::pending;
    std::int64_t seq = 0;
    std::optional<Error> problem;
    std::map<std::string, bool> servers;  // follower server → has it, as far as is known here
    bool overdue = false;                 // as in Posted
};

// A channel whose home's slices have been refused for a day or longer [LOG-1].
struct Stalled {
    Millis since = 0;  // the first refusal
    Error problem;     // the last one's
};

// One entry as a client sees it.
struct ClientEntry {
    std::int64_t seq = 0;
    Millis at = 0;  // the home's
    Hash event_id{};
    std::string event;  // octets
    std::optional<std::string> content;
    std::int64_t deleted_by = 0;
    bool expired = false;
    std::uint8_t marks = 0;  // bits of protocol::Mark
};
using ClientEntries = std::vector<ClientEntry>;

// How much one page of a log may bring: entries, and octets of events and contents; the
// first entry always.
struct PageSize {
    std::size_t entries = 50;
    std::size_t octets = 1'048'576;
};

struct ChannelSummary {
    ChannelId channel;
    ServerName home;
    std::string kind, name, topic, history, retention, encryption;
    std::vector<std::string> successors;  // [SUC-1]
    bool is_public = false;
    protocol::Role role = protocol::Role::member;
    std::int64_t latest = 0;         // newest seq held here
    std::int64_t visible_after = 0;  // the user sees entries with a greater seq
    std::int64_t member_count = 0;
    bool frozen = false;  // [LOG-4]
    std::optional<Stalled> stalled;
    std::int64_t read = 0;  // how far the user has read
};

struct ChannelMember {
    std::string user;
    protocol::Role role = protocol::Role::member;
    bool invited = false;  // invited, not yet a member
};

struct Invitation {
    ChannelId channel;
    ServerName home;
    std::string from;  // the inviting user
    std::string name, kind, encryption;
    std::int64_t members = 0;
    Millis at = 0;
};

struct NewChannel {
    std::string kind = "group";
    std::string name;
    bool is_public = false;
    std::string history = "since-join";
    std::string retention = "keep";
    std::string encryption = "none";
};

// A change to a channel that a user asks for, as an event of its log: the content is a JSON
// object without salt, `target` the event that it is about. channel_changes.hpp makes them.
struct ChannelChange {
    std::string type;
    std::string members;
    std::optional<Hash> target;
};

// A channel of the kind `dm` between two users.
struct DirectChannel {
    ChannelId channel;
    bool joined = false;  // else the user is invited into it
};

// [SUC-2] How an owner's wish that a channel moves to another home stands: `pending` until that
// one has consented, `accepted` with the entry that moved it, or `rejected`.
struct Moving {
    ServerName home;
    DeliveryState state = DeliveryState::pending;
    std::int64_t seq = 0;
    std::optional<Error> problem;
};

// What policies may ask about an own user who acts.
struct Person {
    trust::policy::ServerRole role = trust::policy::ServerRole::user;
    Millis since = 0;     // when the account was made; 0: that isn't known
    std::string network;  // where the request came from; empty: that isn't known
    // The account is deleted, and this server acts for it. No policy is asked: none may keep a
    // deleted account in a channel.
    bool is_deleted = false;
};

// Who acts, and under which retry identity [EVT-2].
struct Actor {
    UserId user;
    std::optional<Uuid> device;
    Uuid txn;
    Person person = {};
};

// Hears of what became durable, on the I/O executor, in log order for each channel.
class CommitListener {
 public:
    virtual ~CommitListener() = default;
    // Entries first_seq … first_seq + size − 1 of a channel.
    virtual void entries_committed(const ChannelId& channel,
                                   const std::shared_ptr<const ClientEntries>& entries) = 0;
    // An own user's event has moved: accepted, rejected or delivered further; or it is
    // still pending and now overdue.
    virtual void delivery_changed(const ChannelId& channel, const UserId& author,
                                  const Posted& posted) = 0;
    // Follower `server` now holds the channel up to `seq`.
    virtual void delivered_to(const ChannelId& channel, const ServerName& server,
                              std::int64_t seq) = 0;
    // An own user was invited (a list to be fetched anew), joined or left.
    virtual void membership_changed(const UserId& user) = 0;
    // A channel's home has shown two histories, and it goes on no more; or an administrator
    // lets it go on [LOG-4].
    virtual void channel_frozen(const ChannelId& channel, bool frozen) = 0;
    // A followed channel stands still; nothing: no longer so.
    virtual void channel_stalled(const ChannelId& channel,
                                 const std::optional<Stalled>& stalled) = 0;
};

class Channels {
 public:
    virtual ~Channels() = default;

    // A repeat with the same txn gives the first one's channel. `malformed` for bad values.
    virtual asio::awaitable<Result<ChannelId>> create(Actor actor, NewChannel channel) = 0;
    // `not_found` where the user may not know of the channel; `forbidden`; `conflict` where
    // the invitee is a member already.
    virtual asio::awaitable<Result<Posted>> invite(Actor actor, ChannelId channel,
                                                   UserId invitee) = 0;
    // Of an invitation or a public channel; `pending` while its home hasn't answered.
    virtual asio::awaitable<Result<Posted>> join(Actor actor, ChannelId channel) = 0;
    virtual asio::awaitable<Result<Posted>> leave(Actor actor, ChannelId channel) = 0;
    // Any other change (section 8): `forbidden`, `not_member`, `not_found` and `malformed` are
    // its home's word, so for a channel that is homed elsewhere they come later, by delivery.
    virtual asio::awaitable<Result<Posted>> change(Actor actor, ChannelId channel,
                                                   ChannelChange change) = 0;
    // Asks `home` to take the channel, in the place of what was asked before; then it moves. A
    // repeat with the same txn tells how that stands. `not_home` where the channel is homed
    // elsewhere, `forbidden` for who isn't an owner and for a server that has no member in it.
    virtual asio::awaitable<Result<Moving>> move(Actor actor, ChannelId channel,
                                                 ServerName home) = 0;
    // The last wish; `not_found` where there was none.
    virtual asio::awaitable<Result<Moving>> moving(UserId user, ChannelId channel) = 0;
    // The dm of `user` with `peer`: one that both are in before one that waits for a join, the
    // older before the newer. Nothing where there is none, or one of them has left it.
    virtual asio::awaitable<Result<std::optional<DirectChannel>>> find_direct(UserId user,
                                                                              UserId peer) = 0;
    // The same, made with `peer` invited where there was none: once, however many ask at once.
    // Of `about` kind and name are ours. `not_found` for a user of this server who isn't there,
    // `malformed` for oneself.
    virtual asio::awaitable<Result<DirectChannel>> make_direct(Actor actor, UserId peer,
                                                               NewChannel about) = 0;
    // `content` is a JSON object without salt; it is given one. At most 60 KiB: `too_large`.
    // `rate_limited` over the quota of unsent submissions [RETRY-3].
    virtual asio::awaitable<Result<Posted>> post(Actor actor, ChannelId channel,
                                                 std::string content) = 0;
    // Several posts of one user in one commit; a result each, in order.
    struct Post {
        Actor actor;
        ChannelId channel;
        std::string content;
    };
    virtual asio::awaitable<std::vector<Result<Posted>>> post_all(std::vector<Post> posts) = 0;

    virtual asio::awaitable<Result<std::vector<ChannelSummary>>> list(UserId user) = 0;
    virtual asio::awaitable<Result<ChannelSummary>> get(UserId user, ChannelId channel) = 0;
    // Sorted by user; `after` is the last user of the page before, empty for the first.
    virtual asio::awaitable<Result<std::vector<ChannelMember>>> members(UserId user,
                                                                        ChannelId channel,
                                                                        std::string after,
                                                                        std::size_t limit) = 0;
    virtual asio::awaitable<Result<std::vector<Invitation>>> invitations(UserId user) = 0;

    // Entries after `after` in rising order; only what the user may see. `conflict` where the
    // log ends before `after`: older data has been put back. `page_before` gives the
    // newest ones below `before`, rising too.
    virtual asio::awaitable<Result<ClientEntries>> page_after(UserId user, ChannelId channel,
                                                              std::int64_t after,
                                                              PageSize size) = 0;
    virtual asio::awaitable<Result<ClientEntries>> page_before(UserId user, ChannelId channel,
                                                               std::int64_t before,
                                                               PageSize size) = 0;
    virtual asio::awaitable<Result<Delivery>> delivery(UserId user, Hash event_id) = 0;
    // [RETRY-1] The user's events that are overdue, the oldest first, at most 100.
    virtual asio::awaitable<Result<std::vector<Delivery>>> overdue(UserId user) = 0;

    // A device of the user has the channel up to `seq`. Remembered where the channel's retention
    // is `relay`, and not at once.
    virtual void acknowledge(const UserId& user, const Uuid& device, const ChannelId& channel,
                             std::int64_t seq) = 0;

    // Listeners live longer than this object's last commit.
    virtual void listen(CommitListener& listener) = 0;
};

}  // namespace entente::federation
