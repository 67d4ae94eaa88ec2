#include "trust/key_ring.hpp"

#include <algorithm>

namespace entente::trust {

namespace {

bool holds(const PinnedServer& server, const PublicKey& key)
{
    return std::ranges::any_of(server.keys, [&](const PinnedKey& held) { return held.key == key; });
}

PinnedServer first_pin(const protocol::ServerDocument& document, Millis now)
{
    PinnedServer server;
    server.server = document.server;
    server.api = document.api;
    server.recovery = document.recovery;
    server.limits = document.limits;
    server.max_age = document.max_age;
    server.pinned_at = now;
    for (const auto& old : document.old_keys) {
        auto status = old.revoked_at != 0 ? KeyStatus::revoked : KeyStatus::retired;
        server.keys.push_back({old.key, status, old.from, old.until, old.revoked_at});
    }
    for (const auto& key : document.keys) {
        // A document that lists a key as old and as current: the cautious reading stands.
        if (holds(server, key.key)) continue;
        server.keys.push_back({key.key, KeyStatus::active, key.from, 0, 0});
    }
    return server;
}

// Whether everything the document signs with can be reached from the pins. A key that
// isn't pinned needs a chain of statements from one that is. What the document says of old
// keys proves nothing by itself and isn't taken over; unknown old keys are never used.
bool is_reachable(const PinnedServer& held, const protocol::ServerDocument& document)
{
    if (held.recovery != document.recovery) return false;
    return std::ranges::all_of(
        document.keys, [&](const protocol::DocumentKey& key) { return holds(held, key.key); });
}

// Past this time the key signs nothing any more.
bool is_out_of_use(const PinnedKey& key, Millis at)
{
    return key.status == KeyStatus::retired && at - key.until > key_overlap_ms;
}

}  // namespace

const PinnedKey* PinnedServer::find_key(const protocol::KeyId& id) const
{
    auto found = std::ranges::find_if(
        keys, [&](const PinnedKey& pinned) { return pinned.key.thumbprint() == id; });
    return found == keys.end() ? nullptr : &*found;
}

const PinnedServer* KeyRing::find(const ServerName& server) const
{
    auto found = servers_.find(server);
    return found == servers_.end() ? nullptr : &found->second;
}

const PinnedKey* KeyRing::find_key(const KeyRef& ref) const
{
    const auto* server = find(ref.server);
    return server == nullptr ? nullptr : server->find_key(ref.key);
}

Result<const PinnedKey*> KeyRing::pinned(const KeyRef& ref) const
{
    const auto* server = find(ref.server);
    if (server == nullptr) return refuse(Code::unknown_key, "the server is not known here");
    const auto* key = server->find_key(ref.key);
    if (key != nullptr) return key;
    if (server->conflict) {
        return refuse(Code::key_conflict, "the server's document contradicts the keys known of it");
    }
    return refuse(Code::unknown_key, "the server's document doesn't show this key");
}

Result<PublicKey> KeyRing::request_key(const KeyRef& ref, Millis now) const
{
    auto key = pinned(ref);
    if (!key) return fail(key);
    if ((*key)->status == KeyStatus::revoked) {
        return refuse(Code::key_revoked, "the key is revoked");
    }
    if (is_out_of_use(**key, now)) {
        return refuse(Code::key_revoked, "the key was replaced more than 7 days ago");
    }
    return (*key)->key;
}

// A thief would back-date: of a revoked key nothing new is taken, whatever its root says.
Result<PublicKey> KeyRing::seal_key(const KeyRef& ref, Millis root_at) const
{
    return request_key(ref, root_at);
}

KeyRing::Judgement KeyRing::judge(const protocol::ServerDocument& document, Millis now) const
{
    const auto* held = find(document.server);
    if (held == nullptr) return {Verdict::pinned, first_pin(document, now)};

    auto next = *held;
    if (!is_reachable(*held, document)) {
        next.conflict = true;
        return {Verdict::conflict, std::move(next)};
    }
    next.conflict = false;
    next.api = document.api;
    next.limits = document.limits;
    next.max_age = document.max_age;
    auto verdict = next == *held ? Verdict::agrees : Verdict::updated;
    return {verdict, std::move(next)};
}

Verdict KeyRing::consider(const protocol::ServerDocument& document, Millis now)
{
    auto judgement = judge(document, now);
    load(std::move(judgement.server));
    return judgement.verdict;
}

void KeyRing::load(PinnedServer server)
{
    auto name = server.server;
    servers_.insert_or_assign(std::move(name), std::move(server));
}

}  // namespace entente::trust
