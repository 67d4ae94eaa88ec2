#include "trust/key_ring.hpp"

#include <algorithm>
#include <utility>

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

// What the document signs with, or means to sign with, that can't be reached from the pins
// [KEY-4]. What it says of old keys proves nothing by itself and isn't taken over.
std::vector<PublicKey> out_of_reach(const Resolution& resolution,
                                    const protocol::ServerDocument& document)
{
    std::vector<PublicKey> keys;
    if (!resolution.has_recovery(*document.recovery)) keys.push_back(*document.recovery);
    for (const auto& shown : document.keys) {
        const auto* found = resolution.find(shown.key.thumbprint());
        if (found == nullptr || found->status == KeyStatus::lost) keys.push_back(shown.key);
    }
    return keys;
}

bool is_refused(const PinnedServer& server, const PublicKey& key)
{
    return std::ranges::find(server.refused, key) != server.refused.end();
}

// Keys that counted verify what they have signed for ever [KEY-7].
void keep_for_old_logs(PinnedServer& server, const Resolution& former, Millis now)
{
    for (const auto& [id, key] : former.keys) {
        if (key.status == KeyStatus::lost || holds(server, key.key)) continue;
        auto kept = key;
        if (kept.status != KeyStatus::revoked) kept.revoked_at = now;
        kept.status = KeyStatus::revoked;
        server.keys.push_back(std::move(kept));
    }
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
    const auto is_it = [&](const PublicKey& other) { return other.thumbprint() == ref.key; };
    if (server->conflict || std::ranges::any_of(server->refused, is_it)) {
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

// That a key has made two rotations is news once: held without a conflict, it was settled.
bool KeyRing::is_undecided(const ServerName& server, const Resolution& resolution) const
{
    const auto held = servers_.find(server);
    const bool is_settled =
        held != servers_.end() && held->second.now.undecided && !held->second.pins.conflict;
    return resolution.undecided && !is_settled;
}

KeyRing::Judgement KeyRing::judge(const protocol::ServerDocument& document, Millis now) const
{
    const auto* held = find(document.server);
    auto next = held == nullptr ? first_pin(document, now) : *held;
    // They prove themselves, whatever else the document says.
    const auto resolution = take_statements(next, document.statements, now);
    const auto strange = out_of_reach(resolution, document);
    next.conflict =
        is_undecided(document.server, resolution) ||
        !std::ranges::all_of(strange, [&](const PublicKey& key) { return is_refused(next, key); });
    if (held == nullptr) return {PinVerdict::pinned, std::move(next), strange.empty()};
    if (next.conflict) return {PinVerdict::conflict, std::move(next), false};
    // Of a document with keys that were refused nothing else is believed.
    if (strange.empty()) {
        next.api = document.api;
        next.limits = document.limits;
        next.max_age = document.max_age;
    }
    auto verdict = next == *held ? PinVerdict::agrees : PinVerdict::updated;
    return {verdict, std::move(next), strange.empty()};
}

KeyRing::Judgement KeyRing::accept(const protocol::ServerDocument& document, Millis now) const
{
    auto next = first_pin(document, now);
    const auto held = servers_.find(document.server);
    if (held != servers_.end()) keep_for_old_logs(next, held->second.now, now);
    const auto resolution = take_statements(next, document.statements, now);
    next.conflict = !out_of_reach(resolution, document).empty();
    const bool agrees = !next.conflict;
    return {PinVerdict::pinned, std::move(next), agrees};
}

KeyRing::Judgement KeyRing::keep(const protocol::ServerDocument& document, Millis now) const
{
    auto next = judge(document, now).server;
    next.refused = out_of_reach(resolve(next), document);
    next.conflict = false;
    return {PinVerdict::updated, std::move(next), false};
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
    next.conflict = held->conflict || is_undecided(server, resolution);
    if (next == *held) return Judgement{PinVerdict::agrees, std::move(next)};
    auto verdict = next.conflict ? PinVerdict::conflict : PinVerdict::updated;
    return Judgement{verdict, std::move(next)};
}

PinVerdict KeyRing::consider(const protocol::ServerDocument& document, Millis now)
{
    auto judgement = judge(document, now);
    load(std::move(judgement.server));
    return judgement.verdict;
}

std::vector<ServerName> KeyRing::oldest_first() const
{
    std::vector<std::pair<Millis, ServerName>> all;
    all.reserve(servers_.size());
    for (const auto& [name, held] : servers_) all.emplace_back(held.pins.pinned_at, name);
    std::ranges::sort(all);
    std::vector<ServerName> names;
    names.reserve(all.size());
    for (auto& [at, name] : all) names.push_back(std::move(name));
    return names;
}

void KeyRing::load(PinnedServer server)
{
    auto name = server.server;
    auto resolution = resolve(server);
    resolution.bearings = {};
    servers_.insert_or_assign(std::move(name), Held{std::move(server), std::move(resolution)});
}

}  // namespace entente::trust
