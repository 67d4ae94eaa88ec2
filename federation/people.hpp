// What a server's own users do with people and devices, wherever those are homed: the client
// API's second door to the federation floor, beside Channels. Does not authenticate, and
// leaves to the API what concerns nobody but the caller's own account.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/channels.hpp"
#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "protocol/octets.hpp"
#include "protocol/people_queries.hpp"
#include "protocol/result.hpp"
#include "protocol/signal.hpp"

namespace entente::federation {

namespace asio = boost::asio;

// A device of ours that has few one-time keys of a kind left.
struct LowKeys {
    protocol::UserId user;
    protocol::Uuid device;
    std::string kind;
    std::int64_t left = 0;
};

// Hears of what concerns own users' devices once it is durable, on the I/O executor.
class PeopleListener {
 public:
    virtual ~PeopleListener() = default;
    virtual void keys_low(const LowKeys& low) = 0;
    // A device's mailbox has grown.
    virtual void mail_came(const protocol::UserId& user, const protocol::Uuid& device) = 0;
    // A user of any server, or his devices, have changed; `audience` are the own users whom it
    // concerns.
    virtual void user_changed(const protocol::UserId& user,
                              const std::vector<protocol::UserId>& audience) = 0;
    virtual void signalled(const protocol::LiveSignal& signal) = 0;
};

// A claim's answer, with why where its server could not be asked.
struct ClaimResult {
    protocol::ClaimedKey key;
    std::optional<Error> problem;
};

// A message to one device, of this server or another.
struct DeviceSend {
    protocol::UserId user;
    protocol::Uuid device;
    std::string message;                // a JSON object
    std::optional<Error> refusal = {};  // by policies: the message is refused as that
};

struct SendResult {
    // In the device's mailbox; durable here, on its way; not taken, and why.
    enum class State : std::uint8_t { accepted, pending, refused };
    State state = State::refused;
    std::optional<Error> problem;
};

// What a user tells moderators of another one.
struct Report {
    protocol::UserId user;
    std::optional<protocol::ChannelId> channel;
    std::optional<protocol::Hash> event;
    std::string reason;
    std::string proof{};  // of the event, as a JSON object; may be empty
};

// What a device finds in its mailbox. With `problem` it is no message: one that the device
// had sent was refused, and `body` says which.
struct MailItem {
    std::int64_t number = 0;
    std::string from;
    std::string from_device;  // a UUID, or empty
    protocol::Millis at = 0;
    std::string problem;  // a code's name
    std::string body;     // JSON
};

class People {
 public:
    virtual ~People() = default;

    // What a user shows of himself and his devices, by this server or by his own.
    // `not_found`; his server's refusals; `unavailable` where it doesn't answer.
    virtual asio::awaitable<Result<protocol::ShownUser>> look_up(protocol::UserId user) = 0;
    // One result per claim, in order; a server that doesn't answer fails its claims alone. A
    // repeat under the same txn gets the same keys, for 10 minutes at least.
    virtual asio::awaitable<Result<std::vector<ClaimResult>>> claim(protocol::UserId asker,
                                                                    protocol::KeyClaims claims) = 0;

    // One result per message, in order. A message is stored once however often it comes under
    // the same txn, for 30 days: a repeat gets what the first one got, but for what was
    // refused, which is tried anew. `rate_limited` where a mailbox here is full, or where too
    // many wait for a server that is away; `not_found` for no such device here; `too_large`.
    virtual asio::awaitable<Result<std::vector<SendResult>>> send(
        Actor actor, std::vector<DeviceSend> messages) = 0;
    // What waits for a device of an own user behind `after`, rising; at most `limit` and about
    // 128 KiB.
    virtual asio::awaitable<Result<std::vector<MailItem>>> mail_after(protocol::UserId user,
                                                                      protocol::Uuid device,
                                                                      std::int64_t after,
                                                                      std::size_t limit) = 0;
    // Those up to `number` have arrived and are forgotten; `malformed` for one that was never
    // given.
    virtual asio::awaitable<Result<void>> acknowledge(protocol::UserId user, protocol::Uuid device,
                                                      std::int64_t number) = 0;

    // What a job of the caller's has put as an announcement (storage/announcement_store.hpp)
    // is durable: own devices hear of it, and the servers that share a channel with `user`.
    virtual void changed(const protocol::UserId& user) = 0;
    // [INBOX-5] `not_found` where one is for a channel that the user may not know of, `forbidden`
    // and `rate_limited` as policies say; the others go out all the same.
    virtual asio::awaitable<Result<void>> signal(protocol::UserId user, Person person,
                                                 std::vector<protocol::LiveSignal> signals) = 0;
    // To the moderators of this server and of the reported user's; once per txn. `not_found`
    // for no such user here.
    virtual asio::awaitable<Result<void>> report(Actor actor, Report report) = 0;

    // Listeners live longer than this object's last commit.
    virtual void listen(PeopleListener& listener) = 0;
};

}  // namespace entente::federation
