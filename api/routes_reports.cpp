// /reports and /admin/reports: what users tell moderators, and what administrators see of it and
// make of it, over ReportDesk.
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/admin_parts.hpp"
#include "api/api.hpp"
#include "api/asking.hpp"
#include "api/json_body.hpp"
#include "api/report_desk.hpp"
#include "api/route_parts.hpp"
#include "api/text_limits.hpp"
#include "api/wire.hpp"
#include "federation/people/reports.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/raw_members.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::size_t max_report_body = 16 * 1024;
constexpr std::int64_t max_reports_a_page = 200;

RouteResult report(Api& api, Caller caller, const net::Request& request)
{
    auto object = object_text(request);
    if (!object) co_return fail(object);
    protocol::RawMembers members{*object, ""};
    federation::Actor actor{caller.user, caller.device, members.uuid("txn"), person_of(caller)};
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto read = federation::parse_report(*object, api.options().names);
    if (!read) co_return fail(read);
    read->proof.clear();  // what proves it an administrator decides to send
    auto allowed = ask_report(api, caller, read->user, request.body.size());
    if (!allowed) co_return fail(allowed);
    auto counted = api.report_counts().take(caller.user.str(), api.now());
    if (!counted) co_return fail(counted);
    auto done = co_await api.people().report(std::move(actor), std::move(*read));
    if (!done) co_return fail(done);
    co_return json_response(201, "{}");
}

std::string report_json(const storage::ReportRow& row)
{
    using protocol::json_string;
    std::string out = R"({"id":)" + std::to_string(row.id);
    out += R"(,"at":")" + time_text(row.at) + R"(","origin":)" + json_string(row.origin);
    out += R"(,"from":)" + json_string(row.sender) + R"(,"user":)" + json_string(row.user);
    if (!row.channel.empty()) out += R"(,"channel":)" + json_string(row.channel);
    if (!row.event.empty()) out += R"(,"event":)" + json_string(row.event);
    if (row.is_proven) out += R"(,"proven":true)";
    if (!row.against.empty()) out += R"(,"counts_against":")" + row.against + '"';
    if (row.sent_at > 0) out += R"(,"sent_at":")" + time_text(row.sent_at) + '"';
    if (!row.verdict.empty()) {
        out += R"(,"verdict":")" + row.verdict + R"(","closed_by":)" + json_string(row.closed_by);
        out += R"(,"closed_at":")" + time_text(row.closed_at) + '"';
    }
    return out + R"(,"reason":)" + json_string(row.reason) + "}";
}

Result<std::int64_t> number_in(std::string_view text)
{
    std::int64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc{} || read.ptr != end || number < 0)
        return fail(Code::malformed, "no number");
    return number;
}

Result<std::int64_t> report_of(const net::Request& request)
{
    auto number = number_in(request.captures.front());
    if (!number) return refuse(Code::not_found, "no such report");
    return number;
}

// ?state=open, or nothing, and ?state=closed.
Result<bool> wants_closed(const net::Request& request)
{
    const auto state = request.parameter("state").value_or("open");
    if (state != "open" && state != "closed")
        return refuse(Code::malformed, "?state: open or closed is needed");
    return state == "closed";
}

RouteResult list(Api& api, Caller caller, const net::Request& request)
{
    auto allowed = ask_policies(api, caller, {trust::policy::Action::report_list});
    if (!allowed) co_return fail(allowed);
    auto are_closed = wants_closed(request);
    if (!are_closed) co_return fail(are_closed);
    auto page = admin_page(request, max_reports_a_page);
    if (!page) co_return fail(page);
    auto after = number_in(page->after.empty() ? "0" : page->after);
    if (!after) co_return refuse(Code::malformed, "?cursor: not one of ours");
    auto rows = co_await api.reports().list(*are_closed, *after, page->limit);
    if (!rows) co_return fail(rows);
    std::string items = "[";
    for (const auto& row : *rows) append_item(items, report_json(row));
    const auto last = rows->size() < page->limit ? "" : std::to_string(rows->back().id);
    co_return json_response(200,
                            R"({"reports":)" + items + R"(],"next":)" + next_cursor(last) + "}");
}

// As ententctl verify-proof reads it.
RouteResult show_proof(Api& api, Caller caller, const net::Request& request)
{
    auto allowed = ask_policies(api, caller, {trust::policy::Action::report_list});
    if (!allowed) co_return fail(allowed);
    auto id = report_of(request);
    if (!id) co_return fail(id);
    auto text = co_await api.reports().proof(*id);
    if (!text) co_return fail(text);
    co_return json_response(200, std::move(*text));
}

RouteResult close(Api& api, Caller caller, const net::Request& request)
{
    auto id = report_of(request);
    if (!id) co_return fail(id);
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    const auto verdict = verdict_from(members.text("verdict", max_word_octets));
    if (!verdict) members.breach("verdict", "upheld or dismissed is needed");
    auto reason = members.text_or("reason", "", max_act_reason_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto row =
        co_await api.reports().close(administrator_of(caller), *id, *verdict, std::move(reason));
    if (!row) co_return fail(row);
    co_return json_response(200, report_json(*row));
}

RouteResult send_report(Api& api, Caller caller, const net::Request& request)
{
    auto id = report_of(request);
    if (!id) co_return fail(id);
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    const bool with_content = members.flag_or("with_content", true);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto row = co_await api.reports().send(administrator_of(caller), *id, with_content);
    if (!row) co_return fail(row);
    co_return json_response(200, report_json(*row));
}

}  // namespace

void add_report_routes(net::Router& router, Api& api)
{
    router.add({"POST", "/api/v1/reports", max_report_body, caller_route(api, report)});
    router.add({"GET", "/api/v1/admin/reports", 0, caller_route(api, list)});
    router.add({"GET", "/api/v1/admin/reports/{report}/proof", 0, caller_route(api, show_proof)});
    router.add({"POST", "/api/v1/admin/reports/{report}/close", max_report_body,
                caller_route(api, close)});
    router.add({"POST", "/api/v1/admin/reports/{report}/send", max_report_body,
                caller_route(api, send_report)});
}

}  // namespace entente::api
