// Other servers: who there is, how the links stand, whether logs are the same.
#include <set>
#include <variant>

#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"
#include "storage/peer_reader.hpp"

namespace entente::daemon {

namespace {

using control::Json;
using protocol::ServerName;

struct PeerRow {
    ServerName server;
    storage::OwedSummary owed;
};

struct ReadPeers {
    ServerName self;
    control::Page page;

    Result<std::vector<PeerRow>> operator()(storage::Connection& db)
    {
        auto names = storage::known_peers(db, self, page.after, page.limit);
        if (!names) return fail(names);
        std::vector<PeerRow> rows;
        for (auto& name : *names) {
            auto owed = storage::owed_to(db, self, name);
            if (!owed) return fail(owed);
            rows.push_back({std::move(name), *owed});
        }
        return rows;
    }
};

struct ReadPeer {
    ServerName self;
    ServerName peer;

    Result<std::optional<storage::OwedSummary>> operator()(storage::Connection& db)
    {
        auto known = storage::is_known_peer(db, peer);
        if (!known) return fail(known);
        if (!*known) return std::optional<storage::OwedSummary>{};
        auto owed = storage::owed_to(db, self, peer);
        if (!owed) return fail(owed);
        return std::optional{*owed};
    }
};

struct ReadShared {
    ServerName self;
    ServerName peer;
    control::Page page;

