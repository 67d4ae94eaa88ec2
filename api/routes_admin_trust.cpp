// /admin/trust: other servers, in which tier they are and why, and the administrators' word on it,
// over TrustDesk.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/admin_parts.hpp"
#include "api/asking.hpp"
#include "api/json_body.hpp"
#include "api/trust_desk.hpp"
#include "api/wire.hpp"
#include "net/ascii.hpp"
#include "protocol/json_rules.hpp"

namespace entente::api {
namespace {

using protocol::json_string;
using protocol::ServerName;
using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::int64_t max_entries_a_page = 500;
constexpr std::int64_t max_falls_a_page = 50;  // with evidence of up to 64 KiB each
constexpr std::size_t max_word_octets = 16;    // of a tier, a wish
constexpr std::size_t max_small_body = 16 * 1024;

Result<void> check_trust_reader(const Api& api, const Caller& caller, std::string_view object = {})
{
    return ask_policies(
        api, caller,
        {trust::policy::Action::peer_read, trust::policy::ResourceKind::server, object});
}

// The path's first {capture}.
Result<ServerName> server_of(const Api& api, const net::Request& request)
{
    return protocol::parse_server_name(request.captures.front(), api.options().names);
}

std::string verdict_members(const ServerName& server, const trust::Verdicted& verdict)
{
    std::string out = R"({"server":)" + json_string(server.str());
    out += R"(,"tier":")" + std::string(trust::to_text(verdict.tier)) + R"(","reason":")" +
           std::string(trust::to_text(verdict.reason)) + '"';
    if (!verdict.above.empty()) out += R"(,"above":)" + json_string(verdict.above.str());
    return out;
}

net::Response verdict_response(const ServerName& server, const trust::Verdicted& verdict)
{
    return json_response(200, verdict_members(server, verdict) + "}");
}

std::string entry_members(const storage::TierEntry& entry)
{
    std::string out = R"("tier":")" + std::string(trust::to_text(entry.tier)) + R"(","at":")" +
                      time_text(entry.at) + '"';
    if (!entry.comment.empty()) out += R"(,"comment":)" + json_string(entry.comment);
    if (!entry.origin.empty()) out += R"(,"list":)" + json_string(entry.origin);
    return out;
}

std::string open_standing_json(const trust::ServerStanding& standing)
{
    std::string out = R"({"accepted":)" + std::to_string(standing.accepted) + R"(,"falls":)" +
                      std::to_string(standing.falls);
    const auto add = [&](const char* name, protocol::Millis at) {
        if (at > 0) out += ",\"" + std::string(name) + R"(":")" + time_text(at) + '"';
    };
    add("first_contact", standing.first_contact);
    add("last_upheld", standing.last_upheld);
    add("fallen_until", standing.fallen_until);
    return out + "}";
}

std::string peering_members(const storage::PeeringRow& row)
{
    const auto word = [](bool value) { return std::string(value ? "true" : "false"); };
    return R"("ours":)" + word(row.ours) + R"(,"theirs":)" + word(row.theirs) + R"(,"mutual":)" +
           word(row.is_mutual());
}

std::string peering_json(const storage::PeeringRow& row)
{
    return R"({"server":)" + json_string(row.server.str()) + "," + peering_members(row) + "}";
}

std::string shown_trust_json(const ShownServer& shown)
{
    auto out = verdict_members(shown.server, shown.verdict);
    out += R"(,"mode":")" + std::string(trust::to_text(shown.mode)) + '"';
    if (shown.administrator)
        out += R"(,"administrator":{)" + entry_members(*shown.administrator) + "}";
    if (shown.configured)
        out += R"(,"configuration":{"tier":")" + std::string(trust::to_text(*shown.configured)) +
               "\"}";
    std::string lists = "[";
    for (const auto& entry : shown.lists) append_item(lists, "{" + entry_members(entry) + "}");
    out += R"(,"lists":)" + lists + "]";
    if (shown.peering && (shown.peering->ours || shown.peering->theirs))
        out += R"(,"peering":{)" + peering_members(*shown.peering) + "}";
    return out + R"(,"standing":)" + open_standing_json(shown.standing) + "}";
}

