#include "federation/people/local_people.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "federation/people/people_answers.hpp"
#include "protocol/octets.hpp"

namespace entente::federation {

namespace {

using protocol::ClaimedKey;
using protocol::UserId;

// How long a claim waits for other servers; what comes later is there for the repeat.
constexpr std::chrono::seconds claim_time{20};

// A refusal as the asking user may see it. Only what the server has signed is its word.
Error refusal_of(const Answer& answer)
{
    auto error = answer.problem.value_or(Error{Code::unavailable, "no answer", {}, 0});
    if (error.code == Code::blocked) error.code = Code::forbidden;
    if (error.code == Code::equivocation) error.code = Code::conflict;
    const bool is_final = error.code == Code::not_found || error.code == Code::forbidden ||
                          error.code == Code::conflict || error.code == Code::rate_limited;
    if (!answer.is_signed || !is_final) error.code = Code::unavailable;
    error.hint = {};
    return error;
}

// The same claims of the same user are the same request to their server, however often they
// are made: it is the one who remembers.
protocol::Uuid derived_txn(const UserId& asker, const protocol::Uuid& txn, const ServerName& server)
{
    const auto hash = protocol::sha256(
        {"entente-claim-v1\n", asker.str(), "\n", txn.bytes(), "\n", server.str()});
    protocol::Uuid derived;
    std::copy_n(hash.begin(), derived.octets.size(), derived.octets.begin());
    derived.octets[6] =
        static_cast<std::uint8_t>((derived.octets[6] & 0x0fU) | 0x80U);  // version 8
    derived.octets[8] = static_cast<std::uint8_t>((derived.octets[8] & 0x3fU) | 0x80U);
    return derived;
}

}  // namespace

// What comes in from several servers while the asking user waits.
struct LocalPeople::Gathering {
    explicit Gathering(asio::any_io_executor io) : done(std::move(io)) {}
    std::vector<ClaimResult> results;
    std::size_t open = 0;
    net::Wakeup done;
};

LocalPeople::LocalPeople(LocalPeopleParts parts)
    : parts_(std::move(parts)),
      claims_(
          parts_.identity, parts_.commits, parts_.clock,
          [this](const LowKeys& low) {
              tell([&](PeopleListener& listener) { listener.keys_low(low); });
          },
          parts_.policies),
      messages_(
          parts_.identity,
          [this](const MailedDevice& to) {
              tell([&](PeopleListener& listener) { listener.mail_came(to.user, to.device); });
          },
          parts_.policies),
      announcer_({parts_.identity, parts_.store, parts_.commits, parts_.tasks, parts_.clock,
                  parts_.random, parts_.wake}),
      signals_({parts_.identity, parts_.store, parts_.commits,
                [this](const protocol::LiveSignal& signal) {
                    tell([&](PeopleListener& listener) { listener.signalled(signal); });
                },
                parts_.pass_signal, parts_.policies}),
      reports_({parts_.identity, parts_.store, parts_.commits, parts_.clock, parts_.random,
                parts_.wake, parts_.policies})
{
}

void LocalPeople::tell(const std::function<void(PeopleListener&)>& what) const
{
    for (auto* listener : listeners_) what(*listener);
}

asio::awaitable<Result<protocol::ShownUser>> LocalPeople::look_up(UserId user)
{
    if (protocol::server_of(user) != parts_.identity.name) {
        auto there = co_await look_up_there(std::move(user));
        co_return there;
    }
    auto job = [user](storage::Connection& db) { return read_user(db, user); };
    auto shown = co_await parts_.commits.read(std::move(job));
    co_return shown;
}

asio::awaitable<Result<protocol::ShownUser>> LocalPeople::look_up_there(UserId user)
{
    if (auto known = cache_.find(user, parts_.clock.now_ms())) co_return std::move(*known);
    const auto changes = cache_.changes();
    const auto localpart = std::string(protocol::localpart_of(user));
    auto answer = co_await parts_.ask(protocol::server_of(user), "GET",
                                      "/federation/v1/users/" + localpart, std::string());
    if (!answer) co_return retry_later(Code::unavailable, answer.error().detail, 10);
    if (answer->status != 200) co_return protocol::Failure{refusal_of(*answer)};
    auto shown = protocol::parse_user(answer->body, user, parts_.identity.names);
    if (!shown) co_return retry_later(Code::unavailable, shown.error().detail, 60);
    cache_.keep(*shown, changes, parts_.clock.now_ms());
    co_return shown;
}

asio::awaitable<Result<std::vector<ClaimResult>>> LocalPeople::claim(UserId asker,
                                                                     protocol::KeyClaims claims)
{
    auto gathering = std::make_shared<Gathering>(parts_.tasks.executor());
    std::map<ServerName, std::vector<std::size_t>> by_server;
    const Error pending{Code::unavailable, "the server has not answered in time", {}, 10};
    for (std::size_t i = 0; i < claims.claims.size(); ++i) {
        by_server[protocol::server_of(claims.claims[i].user)].push_back(i);
        gathering->results.push_back({ClaimedKey{claims.claims[i], {}, false}, pending});
    }
    for (auto& [server, places] : by_server) {
        protocol::KeyClaims part;
        for (const auto place : places) part.claims.push_back(claims.claims[place]);
        if (server == parts_.identity.name) {
            part.txn = claims.txn;
            auto answer = co_await claims_.claim(asker, part);
            if (!answer && answer.error().code == Code::equivocation)
                co_return refuse(Code::conflict, "/txn: came before with other claims");
            if (!answer) co_return fail(answer);
            auto keys = protocol::parse_claimed_keys(*answer, part.claims, parts_.identity.names);
            if (!keys) co_return fail(Code::internal, "our own answer: " + keys.error().detail);
            for (std::size_t i = 0; i < places.size(); ++i)
                gathering->results[places[i]] = {std::move((*keys)[i]), std::nullopt};
            continue;
        }
        part.txn = derived_txn(asker, claims.txn, server);
        ++gathering->open;
        parts_.tasks.spawn(claim_there(gathering, server, places, std::move(part)));
    }
    const auto end =
        parts_.clock.now_ms() + protocol::Millis{claim_time / std::chrono::milliseconds{1}};
    while (gathering->open > 0) {
        const auto left = end - parts_.clock.now_ms();
        if (left <= 0) break;
        co_await gathering->done.wait_for(std::chrono::milliseconds(left));
    }
    co_return gathering->results;
}

asio::awaitable<void> LocalPeople::claim_there(std::shared_ptr<Gathering> gathering,
                                               ServerName server, std::vector<std::size_t> places,
                                               protocol::KeyClaims claims)
{
    struct Ending {
        Gathering& gathering;
        ~Ending()
        {
            --gathering.open;
            gathering.done.notify();
        }
    };
    const Ending ending{*gathering};
    auto keys = co_await ask_for_keys(std::move(server), std::move(claims));
    for (std::size_t i = 0; i < places.size(); ++i) {
        auto& result = gathering->results[places[i]];
        if (!keys) {
            result.problem = keys.error();
            continue;
        }
        result = {std::move((*keys)[i]), std::nullopt};
    }
}

asio::awaitable<Result<std::vector<ClaimedKey>>> LocalPeople::ask_for_keys(
    ServerName server, protocol::KeyClaims claims)
{
    auto body = protocol::write_key_claims(claims);
    auto answer = co_await parts_.ask(std::move(server), "POST", "/federation/v1/keys/claim",
                                      std::move(body));
    if (!answer) co_return retry_later(Code::unavailable, answer.error().detail, 10);
    if (answer->status != 200) co_return protocol::Failure{refusal_of(*answer)};
    auto keys = protocol::parse_claimed_keys(answer->body, claims.claims, parts_.identity.names);
    if (!keys) co_return retry_later(Code::unavailable, keys.error().detail, 60);
    co_return keys;
}

}  // namespace entente::federation
