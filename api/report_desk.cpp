#include "api/report_desk.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "protocol/octets.hpp"

namespace entente::api {

namespace {

using nlohmann::json;
using storage::ReportRow;
using storage::WriteTransaction;

constexpr std::size_t swept_at_once = 200;

std::string_view to_text(Verdict verdict)
{
    return verdict == Verdict::upheld ? "upheld" : "dismissed";
}

std::string object_of(std::int64_t id)
{
    return "report " + std::to_string(id);
}

// What it was about stays in the log when the row is gone; what was written about it doesn't.
json about(const ReportRow& row)
{
    json details{{"user", row.user}, {"origin", row.origin}, {"at", row.at}};
    if (!row.channel.empty()) details["channel"] = row.channel;
    if (!row.event.empty()) details["event"] = row.event;
    return details;
}

constexpr auto closing = trust::policy::Action::report_close;
constexpr auto of_reports = trust::policy::ResourceKind::report;

struct Close {
    Administrator by;
    std::int64_t id = 0;
    Verdict verdict = Verdict::upheld;
    std::string reason;
    std::optional<trust::Proof> evidence;
    federation::UpheldReports& upheld;
    trust::policy::Enforcer& policies;
    protocol::ServerName server;
    protocol::Millis now = 0;

    Result<ReportRow> operator()(WriteTransaction& transaction) const
    {
        auto& db = transaction.db();
        const auto object = std::to_string(id);
        auto allowed = check_act(db, policies, server, by, {closing, of_reports, object}, now);
        if (!allowed) return fail(allowed);
        auto row = storage::find_report(db, id);
        if (!row) return row;
        const std::string text(to_text(verdict));
        if (row->verdict == text) return row;
        if (!row->verdict.empty())
            return refuse(Code::conflict, "this report is closed: " + row->verdict);
        auto closed = storage::close_report(db, id, text, by.name, now);
        if (!closed) return fail(closed);
        auto details = about(*row);
        details["verdict"] = text;
        if (!reason.empty()) details["reason"] = reason;
        if (evidence) {
            if (auto counted = upheld.count(transaction, *evidence, id, now); !counted)
                return fail(counted);
            details["counts_against"] = evidence->server().str();
        }
        auto noted = storage::append_audit(
            db, server, now, {by.name, "report.close", object_of(id), details.dump()});
        if (!noted) return fail(noted);
        return storage::find_report(db, id);
    }
};

struct Send {
    Administrator by;
    std::int64_t id = 0;
    federation::ProvenReport report;
    federation::ReportPassing& passing;
    trust::policy::Enforcer& policies;
    protocol::ServerName server;
    protocol::Millis now = 0;

