// /admin/audit: the log of what administrators have done, for administrators.
#include "api/admin_parts.hpp"
#include "api/api.hpp"
#include "api/asking.hpp"
#include "api/wire.hpp"
#include "protocol/json_rules.hpp"
#include "storage/audit_store.hpp"

namespace entente::api {
namespace {

using protocol::json_string;
using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::int64_t max_entries_a_page = 200;

std::string entry_json(const trust::AuditEntry& entry)
{
    std::string out = R"({"seq":)" + std::to_string(entry.seq);
    out += R"(,"at":")" + time_text(entry.at) + R"(","actor":)" + json_string(entry.actor);
    out += R"(,"act":)" + json_string(entry.act) + R"(,"object":)" + json_string(entry.object);
    out += R"(,"details":)" + entry.details;
    return out + R"(,"hash":")" + entry.hash + "\"}";
}

RouteResult list(Api& api, Caller caller, const net::Request& request)
{
    auto allowed = ask_policies(api, caller, {trust::policy::Action::audit_read});
    if (!allowed) co_return fail(allowed);
    auto page = admin_page(request, max_entries_a_page);
    if (!page) co_return fail(page);
    auto before = number_behind(*page);
    if (!before) co_return fail(before);
    auto job = [from = *before == 0 ? protocol::max_json_integer : *before, limit = page->limit](
                   storage::Connection& db) { return storage::audit_before(db, from, limit); };
    auto entries = co_await api.parts().commit.read(std::move(job));
    if (!entries) co_return fail(entries);
    std::string items = "[";
    for (const auto& entry : *entries) append_item(items, entry_json(entry));
    const bool is_last = entries->empty() || entries->back().seq == 1;
    const auto last = is_last ? std::string() : std::to_string(entries->back().seq);
    co_return json_response(200,
                            R"({"entries":)" + items + R"(],"next":)" + next_cursor(last) + "}");
}

}  // namespace

void add_admin_audit_routes(net::Router& router, Api& api)
{
    router.add({"GET", "/api/v1/admin/audit", 0, caller_route(api, list)});
}

}  // namespace entente::api
