// Which tier other servers are in and why, the operator's word on it, what they fell for, and
// lists of servers.
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"
#include "protocol/json_rules.hpp"

namespace entente::daemon {

namespace {

using control::Json;
using protocol::ServerName;
using storage::TierEntry;

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

Json verdict_json(const ServerName& server, const trust::Verdicted& verdict)
{
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
    auto shown = co_await parts_.trust.show(*name);
    if (!shown) co_return control::refusal(shown.error(), parts_.clock.now_ms());
    auto json = verdict_json(*name, shown->verdict);
    json["now"] = parts_.clock.now_ms();
    json["mode"] = trust::to_text(shown->mode);
    if (shown->administrator) json["administrator"] = entry_json(*shown->administrator);
    for (const auto& listed : shown->lists) json["lists"].push_back(entry_json(listed));
    if (shown->peering && (shown->peering->ours || shown->peering->theirs))
        json["peering"] = {{"ours", shown->peering->ours}, {"theirs", shown->peering->theirs}};
    if (shown->configured) json["configuration"] = {{"tier", trust::to_text(*shown->configured)}};
    json["standing"] = standing_json(shown->standing);
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::set_trust(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    const auto tier = trust::tier_from(request.parameter("tier").value_or(""));
    const auto unknown = refuse(Code::malformed, "no such tier");
    if (!tier) co_return control::refusal(unknown.value(), parts_.clock.now_ms());
    auto comment = request.parameter("comment").value_or("");
    api::Administrator by;
    auto verdict = co_await parts_.trust.set(std::move(by), *name, *tier, std::move(comment));
    if (!verdict) co_return control::refusal(verdict.error(), parts_.clock.now_ms());
    co_return control::answer(verdict_json(*name, *verdict));
}

asio::awaitable<net::Response> Control::unset_trust(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    api::Administrator by;
    auto verdict = co_await parts_.trust.unset(std::move(by), *name);
    if (!verdict) co_return control::refusal(verdict.error(), parts_.clock.now_ms());
    co_return control::answer(verdict_json(*name, *verdict));
}

asio::awaitable<net::Response> Control::pardon(const net::Request& request)
{
    auto name = control::server_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    api::Administrator by;
    auto verdict = co_await parts_.trust.pardon(std::move(by), *name);
    if (!verdict) co_return control::refusal(verdict.error(), parts_.clock.now_ms());
    co_return control::answer(verdict_json(*name, *verdict));
}

asio::awaitable<net::Response> Control::falls(const net::Request& request)
{
    auto page = control::page_of(request);
    if (!page) co_return control::refusal(page.error(), parts_.clock.now_ms());
    std::int64_t before = 0;
    if (!page->after.empty()) {
        auto number = control::whole_number(page->after, protocol::max_json_integer);
        if (!number) co_return control::refusal(number.error(), parts_.clock.now_ms());
        before = *number;
    }
    std::optional<ServerName> server;
    if (const auto given = request.parameter("server")) {
        auto name = protocol::parse_server_name(*given, parts_.identity.names);
        if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
        server = std::move(*name);
    }
    auto rows = co_await parts_.trust.falls(std::move(server), before, page->limit);
    if (!rows) co_return control::refusal(rows.error(), parts_.clock.now_ms());
    auto json = control::page_json(*page, rows->size(), parts_.clock.now_ms());
    auto& list = json["falls"] = Json::array();
    for (const auto& row : *rows) list.push_back(fall_json(row));
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::import_list(const net::Request& request)
{
    api::ListWish wish{request.parameter("name").value_or(""), request.body,
                       control::has_flag(request, "replace")};
    auto list = wish.list;
    api::Administrator by;
    auto done = co_await parts_.trust.import(std::move(by), std::move(wish));
    if (!done) co_return control::refusal(done.error(), parts_.clock.now_ms());
    Json json{{"list", list},
              {"imported", done->imported},
              {"ignored", done->ignored},
              {"dropped", done->dropped},
              {"bad_lines", done->bad_lines},
              {"bad", bad_lines_json(done->bad)}};
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::export_list(const net::Request& /*request*/)
{
    auto csv = co_await parts_.trust.export_list();
    if (!csv) co_return control::refusal(csv.error(), parts_.clock.now_ms());
    net::Response response;
    response.content_type = "text/csv; charset=utf-8";
    response.body = std::move(*csv);
    co_return response;
}

}  // namespace entente::daemon
