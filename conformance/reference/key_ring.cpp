#include "conformance/reference/key_ring.hpp"

#include <algorithm>

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::int64_t overlap = 7LL * 86'400'000;
constexpr std::int64_t max_ahead = 60'000;
constexpr std::size_t max_statements = 512;

std::string text_in(const Statement& statement, const char* name)
{
    return text_of(statement.jws.payload, name);
}

std::int64_t at_of(const Statement& statement)
{
    return number_of(statement.jws.payload, "at");
}

// A rotation's proof: the same members, signed by the new key.
bool is_proven(const Statement& rotation, const ShownKey& key, const Flags& flags)
{
    auto members = rotation.jws.payload;
    members.erase("proof");
    const auto proof = read_jws(text_in(rotation, "proof"), flags);
    return proof.typ == "entente-rotation-proof" && proof.payload == members &&
           proof.key_id == key.id && proof.is_signed_by(key.octets);
}

std::string kind_of(const Statement& statement, const Flags& flags)
{
    const bool is_rotation =
        statement.jws.payload.contains("previous") && statement.jws.payload.contains("proof");
    if (flags.has<"statement-type-unchecked">() && is_rotation) return "entente-rotation";
    return statement.jws.typ;
}

// Throws Refused where its form is wrong.
void check_statement(const Statement& statement, const std::string& server, const Flags& flags)
{
    const bool is_own = statement.jws.server == server && text_in(statement, "server") == server;
    if (!is_own && !flags.has<"statement-server-unchecked">())
        throw Refused{"malformed", "a statement of another server's"};
    static_cast<void>(at_of(statement));
    if (kind_of(statement, flags) == "entente-rotation") {
        const auto key = read_jwk(member_of(statement.jws.payload, "key"), flags);
        static_cast<void>(text_in(statement, "previous"));
        if (!flags.has<"rotation-proof-unchecked">() && !is_proven(statement, key, flags))
            throw Refused{"malformed", "a rotation without a proof"};
    } else if (statement.jws.typ == "entente-revocation") {
        static_cast<void>(text_in(statement, "kid"));
    } else if (statement.jws.typ == "entente-recovery") {
        static_cast<void>(read_jwk(member_of(statement.jws.payload, "key"), flags));
    } else {
        throw Refused{"malformed", "a statement of an unknown kind"};
    }
}

bool is_by_recovery(const Pins& pins, const Statement& statement)
{
    return std::any_of(pins.recoveries.begin(), pins.recoveries.end(),
                       [&](const auto& key) { return statement.jws.is_signed_by(key); });
}

}  // namespace

const Pins* KeyRing::find(const std::string& server) const
{
    const auto found = pins_.find(server);
    return found == pins_.end() ? nullptr : &found->second;
}

const PinnedKey* KeyRing::find(const std::string& server, const std::string& id) const
{
    const auto* pins = find(server);
    if (pins == nullptr) return nullptr;
    const auto key = pins->keys.find(id);
    return key == pins->keys.end() ? nullptr : &key->second;
}

void KeyRing::check_usable(const PinnedKey& key, std::int64_t now, KeyUse use) const
{
    const bool is_request = use == KeyUse::request;
    if (key.revoked_at && now >= *key.revoked_at &&
        !(is_request ? flags_.has<"revocations-ignored">() : flags_.has<"revoked-key-seals">()))
        throw Refused{"key-revoked", "the key is revoked"};
    if (!key.replaced_at) return;
    if (flags_.has<"old-key-refused">() && now >= *key.replaced_at)
        throw Refused{"key-revoked", "the key was replaced"};
    if (now > *key.replaced_at + overlap &&
        !(is_request ? flags_.has<"old-key-for-ever">() : flags_.has<"old-key-seals">()))
        throw Refused{"key-revoked", "the key was replaced more than 7 days ago"};
}

std::string KeyRing::owner_of(const std::string& id) const
{
    for (const auto& [server, pins] : pins_)
        if (pins.keys.contains(id)) return server;
    return {};
}