std::string open_fall_json(const storage::FallRow& row)
{
    std::string out = R"({"id":)" + std::to_string(row.id);
    out += R"(,"server":)" + json_string(row.fall.server.str());
    out += R"(,"offence":")" + std::string(trust::to_text(row.fall.offence)) + '"';
    out += R"(,"at":")" + time_text(row.fall.at) + R"(","until":")" + time_text(row.fall.until);
    const bool is_json = protocol::check_json(row.fall.evidence).has_value();
    return out + R"(","evidence":)" + (is_json ? row.fall.evidence : "null") + "}";
}

RouteResult show_trust(Api& api, Caller caller, const net::Request& request)
{
    auto server = server_of(api, request);
    if (!server) co_return fail(server);
    auto allowed = check_trust_reader(api, caller, server->str());
    if (!allowed) co_return fail(allowed);
    auto shown = co_await api.trust().show(std::move(*server));
    if (!shown) co_return fail(shown);
    co_return json_response(200, shown_trust_json(*shown));
}

// ?source=administrator, which it is where it is absent, or list.
RouteResult list_servers(Api& api, Caller caller, const net::Request& request)
{
    if (auto allowed = check_trust_reader(api, caller); !allowed) co_return fail(allowed);
    const auto word = request.parameter("source").value_or("administrator");
    if (word != "administrator" && word != "list")
        co_return refuse(Code::malformed, "?source: must be administrator or list");
    auto page = admin_page(request, max_entries_a_page);
    if (!page) co_return fail(page);
    const auto source = word == "list" ? trust::Source::list : trust::Source::administrator;
    auto entries = co_await api.trust().entries(source, page->after, page->limit);
    if (!entries) co_return fail(entries);
    std::string items = "[";
    for (const auto& entry : *entries)
        append_item(items, R"({"server":)" + json_string(entry.server.str()) + "," +
                               entry_members(entry) + "}");
    const bool is_last = entries->size() < page->limit;
    const auto last = is_last ? std::string() : entries->back().server.str();
    co_return json_response(200,
                            R"({"servers":)" + items + R"(],"next":)" + next_cursor(last) + "}");
}

RouteResult set_trust(Api& api, Caller caller, const net::Request& request)
{
    auto server = server_of(api, request);
    if (!server) co_return fail(server);
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    const auto tier = trust::tier_from(members.text("tier", max_word_octets));
    auto comment = members.text_or("comment", "", trust::max_comment_octets);
    if (!tier) members.breach("tier", "must be blocked, quarantined, guest, known or trusted");
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto verdict =
        co_await api.trust().set(administrator_of(caller), *server, *tier, std::move(comment));
    if (!verdict) co_return fail(verdict);
    co_return verdict_response(*server, *verdict);
}

RouteResult unset_trust(Api& api, Caller caller, const net::Request& request)
{
    auto server = server_of(api, request);
    if (!server) co_return fail(server);
    auto verdict = co_await api.trust().unset(administrator_of(caller), *server);
    if (!verdict) co_return fail(verdict);
    co_return verdict_response(*server, *verdict);
}

RouteResult pardon_server(Api& api, Caller caller, const net::Request& request)
{
    auto server = server_of(api, request);
    if (!server) co_return fail(server);
    auto verdict = co_await api.trust().pardon(administrator_of(caller), *server);
    if (!verdict) co_return fail(verdict);
    co_return verdict_response(*server, *verdict);
}

RouteResult list_falls(Api& api, Caller caller, const net::Request& request)
{
    if (auto allowed = check_trust_reader(api, caller); !allowed) co_return fail(allowed);
    auto page = admin_page(request, max_falls_a_page);
    if (!page) co_return fail(page);
    auto before = number_behind(*page);
    if (!before) co_return fail(before);
    std::optional<ServerName> server;
    if (const auto given = request.parameter("server")) {
        auto name = protocol::parse_server_name(*given, api.options().names);
        if (!name) co_return fail(name);
        server = std::move(*name);
    }
    auto rows = co_await api.trust().falls(std::move(server), *before, page->limit);
    if (!rows) co_return fail(rows);
    std::string items = "[";
    for (const auto& row : *rows) append_item(items, open_fall_json(row));
    const bool is_last = rows->size() < page->limit;
    const auto last = is_last ? std::string() : std::to_string(rows->back().id);
    co_return json_response(200, R"({"falls":)" + items + R"(],"next":)" + next_cursor(last) + "}");
}

