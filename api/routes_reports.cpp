// /reports and /admin/reports: what users tell moderators, and what moderators see of it.
#include <charconv>
#include <limits>
#include <utility>

#include "api/api.hpp"
#include "api/json_body.hpp"
#include "api/route_parts.hpp"
#include "api/wire.hpp"
#include "federation/reports.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/raw_members.hpp"
#include "storage/report_store.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::size_t max_report_body = 16 * 1024;
constexpr std::int64_t max_reports_a_page = 200;

RouteResult report(Api& api, Caller caller, const net::Request& request)
{
    auto text = json_text(request);
    if (!text) co_return fail(text);
    auto object = protocol::checked_object(*text);
    if (!object) co_return fail(object);
    protocol::RawMembers members{*object, ""};
    federation::Actor actor{caller.user, caller.device, members.uuid("txn")};
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto read = federation::parse_report(*object, api.options().names);
    if (!read) co_return fail(read);
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
    return out + R"(,"reason":)" + json_string(row.reason) + "}";
}

Result<void> check_moderator(const Caller& caller)
{
    if (caller.role == storage::AccountRole::user)
        return refuse(Code::forbidden, "for administrators");
    return {};
}

RouteResult list(Api& api, Caller caller, const net::Request& request)
{
    if (auto allowed = check_moderator(caller); !allowed) co_return fail(allowed);
    auto after = number_parameter(request, "after", 0, 0, std::numeric_limits<std::int64_t>::max());
    if (!after) co_return fail(after);
    auto limit = number_parameter(request, "limit", 50, 1, max_reports_a_page);
    if (!limit) co_return fail(limit);
    auto job = [from = *after, most = static_cast<std::size_t>(*limit)](storage::Connection& db) {
        return storage::reports_after(db, from, most);
    };
    auto rows = co_await api.parts().commit.read(std::move(job));
    if (!rows) co_return fail(rows);
    std::string items = "[";
    for (const auto& row : *rows) append_item(items, report_json(row));
    co_return json_response(200, R"({"reports":)" + items + "]}");
}

RouteResult close(Api& api, Caller caller, const net::Request& request)
{
    if (auto allowed = check_moderator(caller); !allowed) co_return fail(allowed);
    const auto& text = request.captures.front();
    std::int64_t id = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, id);
    if (read.ec != std::errc{} || read.ptr != end)
        co_return refuse(Code::not_found, "no such report");
    auto job = [id](storage::WriteTransaction& transaction) {
        return storage::drop_report(transaction.db(), id);
    };
    auto closed = co_await api.parts().commit.write(std::move(job));
    if (!closed) co_return fail(closed);
    co_return json_response(204, "");
}

}  // namespace

void add_report_routes(net::Router& router, Api& api)
{
    router.add({"POST", "/api/v1/reports", max_report_body, caller_route(api, report)});
    router.add({"GET", "/api/v1/admin/reports", 0, caller_route(api, list)});
    router.add(
        {"DELETE", "/api/v1/admin/reports/{report}", max_report_body, caller_route(api, close)});
}

}  // namespace entente::api