    Result<std::vector<storage::SharedChannel>> operator()(storage::Connection& db)
    {
        return storage::shared_channels(db, self, peer, page.after, page.limit);
    }
};

Json owed_json(const storage::OwedSummary& owed)
{
    Json json{{"channels", owed.channels},
              {"entries", owed.entries},
              {"submissions", owed.submissions},
              {"direct", owed.direct}};
    if (owed.oldest_at > 0) json["oldest_at"] = owed.oldest_at;
    return json;
}

Json link_json(const std::optional<federation::LinkState>& link)
{
    if (!link) return {{"state", "idle"}};
    Json json{{"state", link->next_try > 0 ? "waiting" : "working"}, {"failures", link->failures}};
    if (link->next_try > 0) json["next_try"] = link->next_try;
    if (link->problem) json["problem"] = control::problem_json(*link->problem);
    return json;
}

Json peer_json(const ControlParts& parts, const ServerName& server,
               const storage::OwedSummary& owed)
{
    const auto* pin = parts.discovery.ring().find(server);
    const bool conflict = pin != nullptr && pin->conflict;
    Json json{{"server", server.str()},
              {"pinned", pin != nullptr},
              {"key_conflict", conflict},
              {"tier", trust::to_text(parts.tiers.tier_of(server, conflict, parts.clock.now_ms()))},
              {"owed", owed_json(owed)},
              {"link", link_json(parts.links.state_of(server))}};
    if (const auto heard = parts.links.last_heard().of(server)) json["last_heard"] = heard;
    return json;
}

std::string_view text_of(trust::KeyStatus status)
{
    switch (status) {
        case trust::KeyStatus::active: return "active";
        case trust::KeyStatus::retired: return "retired";
        case trust::KeyStatus::lost:
        case trust::KeyStatus::revoked: break;
    }
    return "revoked";
}

Json key_json(const trust::PinnedKey& key)
{
    Json shown{
        {"kid", key.key.thumbprint().str()}, {"status", text_of(key.status)}, {"from", key.from}};
    if (key.until > 0) shown["until"] = key.until;
    if (key.revoked_at > 0) shown["revoked_at"] = key.revoked_at;
    return shown;
}

// The keys that were pinned first and those of rotations since, as they stand today.
void add_pin(Json& json, const trust::KeyRing& ring, const trust::PinnedServer& pin)
{
    json["api"] = pin.api;
    json["pinned_at"] = pin.pinned_at;
    json["limits"] = {{"transaction_bytes", pin.limits.bytes},
                      {"transaction_items", pin.limits.items}};
    if (const auto* recovery = ring.recovery_key(pin.server))
        json["recovery"] = recovery->thumbprint().str();
    std::set<protocol::KeyId> ids;
    for (const auto& key : pin.keys) ids.insert(key.key.thumbprint());
    for (const auto& held : pin.statements) {
        const auto* rotation = std::get_if<protocol::Rotation>(&held.statement.what);
        if (rotation != nullptr) ids.insert(rotation->key.thumbprint());
    }
    json["keys"] = Json::array();
    for (const auto& id : ids) {
        if (const auto* key = ring.find_key({pin.server, id}))
            json["keys"].push_back(key_json(*key));
    }
    for (const auto& key : pin.refused) json["refused"].push_back(key.thumbprint().str());
}

Json cursor_json(const storage::CursorRow& cursor)
{
    Json json{{"seq", cursor.seq}, {"floor", cursor.floor}};
    if (cursor.until > 0) json["until"] = cursor.until;
    return json;
}

Json entry_json(const federation::OwnEntry& entry)
{
    return {{"hash", entry.at.hash}, {"event", protocol::to_base64url(entry.event)}};
}

Json comparison_json(const federation::Comparison& compared)
{
    Json json{{"channel", compared.channel.str()},
              {"home", compared.home.str()},
              {"result", federation::to_text(compared.sameness)},
              {"after", compared.after},
              {"through", compared.through},
              {"here", compared.here},
              {"there", compared.there}};
    if (!compared.why.empty()) json["why"] = compared.why;
    if (const auto& difference = compared.difference) {
        Json shown{{"seq", difference->seq},
                   {"here", entry_json(difference->here)},
                   {"signed", difference->is_signed}};
        if (difference->there) shown["there"] = entry_json(*difference->there);
        json["difference"] = std::move(shown);
    }
    if (const auto& flaw = compared.flaw)
        json["damage"] = {{"first", flaw->first}, {"last", flaw->last}, {"what", flaw->what}};
    return json;
}

}  // namespace

void Control::add_peer_routes(net::Router& router)
{
    router.add({"GET", "/control/v1/peers", 0,
                [this](const net::Request& request) { return peers(request); }});
    router.add({"GET", "/control/v1/peers/{server}", 0,
                [this](const net::Request& request) { return peer(request); }});
    router.add({"GET", "/control/v1/peers/{server}/channels", 0,
                [this](const net::Request& request) { return peer_channels(request); }});
    router.add({"POST", "/control/v1/peers/{server}/wake", 0,
                [this](const net::Request& request) { return wake(request); }});
    router.add({"POST", "/control/v1/peers/{server}/channels/{channel}/verify", 0,
                [this](const net::Request& request) { return verify(request); }});
}

asio::awaitable<net::Response> Control::peers(const net::Request& request)
{
    auto page = control::page_of(request);
    if (!page) co_return control::refusal(page.error(), parts_.clock.now_ms());
    ReadPeers job{parts_.identity.name, *page};
    auto rows = co_await parts_.commits.read(std::move(job));
    if (!rows) co_return control::refusal(rows.error(), parts_.clock.now_ms());
    auto json = control::page_json(*page, rows->size(), parts_.clock.now_ms());
    auto& list = json["peers"] = Json::array();
    for (const auto& row : *rows) list.push_back(peer_json(parts_, row.server, row.owed));
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::peer(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    ReadPeer job{parts_.identity.name, *name};
    auto owed = co_await parts_.commits.read(std::move(job));
    if (!owed) co_return control::refusal(owed.error(), parts_.clock.now_ms());
    if (!*owed) {
        const auto unknown = refuse(Code::not_found, "nothing is known here of " + name->str());
        co_return control::refusal(unknown.value(), parts_.clock.now_ms());
    }
    auto json = peer_json(parts_, *name, **owed);
    const auto& ring = parts_.discovery.ring();
    if (const auto* pin = ring.find(*name)) add_pin(json, ring, *pin);
    json["now"] = parts_.clock.now_ms();
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::peer_channels(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    auto page = control::page_of(request);
    if (!page) co_return control::refusal(page.error(), parts_.clock.now_ms());
    ReadShared job{parts_.identity.name, *name, *page};
    auto shared = co_await parts_.commits.read(std::move(job));
    if (!shared) co_return control::refusal(shared.error(), parts_.clock.now_ms());
    auto json = control::page_json(*page, shared->size(), parts_.clock.now_ms());
    auto& list = json["channels"] = Json::array();
    for (const auto& each : *shared) {
        auto shown = control::channel_json(each.channel, parts_.identity.names);
        if (each.cursor) shown["cursor"] = cursor_json(*each.cursor);
        control::add_stall(shown, each.stall);
        list.push_back(std::move(shown));
    }
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::wake(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (name && *name == parts_.identity.name)
        name = refuse(Code::malformed, "that is this server itself");
    if (name && !parts_.federates) name = refuse(Code::unavailable, "federation is switched off");
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    ReadPeer job{parts_.identity.name, *name};
    auto owed = co_await parts_.commits.read(std::move(job));
    if (!owed) co_return control::refusal(owed.error(), parts_.clock.now_ms());
    if (!*owed) {
        const auto unknown = refuse(Code::not_found, "nothing is known here of " + name->str());
        co_return control::refusal(unknown.value(), parts_.clock.now_ms());
    }
    // Else the next attempt would fail by the memory of the last one [DISC-4].
    parts_.discovery.heard_from(*name);
    parts_.links.urge(*name);
    Json json;
    json["server"] = name->str();
    json["owed"] = owed_json(**owed);
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::verify(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (name && !parts_.federates) name = refuse(Code::unavailable, "federation is switched off");
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    auto channel = control::channel_capture(request, 1, parts_.identity.names);
    if (!channel) co_return control::refusal(channel.error(), parts_.clock.now_ms());
    auto compared =
        co_await parts_.comparison.compare(*name, *channel, control::has_flag(request, "all"));
    if (!compared) co_return control::refusal(compared.error(), parts_.clock.now_ms());
    co_return control::answer(comparison_json(*compared));
}

}  // namespace entente::daemon
