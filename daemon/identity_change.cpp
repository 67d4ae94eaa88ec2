#include "daemon/identity_change.hpp"

#include <algorithm>

#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"
#include "protocol/statement.hpp"

namespace entente::daemon {

namespace {

using protocol::Millis;
using protocol::SigningKey;

// [KEY-2] Others take no statement that is further ahead of their clocks.
constexpr Millis max_ahead_ms = 60'000;
constexpr std::size_t max_reason_octets = 200;

// Later than all that was said before, so that the order of statements is that of their times.
Result<Millis> time_of_next(const Identity& identity, Millis now)
{
    const auto at = std::max(now, identity.newest() + 1);
    if (at > now + max_ahead_ms) {
        return fail(Code::conflict,
                    "the newest statement is dated later than this machine's clock says it is; "
                    "set the clock right");
    }
    return at;
}

// A rotation that its own key has signed counts only while that key isn't revoked, and only
// where no other came first. In the recovery key's name it needs neither.
void stand_for_rotations(Identity& identity, const SigningKey& recovery)
{
    for (auto& text : identity.statements) {
        const auto statement = protocol::reread_statement(text);
        if (!statement) continue;
        const auto* rotation = std::get_if<protocol::Rotation>(&statement->what);
        if (rotation == nullptr || rotation->previous != statement->signer.key) continue;
        text = protocol::sign_again(*statement, recovery);
    }
}

Result<Millis> time_of_revocation(const RevocationOrder& order, bool by_recovery, Millis now)
{
    const auto at = order.at.value_or(now);
    if (at <= 0 || at > now + max_ahead_ms)
        return fail(Code::malformed, "--at has to be a time between 1970 and now");
    if (!by_recovery && at < now) {
        return fail(Code::forbidden,
                    "a key can't date its own revocation back; give the recovery secret");
    }
    return at;
}

Result<void> check_reason(const std::string& reason)
{
    if (reason.size() > max_reason_octets || !protocol::check_json(protocol::json_string(reason)))
        return fail(Code::malformed, "a reason is text in UTF-8 of at most 200 octets");
    return {};
}

}  // namespace

Result<SigningKey> recovery_key(const Identity& identity, std::string_view secret)
{
    auto seed = protocol::from_base64url(secret);
    auto key = seed ? SigningKey::from_seed(*seed) : Result<SigningKey>(fail(seed));
    if (seed) protocol::wipe(*seed);
    if (!key) {
        return fail(Code::malformed,
                    "that is no recovery secret; it has 43 letters, digits, - and _");
    }
    if (key->public_key() != identity.recovery) {
        return fail(Code::forbidden, "that isn't the recovery secret of " + identity.server.str() +
                                         " that is in force; after a recovery-kit it is the "
                                         "newest one");
    }
    return key;
}

Result<void> rotate(Identity& identity, const SigningKey* recovery, protocol::Random& random,
                    Millis now)
{
    const auto at = time_of_next(identity, now);
    if (!at) return fail(at);
    auto key = SigningKey::generate(random);
    const auto& signer = recovery != nullptr ? *recovery : identity.current;
    auto statement =
        protocol::make_rotation(identity.server, identity.current.id(), key, *at, signer);
    if (recovery != nullptr) stand_for_rotations(identity, *recovery);
    identity.statements.push_back(std::move(statement));
    identity.old_keys.push_back({identity.current.public_key(), identity.from, *at, 0});
    identity.old_secrets.push_back(std::move(identity.current));
    identity.current = std::move(key);
    identity.from = *at;
    return {};
}

Result<void> revoke(Identity& identity, const RevocationOrder& order, const SigningKey* recovery,
                    Millis now)
{
    if (order.key == identity.current.id()) {
        return fail(Code::conflict,
                    "this is the key that signs now; put another in its place first, with "
                    "ententctl identity rotate");
    }
    const auto old = std::ranges::find_if(
        identity.old_keys, [&](const auto& key) { return key.key.thumbprint() == order.key; });
    if (old == identity.old_keys.end()) {
        return fail(Code::not_found,
                    "there is no key " + order.key.str() + "; ententctl identity show lists them");
    }
    if (auto fit = check_reason(order.reason); !fit) return fit;
    const auto at = time_of_revocation(order, recovery != nullptr, now);
    if (!at) return fail(at);
    if (old->revoked_at != 0 && old->revoked_at <= *at)
        return fail(Code::conflict, "this key is revoked already, from that time or earlier");
    const auto* signer = recovery != nullptr ? recovery : identity.secret_of(order.key);
    if (signer == nullptr) {
        return fail(Code::not_found,
                    "the secret of this key isn't kept here; give the recovery secret");
    }
    auto statement =
        protocol::make_revocation(identity.server, order.key, *at, order.reason, *signer);
    if (recovery != nullptr) stand_for_rotations(identity, *recovery);
    identity.statements.push_back(std::move(statement));
    old->revoked_at = *at;
    std::erase_if(identity.old_secrets,
                  [&](const SigningKey& secret) { return secret.id() == order.key; });
    return {};
}

Result<SigningKey> replace_recovery(Identity& identity, const SigningKey& recovery,
                                    protocol::Random& random, Millis now)
{
    const auto at = time_of_next(identity, now);
    if (!at) return fail(at);
    auto key = SigningKey::generate(random);
    identity.statements.push_back(
        protocol::make_recovery(identity.server, recovery, key.public_key(), *at));
    identity.recovery = key.public_key();
    return key;
}

}  // namespace entente::daemon