void KeyRing::take(const ServerDocument& document, std::int64_t now)
{
    const bool is_first = !pins_.contains(document.server);
    auto& pins = pins_[document.server];
    if (is_first || flags_.has<"repins">()) {
        pins = {};
        for (const auto& key : document.keys) pins.first_keys[key.id] = {key.octets, {}, {}, false};
        for (const auto& key : document.old_keys)
            pins.first_keys[key.id] = {key.octets, key.until, key.revoked_at, true};
        pins.first_recovery = document.recovery.octets;
    }
    add_statements(pins, document.server, document.statements, now);
    settle(pins);
    const bool stays = pins.conflict && flags_.has<"conflicts-for-ever">();
    pins.conflict = stays || !agrees(pins, document);
    if (!pins.conflict || flags_.has<"api-follows-conflict">()) pins.document = document;
}

void KeyRing::take_statements(const std::string& server, const std::vector<std::string>& statements,
                              std::int64_t now)
{
    const auto found = pins_.find(server);
    if (found == pins_.end()) return;
    add_statements(found->second, server, statements, now);
    settle(found->second);
}

// What isn't right, or is of the future, isn't there.
void KeyRing::add_statements(Pins& pins, const std::string& server,
                             const std::vector<std::string>& texts, std::int64_t now) const
{
    ++pins.batches;
    for (const auto& text : texts) {
        const bool known = std::any_of(pins.statements.begin(), pins.statements.end(),
                                       [&](const auto& one) { return one.text == text; });
        if (known || pins.statements.size() >= max_statements) continue;
        try {
            Statement statement{text, read_jws(text, flags_), now, pins.batches};
            check_statement(statement, server, flags_);
            if (at_of(statement) > now + max_ahead && !flags_.has<"statement-time-unchecked">())
                continue;
            pins.statements.push_back(std::move(statement));
        } catch (const Refused&) {
        }
    }
}

void KeyRing::settle(Pins& pins) const
{
    pins.keys = pins.first_keys;
    settle_recoveries(pins);
    settle_revocations(pins);
    settle_rotations(pins);
    // Of keys that rotations have brought.
    settle_revocations(pins);
}

// Of two by one key the earlier stands, at equal times the lower key id.
void KeyRing::settle_recoveries(Pins& pins) const
{
    pins.recoveries = {pins.first_recovery};
    if (flags_.has<"recoveries-ignored">()) return;
    for (;;) {
        std::optional<std::pair<std::int64_t, ShownKey>> best;
        for (const auto& one : pins.statements) {
            if (one.jws.typ != "entente-recovery" || !one.jws.is_signed_by(pins.recoveries.back()))
                continue;
            const auto key = read_jwk(one.jws.payload["key"], flags_);
            if (std::find(pins.recoveries.begin(), pins.recoveries.end(), key.octets) !=
                pins.recoveries.end())
                continue;
            const auto at = at_of(one);
            if (!best || at < best->first || (at == best->first && key.id < best->second.id))
                best = {at, key};
        }
        if (!best) return;
        pins.recoveries.push_back(best->second.octets);
    }
}

// Those that say what takes the place of the key `id`, and count; the one that stands first.
std::vector<KeyRing::Candidate> KeyRing::candidates_for(const Pins& pins, const std::string& id,
                                                        const PinnedKey& previous) const
{
    std::vector<Candidate> all;
    for (const auto& one : pins.statements) {
        if (kind_of(one, flags_) != "entente-rotation" || text_in(one, "previous") != id) continue;
        const auto key = read_jwk(one.jws.payload["key"], flags_);
        const bool by_recovery =
            is_by_recovery(pins, one) && !flags_.has<"recovery-rotations-ignored">();
        const bool in_time = !previous.revoked_at || at_of(one) < *previous.revoked_at ||
                             flags_.has<"rotation-after-revocation">();
        const bool late = previous.was_old && !pins.first_keys.contains(key.id);
        const bool by_key = one.jws.is_signed_by(previous.octets) && in_time && !late;
        if (by_recovery || by_key || flags_.has<"rotation-signer-unchecked">())
            all.push_back({&one, key, by_recovery && !flags_.has<"recovery-has-no-precedence">()});
    }
    std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
        if (a.by_recovery != b.by_recovery) return a.by_recovery;
        if (!a.by_recovery) return a.statement < b.statement;
        if (at_of(*a.statement) != at_of(*b.statement))
            return at_of(*a.statement) > at_of(*b.statement);
        return a.key.id < b.key.id;
    });
    return all;
}

