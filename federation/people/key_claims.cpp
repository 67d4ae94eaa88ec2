#include "federation/people/key_claims.hpp"

#include "federation/event_policy.hpp"

#include <utility>

#include "storage/acquaintances.hpp"
#include "storage/device_store.hpp"

namespace entente::federation {

namespace {

constexpr protocol::Millis hour_ms = 3'600'000;

}  // namespace

using protocol::ClaimedKey;
using protocol::KeyClaim;
using storage::WriteTransaction;

KeyClaims::KeyClaims(const Identity& identity, storage::GroupCommit& commits,
                     const protocol::Clock& clock, std::function<void(const LowKeys&)> low,
                     trust::policy::Enforcer* policies)
    : identity_(identity),
      commits_(commits),
      clock_(clock),
      low_(std::move(low)),
      shares_(max_claimers, max_claimed_keys_per_server, hour_ms),
      policies_(policies)
{
}

asio::awaitable<Result<std::string>> KeyClaims::claim(protocol::UserId asker,
                                                      protocol::KeyClaims claims)
{
    Asker own;
    own.name = asker.str();
    auto answer = co_await claim(std::move(own), std::move(claims));
    co_return answer;
}

// On a reader, ahead of the writer's job: channels may be large.
asio::awaitable<Result<std::string>> KeyClaims::claim(ServerName asker, trust::Tier tier,
                                                      protocol::KeyClaims claims)
{
    Asker server;
    server.name = asker.str();
    server.is_server = true;
    server.tier = tier;
    if (tier < trust::Tier::known) {
        std::set<std::string> users;
        for (const auto& one : claims.claims) {
            if (protocol::server_of(one.user) == identity_.name) users.insert(one.user.str());
        }
        auto job = [users = std::move(users),
                    asker](storage::Connection& db) -> Result<std::set<std::string>> {
            std::set<std::string> strangers;
            for (const auto& user : users) {
                auto acquainted = storage::is_acquainted_with_server(db, user, asker.str());
                if (!acquainted) return fail(acquainted);
                if (!*acquainted) strangers.insert(user);
            }
            return strangers;
        };
        storage::Cause cause{asker.str(), 0};
        auto strangers = co_await commits_.read(std::move(job), std::move(cause));
        if (!strangers) co_return fail(strangers);
        server.strangers = std::move(*strangers);
    }
    auto answer = co_await claim(std::move(server), std::move(claims));
    co_return answer;
}

asio::awaitable<Result<std::string>> KeyClaims::claim(Asker asker, protocol::KeyClaims claims)
{
    storage::Cause cause{asker.name, 0};
    auto job = [this, asker = std::move(asker), claims = std::move(claims)](
                   WriteTransaction& transaction) { return hand_out(transaction, asker, claims); };
    auto answer = co_await commits_.write(std::move(job), std::move(cause));
    co_return answer;
}

Result<std::string> KeyClaims::hand_out(WriteTransaction& transaction, const Asker& asker,
                                        const protocol::KeyClaims& claims)
{
    auto& db = transaction.db();
    storage::ClaimAnswer given;
    given.claims = protocol::sha256(protocol::write_key_claims(claims));
    auto known = storage::find_claim_answer(db, asker.name, claims.txn);
    if (!known) return fail(known);
    if (*known) {
        if ((*known)->claims != given.claims)
            return refuse(Code::equivocation, "other claims came under this txn");
        return std::move((*known)->answer);
    }
    std::vector<ClaimedKey> keys;
    for (const auto& claim : claims.claims) {
        auto key = hand_out_one(transaction, asker, claim);
        if (!key) return fail(key);
        keys.push_back(std::move(*key));
    }
    given.answer = protocol::write_claimed_keys(keys);
    auto remembered =
        storage::remember_claim_answer(db, asker.name, claims.txn, given, clock_.now_ms());
    if (!remembered) return fail(remembered);
    return std::move(given.answer);
}

bool KeyClaims::may_take(const Asker& asker, const KeyClaim& claim)
{
    if (!asker.is_server) return true;
    const auto server = ServerName::trusted(asker.name);
    ServerQuestion question{trust::policy::Action::key_claim, server, asker.tier, identity_.name};
    question.kind = trust::policy::ResourceKind::key;
    question.resource = claim.user.str();
    if (asker.tier < trust::Tier::known)
        question.is_acquainted = !asker.strangers.contains(claim.user.str());
    if (!ask_policies(policies_, question)) return false;
    const auto now = clock_.now_ms();
    const auto pair = asker.name + "\n" + claim.user.str() + "\n" + claim.device.str();
    return shares_.of(pair, now).take(1, now);
}

Result<ClaimedKey> KeyClaims::hand_out_one(WriteTransaction& transaction, const Asker& asker,
                                           const KeyClaim& claim)
{
    auto& db = transaction.db();
    ClaimedKey key;
    key.claim = claim;
    if (protocol::server_of(claim.user) != identity_.name) return key;
    auto device = storage::find_device(db, protocol::localpart_of(claim.user), claim.device);
    if (!device) return fail(device);
    if (!*device) return key;
    auto taken = may_take(asker, claim) ? storage::take_key(db, **device, claim.kind)
                                        : storage::fallback_key(db, **device, claim.kind);
    if (!taken) return fail(taken);
    if (!*taken) return key;
    key.key = std::move((*taken)->key);
    key.is_fallback = (*taken)->is_fallback;
    if (!key.is_fallback && (*taken)->left < storage::low_keys) {
        const LowKeys low{claim.user, claim.device, claim.kind, (*taken)->left};
        transaction.after_commit([tell = low_, low] { tell(low); });
    }
    return key;
}

}  // namespace entente::federation
