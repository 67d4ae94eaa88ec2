// Reports, as the operator closes them and passes them on.
#include "api/report_desk.hpp"
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"
#include "protocol/json_rules.hpp"

namespace entente::daemon {

namespace {

using control::Json;

Json report_json(const storage::ReportRow& row)
{
    Json json{{"id", std::to_string(row.id)}, {"at", row.at},     {"origin", row.origin},
              {"from", row.sender},           {"user", row.user}, {"reason", row.reason}};
    if (!row.channel.empty()) json["channel"] = row.channel;
    if (!row.event.empty()) json["event"] = row.event;
    if (row.is_proven) json["proven"] = true;
    if (row.sent_at > 0) json["sent_at"] = row.sent_at;
    if (!row.against.empty()) json["counts_against"] = row.against;
    if (!row.verdict.empty()) {
        json["verdict"] = row.verdict;
        json["closed_by"] = row.closed_by;
        json["closed_at"] = row.closed_at;
    }
    return json;
}

}  // namespace

void Control::add_report_routes(net::Router& router)
{
    router.add({"GET", "/control/v1/reports", 0,
                [this](const net::Request& request) { return reports(request); }});
    router.add({"GET", "/control/v1/closed-reports", 0,
                [this](const net::Request& request) { return reports(request); }});
    router.add({"GET", "/control/v1/reports/{report}/proof", 0,
                [this](const net::Request& request) { return report_proof(request); }});
    router.add({"POST", "/control/v1/reports/{report}/close", 0,
                [this](const net::Request& request) { return close_report(request); }});
    router.add({"POST", "/control/v1/reports/{report}/send", 0,
                [this](const net::Request& request) { return send_report(request); }});
}

asio::awaitable<net::Response> Control::reports(const net::Request& request)
{
    auto page = control::page_of(request);
    if (!page) co_return control::refusal(page.error(), parts_.clock.now_ms());
    Result<std::int64_t> after = 0;
    if (!page->after.empty())
        after = control::whole_number(page->after, protocol::max_json_integer);
    if (!after) co_return control::refusal(after.error(), parts_.clock.now_ms());
    const bool are_closed = request.path.ends_with("/closed-reports");
    auto rows = co_await parts_.reports.list(are_closed, *after, page->limit);
    if (!rows) co_return control::refusal(rows.error(), parts_.clock.now_ms());
    auto json = control::page_json(*page, rows->size(), parts_.clock.now_ms());
    auto& list = json["reports"] = Json::array();
    for (const auto& row : *rows) list.push_back(report_json(row));
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::report_proof(const net::Request& request)
{
    auto id = control::number_capture(request, 0);
    if (!id) co_return control::refusal(id.error(), parts_.clock.now_ms());
    auto text = co_await parts_.reports.proof(*id);
    if (!text) co_return control::refusal(text.error(), parts_.clock.now_ms());
    net::Response response;
    response.body = std::move(*text);
    co_return response;
}

asio::awaitable<net::Response> Control::close_report(const net::Request& request)
{
    auto id = control::number_capture(request, 0);
    if (!id) co_return control::refusal(id.error(), parts_.clock.now_ms());
    const auto verdict = api::verdict_from(request.parameter("verdict").value_or(""));
    if (!verdict) id = refuse(Code::malformed, "?verdict: upheld or dismissed is needed");
    if (!id) co_return control::refusal(id.error(), parts_.clock.now_ms());
    auto reason = request.parameter("reason").value_or("");
    api::Administrator by;
    auto row = co_await parts_.reports.close(std::move(by), *id, *verdict, std::move(reason));
    if (!row) co_return control::refusal(row.error(), parts_.clock.now_ms());
    co_return control::answer(report_json(*row));
}

asio::awaitable<net::Response> Control::send_report(const net::Request& request)
{
    auto id = control::number_capture(request, 0);
    if (!id) co_return control::refusal(id.error(), parts_.clock.now_ms());
    api::Administrator by;
    const bool with_content = control::has_flag(request, "content");
    auto row = co_await parts_.reports.send(std::move(by), *id, with_content);
    if (!row) co_return control::refusal(row.error(), parts_.clock.now_ms());
    co_return control::answer(report_json(*row));
}

}  // namespace entente::daemon
