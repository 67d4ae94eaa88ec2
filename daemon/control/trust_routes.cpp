// Which tier other servers are in and why, the operator's word on it, what they fell for, and
// lists of servers.
#include <map>

#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"
#include "protocol/json_rules.hpp"
#include "trust/server_list.hpp"

namespace entente::daemon {

namespace {

using control::Json;
using protocol::ServerName;
using storage::TierEntry;
using trust::Source;
using trust::Tier;

constexpr std::size_t entries_at_once = trust::max_entries;
// What is shown of the lists that name a server.
constexpr std::size_t lists_shown = 100;

struct Kept {
    std::vector<TierEntry> administrator;  // one at most
    std::vector<TierEntry> lists;
    trust::ServerStanding standing;
    std::optional<storage::PeeringRow> peering;
};

struct ReadKept {
    ServerName server;

    Result<Kept> operator()(storage::Connection& db)
    {
        auto own = storage::tier_entries_of(db, Source::administrator, server, 1);
        if (!own) return fail(own);
        auto listed = storage::tier_entries_of(db, Source::list, server, lists_shown);
        if (!listed) return fail(listed);
        auto standing = storage::find_standing(db, server);
        if (!standing) return fail(standing);
        auto peering = storage::find_peering(db, server);
        if (!peering) return fail(peering);
        return Kept{std::move(*own), std::move(*listed), *standing, std::move(*peering)};
    }
};

struct ReadFalls {
    std::optional<ServerName> server;
    std::int64_t before = 0;
    std::size_t limit = 0;

    Result<std::vector<storage::FallRow>> operator()(storage::Connection& db)
    {
        return storage::falls(db, server, before, limit);
    }
};

// A list as it came, on a reader's thread: 8 MiB are no work for the one that all others wait for.
struct ParsedList {
    std::vector<TierEntry> entries;
    std::size_t ignored = 0;
    std::size_t bad_lines = 0;
    std::vector<trust::BadLine> bad;
};

struct ParseList {
    std::string csv;
    protocol::NameRules rules;
    ServerName self;
    protocol::Millis now = 0;

    Result<ParsedList> operator()(storage::Connection& /*db*/)
    {
        auto list = trust::parse_server_list(csv, rules);
        if (!list) return fail(list);
        ParsedList parsed{{}, list->ignored, list->bad_lines, std::move(list->bad)};
        for (auto& entry : list->entries) {
            // Whoever lists this server has nothing to say here.
            if (entry.server == self) {
                ++parsed.ignored;
                continue;
            }
            parsed.entries.push_back(
                {std::move(entry.server), entry.tier, std::move(entry.comment), now});
        }
        return parsed;
    }
};

// What this server blocks or quarantines by anybody's word, as CSV: not what the servers brought
// on themselves, which others can't judge.
struct WriteList {
    trust::Tiers::Entries configured;

