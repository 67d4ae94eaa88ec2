// Who is calling: opens, refreshes and ends sessions, checks access tokens against the
// sessions that live, hands out WebSocket tickets. Knows no routes and no passwords.
//
// The token key is 32 random octets in the database (`account_secret`, "token-key"), made
// at the first start: tokens survive restarts, and daemons that share a database take
// each other's. Who can read the database could sign tokens, but could read everything
// that a token opens as well.
//
// Sessions that were seen lately are remembered, so that a request costs no query; what
// ends a session forgets it here too. For the I/O executor.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/access_token.hpp"
#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "storage/account_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::api {

namespace asio = boost::asio;

inline constexpr protocol::Millis session_life_ms = 30LL * 86'400'000;  // since the last refresh
inline constexpr protocol::Millis ticket_life_ms = 30'000;
inline constexpr std::size_t max_tickets = 10'000;
inline constexpr std::size_t max_remembered_sessions = 20'000;
inline constexpr std::size_t max_remembered_tokens = 20'000;

struct Caller {
    protocol::UserId user;
    std::int64_t account = 0;
    storage::AccountRole role = storage::AccountRole::user;
    protocol::Uuid device;
    protocol::Uuid session;
    protocol::Millis since = 0;  // when the account was made
    std::string network;         // where the request came from: an IPv4 address or an IPv6 /64
};

struct Tokens {
    std::string access;
    std::string refresh;
    protocol::UserId user;
    protocol::Uuid session;
    storage::AccountRole role = storage::AccountRole::user;
};

class Sessions {
 public:
    Sessions(storage::GroupCommit& commit, const protocol::Clock& clock, protocol::Random& random,
             protocol::ServerName server);

    // Reads or makes the token key. Until it succeeded every token is `unavailable`.
    asio::awaitable<Result<void>> start();

    // `unauthenticated` where the account is no longer as `account` says. `new_password_hash`
    // takes the place of its password; empty: it stays.
    asio::awaitable<Result<Tokens>> open(storage::Account account, storage::DeviceInfo device,
                                         std::string new_password_hash = {});
    // `unauthenticated` for an unknown token, and for an old one, whose session then ends.
    asio::awaitable<Result<Tokens>> refresh(std::string token);
    // Value of an Authorization field; `unauthenticated`.
    asio::awaitable<Result<Caller>> authenticate(std::string_view authorization);
    // `unauthenticated` where it has ended.
    asio::awaitable<Result<void>> check_live(protocol::Uuid session);
    asio::awaitable<Result<void>> end(protocol::Uuid session);
    asio::awaitable<Result<void>> end_all(std::int64_t account);
    // Revokes a device of the account, which is the user's; its sessions end, and other servers
    // are to be told. `not_found`.
    asio::awaitable<Result<void>> end_device(protocol::UserId user, std::int64_t account,
                                             protocol::Uuid device);
    // What is remembered of an account's sessions is read anew: its role or state has changed.
    void forget_account(std::int64_t account);
    // Sessions that a job of the caller's has ended, or that can't be used for now: they are
    // forgotten, and their sockets closed.
    void tell_ended(const std::vector<protocol::Uuid>& sessions);
    // Called with every session that ends here, after it is durable.
    void on_ended(std::function<void(const protocol::Uuid&)> listener);

    // One use, 30 s. `rate_limited` while 10,000 are out.
    [[nodiscard]] Result<std::string> issue_ticket(const Caller& caller);
    // Whose it is, and that its session still lives; `unauthenticated`.
    asio::awaitable<Result<Caller>> take_ticket(std::string ticket);
    // Forgets expired sessions in the store; for a timer, some at a time.
    asio::awaitable<Result<std::int64_t>> sweep();

 private:
    struct Remembered {
        storage::SessionInfo session;
        protocol::KeyId key;
    };
    struct Ticket {
        Caller caller;
        protocol::Millis expires = 0;
    };

    [[nodiscard]] Result<AccessClaims> claims_of(std::string_view token);
    asio::awaitable<Result<Remembered>> live_session(protocol::Uuid id);
    [[nodiscard]] Caller caller_of(const storage::SessionInfo& session) const;
    [[nodiscard]] Result<Tokens> tokens_for(const storage::SessionInfo& session,
                                            std::string refresh) const;
    [[nodiscard]] std::string fresh_secret();
    void forget(const protocol::Uuid& session);

    storage::GroupCommit& commit_;
    const protocol::Clock& clock_;
    protocol::Random& random_;
    protocol::ServerName server_;
    std::optional<protocol::SigningKey> key_;
    std::function<void(const protocol::Uuid&)> ended_;
    std::unordered_map<protocol::Uuid, Remembered> remembered_;
    // What a verified token says, by its SHA-256, until it ends: its signature is checked once.
    std::unordered_map<std::string, AccessClaims> verified_;
    // Counts forgettings: an answer read before one must not be remembered after it.
    std::uint64_t forgotten_ = 0;
    std::unordered_map<std::string, Ticket> tickets_;  // by SHA-256 of the ticket
};

}  // namespace entente::api
