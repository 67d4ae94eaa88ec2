#include "federation/conduct/report_passing.hpp"

#include <utility>

#include "federation/people/reports.hpp"
#include "protocol/octets.hpp"
#include "storage/log_reader.hpp"

namespace entente::federation {

namespace {

struct Found {
    std::int64_t seq = 0;
    std::string event;
};

struct FindEntry {
    storage::EventIndex& events;
    protocol::ChannelId channel;
    protocol::Hash event;

    Result<Found> operator()(storage::Connection& db)
    {
        auto row = storage::read_channel(db, channel);
        if (!row && row.error().code != Code::not_found) return fail(row);
        if (!row) return refuse(Code::not_found, "this server doesn't hold the channel");
        auto found = events.find(db, event);
        if (!found && found.error().code != Code::not_found) return fail(found);
        if (!found || found->channel != row->id)
            return refuse(Code::not_found, "this server doesn't hold the event");
        return Found{found->stored.seq, std::move(found->stored.entry.event)};
    }
};

}  // namespace

asio::awaitable<Result<protocol::EntryProof>> LocalReportPassing::entry_of(Report report,
                                                                           bool with_content)
{
    FindEntry job{parts_.events, *report.channel, *report.event};
    auto found = co_await parts_.commits.read(std::move(job));
    if (!found) co_return fail(found);
    const auto event = protocol::parse_channel_event(found->event, parts_.identity.names);
    if (!event || event->sender.text != report.user.str())
        co_return refuse(Code::conflict, "the reported user didn't write this");
    auto proof = co_await parts_.prover.prove(*report.channel, found->seq, with_content);
    co_return proof;
}

asio::awaitable<Result<std::string>> LocalReportPassing::proof_of(Report report, bool with_content)
{
    auto proof = co_await entry_of(std::move(report), with_content);
    if (!proof) co_return fail(proof);
    // Statements of ours, and it can do without those of its own.
    for (auto& key : proof->keys) key.statements.clear();
    co_return protocol::write_entry_proof(*proof);
}

asio::awaitable<Result<ProvenReport>> LocalReportPassing::prove(Report report, bool with_content)
{
    auto text = co_await proof_of(report, with_content);
    if (!text) co_return fail(text);
    bool has_content = with_content;
    if (with_content && text->size() > max_report_proof_octets) {
        text = co_await proof_of(report, false);
        if (!text) co_return fail(text);
        has_content = false;
    }
    if (text->size() > max_report_proof_octets)
        co_return refuse(Code::too_large, "the proof is too long for a report");
    auto made = write(report, std::move(*text));
    made.with_content = has_content;
    co_return made;
}

ProvenReport LocalReportPassing::write(const Report& report, std::string proof) const
{
    auto proven = report;
    proven.proof = std::move(proof);
    ProvenReport made;
    made.server = protocol::server_of(report.user);
    made.at = parts_.clock.now_ms();
    made.direct.content = write_report(
        proven, protocol::to_base64url(parts_.random.octets(protocol::min_salt_octets)));
    protocol::EventDraft event;
    event.type = report_type;
    event.to = made.server.str();
    event.sender = parts_.identity.name.str();
    event.txn = protocol::make_uuid7(made.at, parts_.random);
    event.at = made.at;
    event.content = made.direct.content;
    made.direct.event = protocol::write_event(event);
    made.direct.type = report_type;
    return made;
}

Result<void> LocalReportPassing::pass(storage::WriteTransaction& transaction,
                                      const ProvenReport& report)
{
    auto there = parts_.store.server_id(transaction.db(), report.server);
    if (!there) return fail(there);
    auto queued = storage::put_users_direct(transaction.db(), *there, report.direct, report.at);
    if (!queued) return queued;
    transaction.after_commit([wake = parts_.wake, server = report.server] { wake(server); });
    return {};
}

}  // namespace entente::federation