    Result<ReportRow> operator()(WriteTransaction& transaction) const
    {
        auto& db = transaction.db();
        const auto object = std::to_string(id);
        auto allowed = check_act(db, policies, server, by, {closing, of_reports, object}, now);
        if (!allowed) return fail(allowed);
        auto row = storage::find_report(db, id);
        if (!row || row->sent_at > 0) return row;
        if (auto passed = passing.pass(transaction, report); !passed) return fail(passed);
        if (auto sent = storage::note_sent_report(db, id, now); !sent) return fail(sent);
        auto details = about(*row);
        details["to"] = report.server.str();
        details["with_content"] = report.with_content;
        auto noted = storage::append_audit(db, server, now,
                                           {by.name, "report.send", object_of(id), details.dump()});
        if (!noted) return fail(noted);
        row->sent_at = now;
        return row;
    }
};

}  // namespace

std::optional<Verdict> verdict_from(std::string_view text)
{
    for (const auto verdict : {Verdict::upheld, Verdict::dismissed})
        if (to_text(verdict) == text) return verdict;
    return std::nullopt;
}

asio::awaitable<Result<std::vector<ReportRow>>> ReportDesk::list(bool are_closed,
                                                                 std::int64_t after,
                                                                 std::size_t limit)
{
    auto job = [are_closed, after, limit](storage::Connection& db) {
        return storage::reports_after(db, after, limit, are_closed);
    };
    auto rows = co_await parts_.commit.read(std::move(job));
    co_return rows;
}

asio::awaitable<Result<std::string>> ReportDesk::proof(std::int64_t id)
{
    auto job = [id](storage::Connection& db) { return storage::proof_of_report(db, id); };
    auto text = co_await parts_.commit.read(std::move(job));
    co_return text;
}

asio::awaitable<Result<ReportRow>> ReportDesk::close(Administrator by, std::int64_t id,
                                                     Verdict verdict, std::string reason)
{
    if (auto fits = check_reason(reason); !fits) co_return fail(fits);
    // Who may not close it mustn't have anything proven.
    auto row = co_await look_at(by, id);
    if (!row) co_return row;
    std::optional<trust::Proof> evidence;
    if (verdict == Verdict::upheld && row->verdict.empty()) evidence = co_await evidence_of(*row);
    Close job{std::move(by),
              id,
              verdict,
              std::move(reason),
              std::move(evidence),
              parts_.upheld,
              parts_.policies,
              parts_.server,
              parts_.clock.now_ms()};
    auto closed = co_await parts_.commit.write(std::move(job));
    co_return closed;
}

// For who may act on it.
asio::awaitable<Result<ReportRow>> ReportDesk::look_at(Administrator by, std::int64_t id)
{
    auto look = [id, by = std::move(by), &policies = parts_.policies, server = parts_.server,
                 at = parts_.clock.now_ms()](storage::Connection& db) -> Result<ReportRow> {
        const auto object = std::to_string(id);
        auto allowed = check_act(db, policies, server, by, {closing, of_reports, object}, at);
        if (!allowed) return fail(allowed);
        return storage::find_report(db, id);
    };
    auto row = co_await parts_.commit.read(std::move(look));
    co_return row;
}

// Nothing where it can't be proven: the verdict stands all the same, but against nobody's server.
asio::awaitable<std::optional<trust::Proof>> ReportDesk::evidence_of(ReportRow row)
{
    auto report = provable(row);
    if (!report) co_return std::nullopt;
    auto proof = co_await parts_.upheld.evidence(std::move(*report));
    if (!proof) co_return std::nullopt;
    co_return std::move(*proof);
}

asio::awaitable<Result<void>> ReportDesk::sweep()
{
    const auto before = parts_.clock.now_ms() - storage::closed_report_life_ms;
    auto job = [before](WriteTransaction& transaction) {
        return storage::sweep_reports(transaction.db(), before, swept_at_once);
    };
    auto swept = co_await parts_.commit.write(std::move(job));
    co_return swept;
}

Result<federation::Report> ReportDesk::provable(const ReportRow& row) const
{
    federation::Report report;
    auto user = protocol::parse_user_id(row.user, parts_.names);
    if (!user) return fail(Code::internal, "a stored report names no user");
    if (protocol::server_of(*user) == parts_.server)
        return refuse(Code::conflict, "the reported user is of this server");
    report.user = std::move(*user);
    auto channel = protocol::parse_channel_id(row.channel, parts_.names);
    auto event = protocol::hash_from_base64url(row.event);
    if (!channel || !event)
        return refuse(Code::conflict, "this report names no event: there is nothing to prove");
    report.channel = std::move(*channel);
    report.event = *event;
    report.reason = row.reason;
    return report;
}

asio::awaitable<Result<ReportRow>> ReportDesk::send(Administrator by, std::int64_t id,
                                                    bool with_content)
{
    // Also of one that was sent before, which is only told again.
    auto row = co_await look_at(by, id);
    if (!row || row->sent_at > 0) co_return row;
    auto report = provable(*row);
    if (!report) co_return fail(report);
    auto proven = co_await parts_.passing.prove(std::move(*report), with_content);
    if (!proven) co_return fail(proven);
    const auto now = parts_.clock.now_ms();
    if (auto counted = sent_.take("", now); !counted) co_return fail(counted);
    Send job{std::move(by), id, std::move(*proven), parts_.passing, parts_.policies,
             parts_.server, now};
    auto sent = co_await parts_.commit.write(std::move(job));
    co_return sent;
}

}  // namespace entente::api