// The CSV as it is; ?replace=true.
RouteResult import_list(Api& api, Caller caller, const net::Request& request)
{
    // Before megabytes are read for somebody who may not.
    auto allowed = ask_policies(api, caller,
                                {trust::policy::Action::peer_change,
                                 trust::policy::ResourceKind::server, request.captures.front()});
    if (!allowed) co_return fail(allowed);
    const auto type = net::lower_case(request.field("content-type").value_or(""));
    if (!type.starts_with("text/csv"))
        co_return refuse(Code::unsupported, "Content-Type: text/csv is needed");
    const auto replace = request.parameter("replace").value_or("false");
    if (replace != "true" && replace != "false")
        co_return refuse(Code::malformed, "?replace: must be true or false");
    ListWish wish{request.captures.front(), request.body, replace == "true"};
    auto list = wish.list;
    auto done = co_await api.trust().import(administrator_of(caller), std::move(wish));
    if (!done) co_return fail(done);
    std::string bad = "[";
    for (const auto& line : done->bad)
        append_item(bad, R"({"line":)" + std::to_string(line.line) + R"(,"why":)" +
                             json_string(line.why) + "}");
    std::string out = R"({"list":)" + json_string(list);
    out += R"(,"imported":)" + std::to_string(done->imported);
    out += R"(,"ignored":)" + std::to_string(done->ignored);
    out += R"(,"dropped":)" + std::to_string(done->dropped);
    out += R"(,"bad_lines":)" + std::to_string(done->bad_lines) + R"(,"bad":)" + bad + "]}";
    co_return json_response(200, std::move(out));
}

RouteResult export_list(Api& api, Caller caller, const net::Request&)
{
    if (auto allowed = check_trust_reader(api, caller); !allowed) co_return fail(allowed);
    auto csv = co_await api.trust().export_list();
    if (!csv) co_return fail(csv);
    net::Response response;
    response.content_type = "text/csv; charset=utf-8";
    response.body = std::move(*csv);
    co_return response;
}

RouteResult list_peerings(Api& api, Caller caller, const net::Request&)
{
    if (auto allowed = check_trust_reader(api, caller); !allowed) co_return fail(allowed);
    auto rows = co_await api.trust().peerings();
    if (!rows) co_return fail(rows);
    std::string items = "[";
    for (const auto& row : *rows)
        if (row.ours || row.theirs) append_item(items, peering_json(row));
    co_return json_response(200, R"({"peerings":)" + items + "]}");
}

RouteResult say_peering(Api& api, Caller caller, const net::Request& request)
{
    auto server = server_of(api, request);
    if (!server) co_return fail(server);
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    const auto wish = peering_wish_from(members.text("wish", max_word_octets));
    if (!wish) members.breach("wish", "must be propose, accept or end");
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto row = co_await api.trust().peer(administrator_of(caller), std::move(*server), *wish);
    if (!row) co_return fail(row);
    co_return json_response(200, peering_json(*row));
}

}  // namespace

void add_admin_trust_routes(net::Router& router, Api& api)
{
    const auto add = [&](const char* method, const std::string& path, std::size_t body,
                         CallerRoute route) {
        router.add({method, "/api/v1/admin/trust" + path, body, caller_route(api, route)});
    };
    add("GET", "/servers", 0, list_servers);
    add("GET", "/servers/{server}", 0, show_trust);
    add("PUT", "/servers/{server}", max_small_body, set_trust);
    add("DELETE", "/servers/{server}", max_small_body, unset_trust);
    add("POST", "/servers/{server}/pardon", max_small_body, pardon_server);
    add("POST", "/servers/{server}/peering", max_small_body, say_peering);
    add("GET", "/falls", 0, list_falls);
    add("GET", "/peerings", 0, list_peerings);
    add("GET", "/list", 0, export_list);
    add("POST", "/lists/{list}", trust::max_list_octets, import_list);
}

}  // namespace entente::api
