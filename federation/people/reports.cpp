#include "federation/people/reports.hpp"

#include <utility>

#include "federation/direct/device_messages.hpp"
#include "federation/event_policy.hpp"
#include "protocol/entry_proof.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/raw_members.hpp"
#include "storage/account_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/report_store.hpp"

namespace entente::federation {

namespace {

using protocol::json_string;

storage::ReportRow row_of(const Report& report, const std::string& origin,
                          const std::string& sender, Millis at)
{
    storage::ReportRow row;
    row.origin = origin;
    row.sender = sender;
    row.user = report.user.str();
    if (report.channel) row.channel = report.channel->str();
    if (report.event) row.event = protocol::to_base64url(*report.event);
    row.reason = report.reason;
    row.proof = report.proof;
    row.at = at;
    return row;
}

Result<void> check_user(storage::Connection& db, const protocol::UserId& user)
{
    auto account = storage::find_user(db, protocol::localpart_of(user));
    if (account) return {};
    if (account.error().code != Code::not_found) return fail(account);
    return refuse(Code::not_found, "no such user");
}

}  // namespace

struct Reports::Draft {
    protocol::Event event;  // also where nobody else is told: its txn tells repeats
    storage::DirectRow direct;
    storage::ReportRow row;
    Report report;
    protocol::Hash asked{};  // what is remembered of it: its id differs each time
};

std::string write_report(const Report& report, std::string_view salt)
{
    std::string out = R"({"salt":)" + json_string(salt);
    out += R"(,"user":)" + json_string(report.user.str());
    if (report.channel) out += R"(,"channel":)" + json_string(report.channel->str());
    if (report.event) out += R"(,"event":")" + protocol::to_base64url(*report.event) + '"';
    if (!report.proof.empty()) out += R"(,"proof":)" + report.proof;
    return out + R"(,"reason":)" + json_string(report.reason) + "}";
}

Result<Report> parse_report(std::string_view content, protocol::NameRules names)
{
    auto object = protocol::checked_object(content);
    if (!object) return fail(object);
    protocol::RawMembers members{*object, ""};
    const auto user_text = members.text("user", protocol::max_name_octets);
    const auto channel_text = members.text_or_empty("channel", protocol::max_name_octets);
    const auto event_text = members.text_or_empty("event", protocol::max_name_octets);
    Report report;
    report.reason = members.text_or_empty("reason", max_report_octets);
    report.proof = std::string(members.may_object("proof", max_report_proof_octets));
    if (members.error()) return protocol::Failure{*members.error()};
    auto user = protocol::parse_user_id(user_text, names);
    if (!user) return refuse(Code::malformed, "/user: name@server is needed");
    report.user = std::move(*user);
    if (!channel_text.empty()) {
        auto channel = protocol::parse_channel_id(channel_text, names);
        if (!channel) return refuse(Code::malformed, "/channel: not a channel's id");
        report.channel = std::move(*channel);
    }
    if (!event_text.empty()) {
        auto event = protocol::hash_from_base64url(event_text);
        if (!event) return refuse(Code::malformed, "/event: not an event's id");
        report.event = *event;
    }
    return report;
}

Reports::Draft Reports::draft(const Actor& actor, const Report& report) const
{
    Draft made;
    const auto now = parts_.clock.now_ms();
    made.report = report;
    made.row = row_of(report, parts_.identity.name.str(), actor.user.str(), now);
    made.direct.content = write_report(
        report, protocol::to_base64url(parts_.random.octets(protocol::min_salt_octets)));
    protocol::EventDraft event;
    event.type = report_type;
    event.to = protocol::server_of(report.user).str();
    event.sender = parts_.identity.name.str();
    // The client's own txn, with its user's name in it: another user's may be the same.
    const auto hash =
        protocol::sha256({"entente-report-v1\n", actor.user.str(), "\n", actor.txn.bytes()});
    event.txn = actor.txn;
    for (std::size_t i = 9; i < event.txn.octets.size(); ++i) event.txn.octets[i] = hash[i];
    event.at = now;
    event.content = made.direct.content;
    made.direct.event = protocol::write_event(event);
    made.direct.sender = actor.user.str();
    made.direct.type = report_type;
    if (actor.device)
        made.direct.note = write_note({*actor.device, actor.txn, report.user, std::nullopt});
    made.asked = protocol::sha256(write_report(report, ""));
    made.event.txn = event.txn;
    made.event.at = now;
    return made;
}

