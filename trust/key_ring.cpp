#include "trust/key_ring.hpp"

#include <algorithm>

#include "trust/intake.hpp"

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

// Whether everything the document signs with can be reached from the pins [KEY-4]. What it
// says of old keys proves nothing by itself and isn't taken over.
bool is_reachable(const Resolution& resolution, const protocol::ServerDocument& document)
{
    if (!resolution.has_recovery(*document.recovery)) return false;
    return std::ranges::all_of(document.keys, [&](const protocol::DocumentKey& key) {
        const auto* found = resolution.find(key.key.thumbprint());
        return found != nullptr && found->status != KeyStatus::lost;
    });
}

bool is_revoked(const PinnedKey& key, Millis at)
{
    return key.status == KeyStatus::revoked && key.revoked_at <= at;
}

// Past this time the key signs nothing any more.
bool is_out_of_use(const PinnedKey& key, Millis at)
{
    const bool was_replaced = key.status == KeyStatus::retired || key.until != 0;
    return was_replaced && at - key.until > key_overlap_ms;
}

}  // namespace

const PinnedServer* KeyRing::find(const ServerName& server) const
{
    auto found = servers_.find(server);
    return found == servers_.end() ? nullptr : &found->second.pins;
}

const PinnedKey* KeyRing::find_key(const KeyRef& ref) const
{
    auto found = servers_.find(ref.server);
    return found == servers_.end() ? nullptr : found->second.now.find(ref.key);
}

const PublicKey* KeyRing::recovery_key(const ServerName& server) const
{
    auto found = servers_.find(server);
    return found == servers_.end() ? nullptr : &found->second.now.recovery.back();
}

Result<const PinnedKey*> KeyRing::pinned(const KeyRef& ref) const
{
    const auto* server = find(ref.server);
    if (server == nullptr) return refuse(Code::unknown_key, "the server is not known here");
    const auto* key = find_key(ref);
    if (key != nullptr && key->status != KeyStatus::lost) return key;
    if (server->conflict) {
        return refuse(Code::key_conflict, "the server's document contradicts the keys known of it");
    }
    if (key != nullptr) return refuse(Code::key_revoked, "another key took this one's place");
    return refuse(Code::unknown_key, "the server's document doesn't show this key");
}

Result<PublicKey> KeyRing::request_key(const KeyRef& ref, Millis now) const
{
    auto key = pinned(ref);
    if (!key) return fail(key);
    if (is_revoked(**key, now)) return refuse(Code::key_revoked, "the key is revoked");
    if (is_out_of_use(**key, now)) {
        return refuse(Code::key_revoked, "the key was replaced more than 7 days ago");
    }
    return (*key)->key;
}

// A thief would back-date: of a revoked key nothing new is taken, whatever its root says.
Result<PublicKey> KeyRing::seal_key(const KeyRef& ref, Millis root_at, Millis now) const
{
    return request_key(ref, std::max(root_at, now));
}

KeyRing::Judgement KeyRing::judge(const protocol::ServerDocument& document, Millis now) const
{
    const auto* held = find(document.server);
    auto next = held == nullptr ? first_pin(document, now) : *held;
    // They prove themselves, whatever else the document says.
    const auto resolution = take_statements(next, document.statements, now);
    next.conflict = resolution.undecided || !is_reachable(resolution, document);
    if (held == nullptr) return {Verdict::pinned, std::move(next)};
    if (next.conflict) return {Verdict::conflict, std::move(next)};
    next.api = document.api;
    next.limits = document.limits;
    next.max_age = document.max_age;
    auto verdict = next == *held ? Verdict::agrees : Verdict::updated;
    return {verdict, std::move(next)};
}

std::optional<KeyRing::Judgement> KeyRing::judge(const ServerName& server,
                                                 const std::vector<std::string>& statements,
                                                 Millis now) const
{
    const auto* held = find(server);
    if (held == nullptr) return std::nullopt;
    auto next = *held;
    const auto resolution = take_statements(next, statements, now);
    // Only a document shows that a conflict is over.
    next.conflict = held->conflict || resolution.undecided;
    if (next == *held) return Judgement{Verdict::agrees, std::move(next)};
    auto verdict = next.conflict ? Verdict::conflict : Verdict::updated;
    return Judgement{verdict, std::move(next)};
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
    auto resolution = resolve(server);
    resolution.bearings = {};
    servers_.insert_or_assign(std::move(name), Held{std::move(server), std::move(resolution)});
}

}  // namespace entente::trust
