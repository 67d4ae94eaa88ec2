#include "federation/key_claims.hpp"

#include <utility>

#include "storage/device_store.hpp"

namespace entente::federation {

using protocol::ClaimedKey;
using protocol::KeyClaim;
using storage::WriteTransaction;

KeyClaims::KeyClaims(const Identity& identity, storage::GroupCommit& commits,
                     const protocol::Clock& clock, std::function<void(const LowKeys&)> low)
    : identity_(identity), commits_(commits), clock_(clock), low_(std::move(low))
{
}

asio::awaitable<Result<std::string>> KeyClaims::claim(std::string asker, protocol::KeyClaims claims)
{
    storage::Cause cause{asker, 0};
    auto job = [this, asker = std::move(asker), claims = std::move(claims)](
                   WriteTransaction& transaction) { return hand_out(transaction, asker, claims); };
    auto answer = co_await commits_.write(std::move(job), std::move(cause));
    co_return answer;
}

Result<std::string> KeyClaims::hand_out(WriteTransaction& transaction, const std::string& asker,
                                        const protocol::KeyClaims& claims)
{
    auto& db = transaction.db();
    storage::ClaimAnswer given;
    given.claims = protocol::sha256(protocol::write_key_claims(claims));
    auto known = storage::find_claim_answer(db, asker, claims.txn);
    if (!known) return fail(known);
    if (*known) {
        if ((*known)->claims != given.claims)
            return refuse(Code::equivocation, "other claims came under this txn");
        return std::move((*known)->answer);
    }
    std::vector<ClaimedKey> keys;
    for (const auto& claim : claims.claims) {
        auto key = hand_out_one(transaction, claim);
        if (!key) return fail(key);
        keys.push_back(std::move(*key));
    }
    given.answer = protocol::write_claimed_keys(keys);
    auto remembered = storage::remember_claim_answer(db, asker, claims.txn, given, clock_.now_ms());
    if (!remembered) return fail(remembered);
    return std::move(given.answer);
}

Result<ClaimedKey> KeyClaims::hand_out_one(WriteTransaction& transaction, const KeyClaim& claim)
{
    auto& db = transaction.db();
    ClaimedKey key;
    key.claim = claim;
    if (protocol::server_of(claim.user) != identity_.name) return key;
    auto device = storage::find_device(db, protocol::localpart_of(claim.user), claim.device);
    if (!device) return fail(device);
    if (!*device) return key;
    auto taken = storage::take_key(db, **device, claim.kind);
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