asio::awaitable<Result<void>> Reports::hand_in(Actor actor, Report report)
{
    if (report.reason.size() > max_report_octets)
        co_return refuse(Code::too_large, "/reason: at most 4096 octets");
    storage::Cause cause{actor.user.str(), report.reason.size()};
    auto job = [this, made = draft(actor, report)](storage::WriteTransaction& transaction) {
        return apply(transaction, made);
    };
    auto done = co_await parts_.commits.write(std::move(job), std::move(cause));
    co_return done;
}

Result<void> Reports::apply(storage::WriteTransaction& transaction, const Draft& made)
{
    auto& db = transaction.db();
    auto self = parts_.store.server_id(db, parts_.identity.name);
    if (!self) return fail(self);
    auto known = storage::find_direct_in(db, *self, made.event.txn);
    if (!known) return fail(known);
    if (*known && **known != made.asked)
        return refuse(Code::conflict, "/txn: came before with another report");
    if (*known) return {};
    const auto server = protocol::server_of(made.report.user);
    const bool is_here = server == parts_.identity.name;
    if (is_here) {
        if (auto exists = check_user(db, made.report.user); !exists) return exists;
    }
    auto there = is_here ? Result<std::int64_t>{0} : parts_.store.server_id(db, server);
    if (!there) return fail(there);
    auto put = storage::put_report(db, made.row, made.row.origin);
    if (!put) return put;
    auto remembered =
        storage::remember_direct_in(db, *self, made.event.txn, made.asked, made.event.at);
    if (!remembered || is_here) return remembered;
    auto queued = storage::put_users_direct(db, *there, made.direct, made.event.at);
    if (!queued) return queued;
    transaction.after_commit([wake = parts_.wake, server] { wake(server); });
    return {};
}

// [INBOX-15] It proves something to this server, who seals what its users write, or orders it, if
// a key of its own has signed that. All else is another's word, as the report is.
Result<void> Reports::check_proof(const Report& report, const std::vector<KeyRef>& own) const
{
    const auto bad = [](const std::string& why) {
        return refuse(Code::malformed, "/proof: " + why);
    };
    if (!report.channel || !report.event) return bad("of which event isn't said");
    const auto& identity = parts_.identity;
    auto proof = protocol::parse_entry_proof(report.proof, identity.names);
    if (!proof) return bad(proof.error().hint);
    const auto proven = protocol::verify_entry_proof(*proof, own, identity.names);
    if (!proven) return bad(proven.error().hint);
    const auto& event = proven->followed.event;
    if (proof->channel != *report.channel || event.id != *report.event ||
        event.sender.text != report.user.str())
        return bad("it is of something else");
    const auto& author = proven->author ? *proven->author : proven->home;
    if (author.key.server != identity.name || !author.is_given)
        return bad("it isn't signed by this server");
    return {};
}

Result<void> Reports::check(const VerifiedDirect& direct, const std::vector<KeyRef>& own) const
{
    auto report = parse_report(direct.content, parts_.identity.names);
    if (!report) return fail(report);
    return report->proof.empty() ? Result<void>{} : check_proof(*report, own);
}

Result<void> Reports::take(storage::WriteTransaction& transaction, const VerifiedDirect& direct,
                           const ServerName& origin)
{
    auto report = parse_report(direct.content, parts_.identity.names);
    if (!report) return fail(report);
    if (protocol::server_of(report->user) != parts_.identity.name)
        return refuse(Code::not_found, "no such user here");
    if (auto exists = check_user(transaction.db(), report->user); !exists) return exists;
    const auto user = report->user.str();
    ServerQuestion question{trust::policy::Action::report_make, origin, direct.tier,
                            parts_.identity.name};
    question.kind = trust::policy::ResourceKind::account;
    question.resource = user;
    question.octets = direct.content.size();
    if (auto allowed = ask_policies(parts_.policies, question); !allowed) return allowed;
    const auto row =
        row_of(*report, origin.str(), direct.event->sender.text, parts_.clock.now_ms());
    return storage::put_report(transaction.db(), row, parts_.identity.name.str());
}

}  // namespace entente::federation
