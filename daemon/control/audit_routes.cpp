// The audit log: its newest entries, and all of it as the lines of an export.
#include <limits>

#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"
#include "protocol/json_rules.hpp"
#include "storage/audit_store.hpp"

namespace entente::daemon {

namespace {

using control::Json;

constexpr std::size_t entries_a_page = 200;

Json entry_json(const trust::AuditEntry& entry)
{
    return {{"seq", entry.seq},       {"at", entry.at},
            {"actor", entry.actor},   {"act", entry.act},
            {"object", entry.object}, {"details", Json::parse(entry.details, nullptr, false)},
            {"hash", entry.hash}};
}

// ?name=, a whole number from 0 on.
Result<std::int64_t> count_parameter(const net::Request& request, std::string_view name,
                                     std::int64_t fallback)
{
    const auto text = request.parameter(name);
    if (!text) return fallback;
    if (*text == "0") return 0;
    return control::whole_number(*text, protocol::max_json_integer);
}

}  // namespace

void Control::add_audit_routes(net::Router& router)
{
    router.add({"GET", "/control/v1/audit", 0,
                [this](const net::Request& request) { return audit(request); }});
    router.add({"GET", "/control/v1/audit/head", 0,
                [this](const net::Request& request) { return audit_ends(request); }});
    router.add({"GET", "/control/v1/audit/lines", 0,
                [this](const net::Request& request) { return audit_lines(request); }});
}

asio::awaitable<net::Response> Control::audit(const net::Request& request)
{
    auto before = count_parameter(request, "before", protocol::max_json_integer);
    if (!before) co_return control::refusal(before.error(), parts_.clock.now_ms());
    auto job = [from = *before](storage::Connection& db) {
        return storage::audit_before(db, from, entries_a_page);
    };
    auto entries = co_await parts_.commits.read(std::move(job));
    if (!entries) co_return control::refusal(entries.error(), parts_.clock.now_ms());
    Json json{{"now", parts_.clock.now_ms()}, {"more", entries->size() == entries_a_page}};
    auto& list = json["entries"] = Json::array();
    for (const auto& entry : *entries) list.push_back(entry_json(entry));
    co_return control::answer(json);
}

// The first and the last line of an export that ends with the newest entry.
asio::awaitable<net::Response> Control::audit_ends(const net::Request& /*request*/)
{
    auto job = [](storage::Connection& db) { return storage::audit_head(db); };
    auto head = co_await parts_.commits.read(std::move(job));
    if (!head) co_return control::refusal(head.error(), parts_.clock.now_ms());
    const auto& identity = parts_.identity;
    Json json{{"seq", head->seq},
              {"hash", head->hash},
              {"first", trust::audit_first_line(identity.name)},
              {"last",
               trust::audit_last_line(identity.name, *head, parts_.clock.now_ms(), identity.key)}};
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::audit_lines(const net::Request& request)
{
    auto after = count_parameter(request, "after", 0);
    if (!after) co_return control::refusal(after.error(), parts_.clock.now_ms());
    auto through = count_parameter(request, "through", protocol::max_json_integer);
    if (!through) co_return control::refusal(through.error(), parts_.clock.now_ms());
    auto job = [from = *after, to = *through](storage::Connection& db) {
        return storage::audit_between(db, from, to, entries_a_page);
    };
    auto entries = co_await parts_.commits.read(std::move(job));
    if (!entries) co_return control::refusal(entries.error(), parts_.clock.now_ms());
    Json json{{"lines", Json::array()}};
    for (const auto& entry : *entries) json["lines"].push_back(trust::audit_entry_line(entry));
    co_return control::answer(json);
}

// In a transaction of its own, for acts that aren't written in one of ours.
asio::awaitable<Result<void>> Control::note(std::string act, std::string object,
                                            std::string details)
{
    storage::AuditRecord record{storage::audit_operator, std::move(act), std::move(object),
                                std::move(details)};
    auto job = [record = std::move(record), server = parts_.identity.name,
                now = parts_.clock.now_ms()](storage::WriteTransaction& transaction) {
        return storage::append_audit(transaction.db(), server, now, record);
    };
    auto noted = co_await parts_.commits.write(std::move(job));
    if (!noted) co_return fail(noted);
    co_return Result<void>{};
}

}  // namespace entente::daemon