// Two at once, of which nobody can know which came first.
bool KeyRing::are_rivals(const std::vector<Candidate>& candidates) const
{
    return candidates.size() > 1 && !candidates[0].by_recovery &&
           candidates[0].statement->batch == candidates[1].statement->batch &&
           candidates[0].key.id != candidates[1].key.id &&
           !flags_.has<"rotation-rivals-ignored">() && !flags_.has<"recovery-has-no-precedence">();
}

void KeyRing::settle_rotations(Pins& pins) const
{
    pins.has_rivals = false;
    if (flags_.has<"rotation-previous-unchecked">()) {
        for (const auto& one : pins.statements) {
            if (one.jws.typ != "entente-rotation") continue;
            const auto key = read_jwk(one.jws.payload["key"], flags_);
            pins.keys[key.id].octets = key.octets;
        }
    }
    if (flags_.has<"rotations-ignored">() || flags_.has<"no-rotation">()) return;
    std::set<std::string> done;
    for (bool changed = true; changed;) {
        changed = false;
        // A copy of the ids: keys are added on the way.
        std::vector<std::string> ids;
        for (const auto& [id, key] : pins.keys) ids.push_back(id);
        for (const auto& id : ids) {
            if (!done.insert(id).second) continue;
            const auto candidates = candidates_for(pins, id, pins.keys[id]);
            if (candidates.empty()) continue;
            if (are_rivals(candidates)) {
                pins.has_rivals = true;
                continue;
            }
            put_in_place(pins, id, candidates);
            changed = !flags_.has<"rotation-chains-ignored">();
        }
    }
}

// The first candidate's key takes the place of `id`; those of the others count as revoked.
void KeyRing::put_in_place(Pins& pins, const std::string& id,
                           const std::vector<Candidate>& candidates) const
{
    pins.keys[id].replaced_at = at_of(*candidates.front().statement);
    for (const auto& one : candidates) {
        auto& key = pins.keys[one.key.id];
        key.octets = one.key.octets;
        if (one.key.id != candidates.front().key.id) key.revoked_at = at_of(*one.statement);
    }
}

void KeyRing::settle_revocations(Pins& pins) const
{
    for (const auto& one : pins.statements) {
        if (one.jws.typ != "entente-revocation") continue;
        const auto key = pins.keys.find(text_in(one, "kid"));
        if (key == pins.keys.end()) continue;
        auto from = at_of(one);
        if (!is_by_recovery(pins, one)) {
            const bool by_sibling =
                flags_.has<"revocation-by-siblings">() &&
                std::any_of(pins.keys.begin(), pins.keys.end(), [&](const auto& other) {
                    return one.jws.is_signed_by(other.second.octets);
                });
            const bool by_itself = one.jws.is_signed_by(key->second.octets) &&
                                   !flags_.has<"own-revocations-ignored">();
            if (!by_itself && !by_sibling && !flags_.has<"revocation-signer-unchecked">()) continue;
            // [KEY-3]: whoever has stolen it mustn't change what was.
            from = std::max(from, one.received_at);
        }
        auto& revoked_at = key->second.revoked_at;
        revoked_at = std::min(revoked_at.value_or(from), from);
    }
}

// Every key that is shown is reached from the pins, and isn't one that lost.
bool KeyRing::agrees(const Pins& pins, const ServerDocument& document) const
{
    const auto recovery =
        std::find(pins.recoveries.begin(), pins.recoveries.end(), document.recovery.octets);
    if (recovery == pins.recoveries.end() && !flags_.has<"recovery-key-unpinned">()) return false;
    if (pins.has_rivals) return false;
    return std::all_of(document.keys.begin(), document.keys.end(), [&](const ShownKey& key) {
        const auto found = pins.keys.find(key.id);
        return found != pins.keys.end() && found->second.octets == key.octets;
    });
}

}  // namespace entente::conformance::reference
