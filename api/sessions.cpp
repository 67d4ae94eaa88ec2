#include "api/sessions.hpp"

#include <utility>
#include <vector>

#include "federation/people/announcer.hpp"
#include "protocol/octets.hpp"
#include "storage/announcement_store.hpp"
#include "storage/device_store.hpp"

namespace entente::api {
namespace {

using protocol::Uuid;
using storage::Connection;
using storage::WriteTransaction;

constexpr const char* token_key_name = "token-key";
constexpr std::size_t secret_octets = 32;
constexpr std::int64_t sweep_batch = 200;

protocol::Failure unauthenticated(std::string detail, std::string hint)
{
    return protocol::Failure{Error{Code::unauthenticated, std::move(detail), std::move(hint), 0}};
}

// By it secrets are looked up: how long that takes says nothing of them.
std::string digest_of(std::string_view secret)
{
    return std::string{protocol::as_view(protocol::sha256(secret))};
}

struct OpenSession {
    storage::Account account;
    storage::NewSession session;
    std::string new_password_hash;

    Result<void> operator()(WriteTransaction& transaction) const
    {
        auto& db = transaction.db();
        if (auto still = storage::check_login(db, account); !still) return still;
        auto made = storage::create_session(db, session);
        if (!made || new_password_hash.empty()) return made;
        return storage::set_password(db, account.id, new_password_hash);
    }
};

}  // namespace

Sessions::Sessions(storage::GroupCommit& commit, const protocol::Clock& clock,
                   protocol::Random& random, protocol::ServerName server)
    : commit_(commit), clock_(clock), random_(random), server_(std::move(server))
{
}

asio::awaitable<Result<void>> Sessions::start()
{
    auto job = [fresh = random_.octets(secret_octets)](WriteTransaction& transaction) {
        return storage::find_or_store_secret(transaction.db(), token_key_name, fresh);
    };
    auto seed = co_await commit_.write(std::move(job));
    if (!seed) co_return fail(seed);
    auto key = protocol::SigningKey::from_seed(*seed);
    if (!key) co_return fail(key);
    key_ = std::move(*key);
    co_return Result<void>{};
}

std::string Sessions::fresh_secret()
{
    return protocol::to_base64url(random_.octets(secret_octets));
}

Result<Tokens> Sessions::tokens_for(const storage::SessionInfo& session, std::string refresh) const
{
    if (!key_) return retry_later(Code::unavailable, "the token key is not loaded", 1);
    auto device_key = protocol::PublicKey::from_octets(session.device_key);
    if (!device_key) return fail(Code::internal, "a stored device key is not valid");
    const auto caller = caller_of(session);
    AccessClaims claims{caller.user.str(),
                        session.device,
                        device_key->thumbprint(),
                        session.id,
                        std::string{storage::to_text(session.role)},
                        clock_.now_s(),
                        clock_.now_s() + access_token_life_s};
    return Tokens{write_access_token(*key_, claims), std::move(refresh), caller.user, session.id,
                  session.role};
}

asio::awaitable<Result<Tokens>> Sessions::open(storage::Account account, storage::DeviceInfo device,
                                               std::string new_password_hash)
{
    const auto now = clock_.now_ms();
    auto refresh = fresh_secret();
    storage::NewSession session{
        protocol::make_uuid7(now, random_), account.id, device,
        protocol::sha256(refresh),          now,        now + session_life_ms};
    storage::SessionInfo info{session.id,    account.id, account.localpart,  account.role,
                              device.device, device.key, session.expires_at, account.created_at};
    auto tokens = tokens_for(info, std::move(refresh));
    if (!tokens) co_return fail(tokens);
    OpenSession job{std::move(account), std::move(session), std::move(new_password_hash)};
    auto done = co_await commit_.write(std::move(job));
    if (!done) co_return fail(done);
    co_return std::move(*tokens);
}

asio::awaitable<Result<Tokens>> Sessions::refresh(std::string token)
{
    const auto now = clock_.now_ms();
    auto next = fresh_secret();
    auto job = [old_hash = protocol::sha256(token), new_hash = protocol::sha256(next),
                now](WriteTransaction& transaction) {
        return storage::rotate_refresh(transaction.db(), old_hash, new_hash, now,
                                       now + session_life_ms);
    };
    auto refreshed = co_await commit_.write(std::move(job));
    if (!refreshed) co_return fail(refreshed);
    switch (refreshed->outcome) {
        case storage::RefreshOutcome::rotated: {
            forget(refreshed->session->id);  // its end has moved
            co_return tokens_for(*refreshed->session, std::move(next));
        }
        case storage::RefreshOutcome::reused:
            forget(*refreshed->ended_session);
            if (ended_) ended_(*refreshed->ended_session);
            co_return unauthenticated("an old refresh token came again",
                                      "this refresh token was used before; its session has ended");
        case storage::RefreshOutcome::unknown: break;
    }
    co_return unauthenticated("unknown refresh token", "the refresh token is not valid");
}

asio::awaitable<Result<Sessions::Remembered>> Sessions::live_session(Uuid id)
{
    const auto now = clock_.now_ms();
    const auto found = remembered_.find(id);
    if (found != remembered_.end()) {
        if (found->second.session.expires_at > now) co_return found->second;
        remembered_.erase(found);
    }
    const auto forgotten = forgotten_;
    auto job = [id, now](Connection& db) { return storage::find_session(db, id, now); };
    auto session = co_await commit_.read(std::move(job));
    if (!session) {
        if (session.error().code != Code::not_found) co_return fail(session);
        co_return unauthenticated("session ended or unknown", "the session has ended");
    }
    auto key = protocol::PublicKey::from_octets(session->device_key);
    if (!key) co_return fail(Code::internal, "a stored device key is not valid");
    Remembered remembered{std::move(*session), key->thumbprint()};
    if (forgotten == forgotten_) {
        if (remembered_.size() >= max_remembered_sessions) remembered_.clear();
        remembered_.insert_or_assign(id, remembered);
    }
    co_return remembered;
}

Caller Sessions::caller_of(const storage::SessionInfo& session) const
{
    return Caller{protocol::UserId::trusted(session.localpart + "@" + server_.str()),
                  session.user,
                  session.role,
                  session.device,
                  session.id,
                  session.created_at,
                  {}};
}

Result<AccessClaims> Sessions::claims_of(std::string_view token)
{
    const auto now = clock_.now_s();
    auto name = digest_of(token);
    const auto found = verified_.find(name);
    if (found != verified_.end() && found->second.expires > now) return found->second;
    auto claims = check_access_token(token, key_->public_key(), now);
    if (!claims) return claims;
    if (verified_.size() >= max_remembered_tokens) verified_.clear();
    verified_.insert_or_assign(std::move(name), *claims);
    return claims;
}

asio::awaitable<Result<Caller>> Sessions::authenticate(std::string_view authorization)
{
    constexpr std::string_view scheme = "Bearer ";
    if (!key_) co_return retry_later(Code::unavailable, "the token key is not loaded", 1);
    if (!authorization.starts_with(scheme))
        co_return unauthenticated("no bearer token", "an access token is needed");
    auto claims = claims_of(authorization.substr(scheme.size()));
    if (!claims) co_return fail(claims);
    auto live = co_await live_session(claims->session);
    if (!live) co_return fail(live);
    auto caller = caller_of(live->session);
    if (caller.user.str() != claims->subject || caller.device != claims->device ||
        live->key != claims->key)
        co_return unauthenticated("token and session differ", "the access token is not valid");
    co_return caller;
}

asio::awaitable<Result<void>> Sessions::check_live(Uuid session)
{
    auto live = co_await live_session(session);
    if (!live) co_return fail(live);
    co_return Result<void>{};
}

asio::awaitable<Result<void>> Sessions::end(Uuid session)
{
    auto job = [session, now = clock_.now_ms()](WriteTransaction& transaction) {
        return storage::end_session(transaction.db(), session, now);
    };
    auto done = co_await commit_.write(std::move(job));
    if (!done) co_return fail(done);
    forget(session);
    if (ended_) ended_(session);
    co_return Result<void>{};
}

asio::awaitable<Result<void>> Sessions::end_all(std::int64_t account)
{
    auto job = [account, now = clock_.now_ms()](WriteTransaction& transaction) {
        return storage::end_sessions_of(transaction.db(), account, now);
    };
    auto ended = co_await commit_.write(std::move(job));
    if (!ended) co_return fail(ended);
    tell_ended(*ended);
    co_return Result<void>{};
}

asio::awaitable<Result<void>> Sessions::end_device(protocol::UserId user, std::int64_t account,
                                                   Uuid device)
{
    auto job = [user = std::move(user), account, device,
                now = clock_.now_ms()](WriteTransaction& transaction) -> Result<std::vector<Uuid>> {
        auto sessions = storage::revoke_device(transaction.db(), account, device, now);
        if (!sessions) return fail(sessions);
        auto noted =
            storage::put_announcement(transaction.db(), user.str(), federation::device_changed);
        if (!noted) return fail(noted);
        return sessions;
    };
    auto ended = co_await commit_.write(std::move(job));
    if (!ended) co_return fail(ended);
    tell_ended(*ended);
    co_return Result<void>{};
}

void Sessions::tell_ended(const std::vector<Uuid>& sessions)
{
    for (const auto& session : sessions) {
        forget(session);
        if (ended_) ended_(session);
    }
}

void Sessions::forget_account(std::int64_t account)
{
    ++forgotten_;
    std::erase_if(remembered_,
                  [account](const auto& entry) { return entry.second.session.user == account; });
}

void Sessions::forget(const Uuid& session)
{
    ++forgotten_;
    remembered_.erase(session);
}

void Sessions::on_ended(std::function<void(const Uuid&)> listener)
{
    ended_ = std::move(listener);
}

Result<std::string> Sessions::issue_ticket(const Caller& caller)
{
    const auto now = clock_.now_ms();
    if (tickets_.size() >= max_tickets)
        std::erase_if(tickets_, [now](const auto& entry) { return entry.second.expires <= now; });
    if (tickets_.size() >= max_tickets)
        return retry_later(Code::rate_limited, "too many tickets are out", 30);
    auto ticket = fresh_secret();
    tickets_.emplace(digest_of(ticket), Ticket{caller, now + ticket_life_ms});
    return ticket;
}

asio::awaitable<Result<Caller>> Sessions::take_ticket(std::string ticket)
{
    const auto found = tickets_.find(digest_of(ticket));
    if (found == tickets_.end())
        co_return unauthenticated("unknown ticket", "the ticket is not valid");
    auto taken = std::move(found->second);
    tickets_.erase(found);
    if (taken.expires <= clock_.now_ms())
        co_return unauthenticated("ticket is over", "the ticket is not valid");
    auto live = co_await live_session(taken.caller.session);
    if (!live) co_return fail(live);
    co_return std::move(taken.caller);
}

asio::awaitable<Result<std::int64_t>> Sessions::sweep()
{
    // A week's grace, so that what ended lately can still be told from what never was.
    auto job = [before = clock_.now_ms() - 7LL * 86'400'000](WriteTransaction& transaction) {
        return storage::sweep_sessions(transaction.db(), before, sweep_batch);
    };
    co_return co_await commit_.write(std::move(job));
}

}  // namespace entente::api
