// What stands still, and the operator's word on it: evidence of forks, the end of a freeze
// [LOG-4], the end of a home's wait for its followers [LOG-5].
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"
#include "storage/evidence_store.hpp"

namespace entente::daemon {

namespace {

using control::Json;

struct ReadEvidence {
    protocol::ChannelId channel;

    Result<std::vector<storage::EvidenceRow>> operator()(storage::Connection& db)
    {
        auto row = storage::read_channel(db, channel);
        if (!row) return fail(row);
        return storage::evidence_of(db, row->id);
    }
};

struct Thaw {
    federation::FollowerLog& follower;
    protocol::ChannelId channel;
    protocol::ServerName self;
    protocol::Millis now;

    Result<bool> operator()(storage::WriteTransaction& transaction)
    {
        auto thawed = follower.thaw(transaction, channel);
        if (!thawed || !*thawed) return thawed;
        auto noted = storage::append_audit(
            transaction.db(), self, now, {storage::audit_operator, "channel.thaw", channel.str()});
        if (!noted) return fail(noted);
        return true;
    }
};

// An answer to a log query as the peer would read it; null where there is none.
Json answer_json(const std::string& text)
{
    if (text.empty()) return nullptr;
    auto json = Json::parse(text, nullptr, false);
    return json.is_discarded() ? Json(nullptr) : json;
}

Json evidence_json(const storage::EvidenceRow& row)
{
    return {{"kind", row.kind},
            {"home", row.home.str()},
            {"at", row.at},
            {"epoch", row.epoch},
            {"seq", row.seq},
            {"held", answer_json(row.held)},
            {"shown", answer_json(row.shown)}};
}

}  // namespace

void Control::add_fork_routes(net::Router& router)
{
    router.add({"GET", "/control/v1/channels/{channel}/evidence", 0,
                [this](const net::Request& request) { return evidence(request); }});
    router.add({"POST", "/control/v1/channels/{channel}/thaw", 0,
                [this](const net::Request& request) { return thaw(request); }});
    router.add({"POST", "/control/v1/channels/{channel}/go-on", 0,
                [this](const net::Request& request) { return go_on(request); }});
}

asio::awaitable<net::Response> Control::evidence(const net::Request& request)
{
    auto name = control::channel_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    ReadEvidence job{*name};
    auto rows = co_await parts_.commits.read(std::move(job));
    if (!rows) co_return control::refusal(rows.error(), parts_.clock.now_ms());
    Json json{{"channel", name->str()}, {"now", parts_.clock.now_ms()}};
    auto& list = json["evidence"] = Json::array();
    for (const auto& row : *rows) list.push_back(evidence_json(row));
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::thaw(const net::Request& request)
{
    auto name = control::channel_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    Thaw job{parts_.follower, *name, parts_.identity.name, parts_.clock.now_ms()};
    auto thawed = co_await parts_.commits.write(std::move(job));
    if (thawed && !*thawed) thawed = refuse(Code::conflict, "the channel isn't frozen");
    if (!thawed) co_return control::refusal(thawed.error(), parts_.clock.now_ms());
    Json json{{"channel", name->str()}, {"frozen", false}};
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::go_on(const net::Request& request)
{
    auto name = control::channel_capture(request, 0, parts_.identity.names);
    if (name && !parts_.repair.end_wait(*name))
        name = refuse(Code::conflict, "the channel waits for no follower");
    if (name) {
        auto noted = co_await note("channel.go-on", name->str());
        if (!noted) name = fail(noted);
    }
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    Json json{{"channel", name->str()}, {"held", false}};
    co_return control::answer(json);
}

}  // namespace entente::daemon