    Result<std::string> operator()(storage::Connection& db)
    {
        auto listed = storage::tier_entries(db, Source::list, entries_at_once);
        if (!listed) return fail(listed);
        auto own = storage::tier_entries(db, Source::administrator, entries_at_once);
        if (!own) return fail(own);
        std::map<ServerName, trust::ListEntry> chosen;
        const auto as_listed = [](TierEntry& row) {
            return trust::ListEntry{row.server, row.tier, std::move(row.comment),
                                    std::move(row.origin)};
        };
        // The strictest list's word comes first; the administrator's, which wins, last.
        for (auto& row : *listed) chosen.try_emplace(row.server, as_listed(row));
        for (const auto& [server, tier] : configured) chosen[server] = {server, tier, ""};
        for (auto& row : *own) chosen[row.server] = as_listed(row);
        std::vector<trust::ListEntry> entries;
        for (auto& [server, entry] : chosen) {
            if (entry.tier < Tier::guest) entries.push_back(std::move(entry));
        }
        return trust::write_server_list(entries);
    }
};

Json entry_json(const TierEntry& entry)
{
    Json json{{"tier", trust::to_text(entry.tier)}, {"at", entry.at}};
    if (!entry.comment.empty()) json["comment"] = entry.comment;
    if (!entry.origin.empty()) json["list"] = entry.origin;
    return json;
}

Json standing_json(const trust::ServerStanding& standing)
{
    Json json{{"accepted", standing.accepted}, {"falls", standing.falls}};
    if (standing.first_contact > 0) json["first_contact"] = standing.first_contact;
    if (standing.last_upheld > 0) json["last_upheld"] = standing.last_upheld;
    if (standing.fallen_until > 0) json["fallen_until"] = standing.fallen_until;
    return json;
}

Json verdict_json(const ControlParts& parts, const ServerName& server)
{
    const auto* pin = parts.discovery.ring().find(server);
    const auto verdict =
        parts.tiers.explain(server, pin != nullptr && pin->conflict, parts.clock.now_ms());
    Json json{{"server", server.str()},
              {"tier", trust::to_text(verdict.tier)},
              {"reason", trust::to_text(verdict.reason)}};
    if (!verdict.above.empty()) json["above"] = verdict.above.str();
    return json;
}

Json fall_json(const storage::FallRow& row)
{
    Json json{{"id", row.id},
              {"server", row.fall.server.str()},
              {"offence", trust::to_text(row.fall.offence)},
              {"at", row.fall.at},
              {"until", row.fall.until}};
    auto evidence = Json::parse(row.fall.evidence, nullptr, false);
    if (!evidence.is_discarded()) json["evidence"] = std::move(evidence);
    return json;
}

Json bad_lines_json(const std::vector<trust::BadLine>& lines)
{
    auto json = Json::array();
    for (const auto& bad : lines) json.push_back({{"line", bad.line}, {"why", bad.why}});
    return json;
}

}  // namespace

void Control::add_trust_routes(net::Router& router)
{
    router.add({"GET", "/control/v1/trust/servers/{server}", 0,
                [this](const net::Request& request) { return show_trust(request); }});
    router.add({"POST", "/control/v1/trust/servers/{server}/set", 0,
                [this](const net::Request& request) { return set_trust(request); }});
    router.add({"POST", "/control/v1/trust/servers/{server}/unset", 0,
                [this](const net::Request& request) { return unset_trust(request); }});
    router.add({"POST", "/control/v1/trust/servers/{server}/pardon", 0,
                [this](const net::Request& request) { return pardon(request); }});
    router.add({"GET", "/control/v1/trust/falls", 0,
                [this](const net::Request& request) { return falls(request); }});
    router.add({"POST", "/control/v1/trust/list", trust::max_list_octets,
                [this](const net::Request& request) { return import_list(request); }});
    router.add({"GET", "/control/v1/trust/list", 0,
                [this](const net::Request& request) { return export_list(request); }});
}

asio::awaitable<net::Response> Control::show_trust(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    ReadKept job{*name};
    auto kept = co_await parts_.commits.read(std::move(job));
    if (!kept) co_return control::refusal(kept.error(), parts_.clock.now_ms());
    auto json = verdict_json(parts_, *name);
    json["now"] = parts_.clock.now_ms();
    json["mode"] = trust::to_text(parts_.tiers.mode());
    for (const auto& own : kept->administrator) json["administrator"] = entry_json(own);
    for (const auto& listed : kept->lists) json["lists"].push_back(entry_json(listed));
    if (kept->peering && (kept->peering->ours || kept->peering->theirs))
        json["peering"] = {{"ours", kept->peering->ours}, {"theirs", kept->peering->theirs}};
    if (const auto configured = parts_.tiers.configured(*name))
        json["configuration"] = {{"tier", trust::to_text(*configured)}};
    // What has come since the last time that it was written isn't counted yet.
    json["standing"] = standing_json(kept->standing);
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::set_trust(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (name && *name == parts_.identity.name)
        name = refuse(Code::malformed, "that is this server itself");
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    const auto tier = trust::tier_from(request.parameter("tier").value_or(""));
    auto comment = request.parameter("comment").value_or("");
    if (!tier || comment.size() > trust::max_comment_octets) {
        const auto wrong = refuse(Code::malformed, "no such tier, or a comment over 512 octets");
        co_return control::refusal(wrong.value(), parts_.clock.now_ms());
    }
    TierEntry entry{*name, *tier, std::move(comment), parts_.clock.now_ms()};
    auto put = co_await parts_.conduct.put(Source::administrator, std::move(entry));
    if (!put) co_return control::refusal(put.error(), parts_.clock.now_ms());
    co_return control::answer(verdict_json(parts_, *name));
}

asio::awaitable<net::Response> Control::unset_trust(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    auto dropped = co_await parts_.conduct.drop(Source::administrator, *name);
    if (dropped && !*dropped)
        dropped = refuse(Code::not_found, "nobody has set " + name->str() + " here");
    if (!dropped) co_return control::refusal(dropped.error(), parts_.clock.now_ms());
    co_return control::answer(verdict_json(parts_, *name));
}

asio::awaitable<net::Response> Control::pardon(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    auto pardoned = co_await parts_.conduct.pardon(*name);
    if (pardoned && !*pardoned)
        pardoned = refuse(Code::not_found, name->str() + " has nothing to be pardoned");
    if (!pardoned) co_return control::refusal(pardoned.error(), parts_.clock.now_ms());
    co_return control::answer(verdict_json(parts_, *name));
}

asio::awaitable<net::Response> Control::falls(const net::Request& request)
{
    auto page = control::page_of(request);
    if (!page) co_return control::refusal(page.error(), parts_.clock.now_ms());
    ReadFalls job;
    job.limit = page->limit;
    if (!page->after.empty()) {
        auto before = control::whole_number(page->after, protocol::max_json_integer);
        if (!before) co_return control::refusal(before.error(), parts_.clock.now_ms());
        job.before = *before;
    }
    if (const auto given = request.parameter("server")) {
        auto name = protocol::parse_server_name(*given, parts_.identity.names);
        if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
        job.server = std::move(*name);
    }
    auto rows = co_await parts_.commits.read(std::move(job));
    if (!rows) co_return control::refusal(rows.error(), parts_.clock.now_ms());
    auto json = control::page_json(*page, rows->size(), parts_.clock.now_ms());
    auto& list = json["falls"] = Json::array();
    for (const auto& row : *rows) list.push_back(fall_json(row));
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::import_list(const net::Request& request)
{
    federation::ListImport wish;
    wish.list = request.parameter("name").value_or("");
    wish.replaces = control::has_flag(request, "replace");
    if (!trust::is_list_name(wish.list)) {
        const auto wrong = refuse(Code::malformed, "a list's name is 1 to 64 of A-Z a-z 0-9 . _ -");
        co_return control::refusal(wrong.value(), parts_.clock.now_ms());
    }
    ParseList job{request.body, parts_.identity.names, parts_.identity.name, parts_.clock.now_ms()};
    auto parsed = co_await parts_.commits.read(std::move(job));
    if (!parsed) co_return control::refusal(parsed.error(), parts_.clock.now_ms());
    Json json{{"list", wish.list},
              {"imported", parsed->entries.size()},
              {"ignored", parsed->ignored},
              {"bad_lines", parsed->bad_lines},
              {"bad", bad_lines_json(parsed->bad)}};
    wish.entries = std::move(parsed->entries);
    auto dropped = co_await parts_.conduct.import(std::move(wish));
    if (!dropped) co_return control::refusal(dropped.error(), parts_.clock.now_ms());
    json["dropped"] = *dropped;
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::export_list(const net::Request& /*request*/)
{
    WriteList job{parts_.tiers.configuration()};
    auto csv = co_await parts_.commits.read(std::move(job));
    if (!csv) co_return control::refusal(csv.error(), parts_.clock.now_ms());
    net::Response response;
    response.content_type = "text/csv; charset=utf-8";
    response.body = std::move(*csv);
    co_return response;
}

}  // namespace entente::daemon
